"""Which labels say a promotion: those of its areas, and those that its roll-out has reached.

A promotion holds for its products from its beginning, and the till takes the lower price. A label
elsewhere, or later in the line, *waits*: it shows what would hold without the promotions that have
not reached it, so another one that runs beside them. Where that would be below what the till
takes, it shows what the till says by itself, which never is.

::

    offers that hold ─▶ does one of their promotions not reach a label? ─▶ the offer without those
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from esl.domain.ids import LabelId, Sku
from esl.domain.place import Store
from esl.domain.pricing import Says
from esl.domain.promotion.promotion import Promotion
from esl.domain.promotion.rollout import is_reached
from esl.domain.till import Charge
from esl.services.promotions.books import book_with, promotion_of
from esl.services.promotions.offering import kept_offer, offers_at
from esl.store import offers, price_intake, promoted, promotion_rows, waiting
from esl.store.offers import Offer
from esl.store.promotion_rows import StoredPromotion
from esl.store.tills import charge_from
from esl.store.waiting import Waiting, Waits

_BELOW = "/"
"""``aisle-3/bay-2`` hangs in ``aisle-3``."""


class Live(NamedTuple):
    """A promotion that may decide about prices, and the step that its roll-out has come to."""

    promotion: Promotion
    reached: int = 0

    @property
    def is_limited(self) -> bool:
        """Say whether some labels of its products may not say it."""
        return bool(self.promotion.where.areas or self.promotion.rollout)

    def hangs_in_areas(self, place: str | None) -> bool:
        """Say whether a label that hangs somewhere is ever to say it."""
        areas = self.promotion.where.areas
        return not areas or _area_of(place, areas) is not None

    def reaches(self, label_id: LabelId, place: str | None) -> bool:
        """Say whether a label that hangs somewhere says it by now."""
        if not self.hangs_in_areas(place):
            return False
        steps = self.promotion.rollout
        return is_reached(
            self.promotion.promotion_id,
            steps,
            self.reached,
            label_id=label_id,
            area=_area_of(place, frozenset().union(*(step.areas for step in steps))),
        )


class Apart(NamedTuple):
    """What a label shows that a promotion has not reached; ``offer`` None: what the till says."""

    promotion_id: str
    offer: Offer | None


def live_of(stored: StoredPromotion) -> Live:
    """Read how far a promotion has come."""
    return Live(promotion_of(stored), stored.reached)


def reach(
    tx: Connection,
    store: Store,
    skus: Sequence[Sku],
    held: Mapping[Sku, Offer],
    at: datetime,
    *,
    bases: Mapping[Sku, Says] | None = None,
) -> frozenset[LabelId]:
    """Note which labels of products wait; return those that show something else by that.

    ``held`` are the offers that these products have from ``at`` on, ``bases`` what tills say
    where that is not written yet.
    """
    live = [live_of(one) for one in promotion_rows.live_in(tx, store.store_id)]
    if not any(one.is_limited for one in live) and not waiting.any_waiting(tx):
        return frozenset()
    labels_of = promoted.labels_of(tx, store.store_id, skus)
    all_labels = sorted({label for found in labels_of.values() for label in found})
    here = set(skus)
    before = {key: one for key, one in waiting.waiting_of(tx, all_labels).items() if key[1] in here}
    after = {
        key: Waits(one.promotion_id, _text_of(one.offer))
        for key, one in apart(tx, store, live, labels_of, held, at, bases=bases).items()
    }
    waiting.put_waiting(tx, {key: one for key, one in after.items() if before.get(key) != one})
    waiting.forget_waiting(tx, sorted(before.keys() - after.keys()))
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return frozenset(label_id for label_id, _ in changed)


def apart(
    tx: Connection,
    store: Store,
    live: Sequence[Live],
    labels_of: Mapping[Sku, Sequence[LabelId]],
    held: Mapping[Sku, Offer],
    at: datetime,
    *,
    bases: Mapping[Sku, Says] | None = None,
) -> dict[Waiting, Apart]:
    """Say what labels show that a promotion of ``held`` does not reach; the others are left out."""
    limited = {one.promotion.promotion_id: one for one in live if one.is_limited}
    concerned = {
        sku: labels_of[sku]
        for sku, offer in held.items()
        if sku in labels_of and any(name in limited for name in offer.promotions)
    }
    if not concerned:
        return {}
    without: dict[frozenset[str], list[Waiting]] = {}
    hanging = promoted.hanging(tx, sorted({one for some in concerned.values() for one in some}))
    for sku, found in concerned.items():
        mine = [name for name in held[sku].promotions if name in limited]
        for label_id in found:
            place = hanging[label_id].place
            if all(limited[name].reaches(label_id, place) for name in mine):
                continue
            away = frozenset(
                name for name, one in limited.items() if not one.reaches(label_id, place)
            )
            without.setdefault(away, []).append((label_id, sku))
    skus = sorted({sku for some in without.values() for _, sku in some})
    says = {
        sku: one.says for sku, one in price_intake.held_prices(tx, store.store_id, skus).items()
    }
    says |= {sku: bases[sku] for sku in skus if bases is not None and sku in bases}
    result: dict[Waiting, Apart] = {}
    for away, some in without.items():
        rest = [one.promotion for one in live if one.promotion.promotion_id not in away]
        here = {sku: says[sku] for _, sku in some if sku in says}
        instead = offers_at(tx, store, here, book_with(store, rest), at)
        kept = {sku: kept_offer(offer) for sku, offer in instead.items()}
        for label_id, sku in some:
            first = next(name for name in held[sku].promotions if name in away)
            result[label_id, sku] = Apart(first, _not_below(kept.get(sku), held[sku]))
    return result


def _not_below(instead: Offer | None, held: Offer) -> Offer | None:
    """Return an offer unless somebody would pay more at the till than a label with it says."""
    if instead is None or _charge(held.says) <= _charge(instead.says):
        return instead
    return None


def _charge(says: Says) -> Charge:
    return charge_from(
        says.price_minor, says.member_minor, says.multibuy_quantity, says.multibuy_minor
    )


def _text_of(offer: Offer | None) -> str | None:
    return offers.text_of(offer) if offer is not None else None


def _area_of(place: str | None, areas: Iterable[str]) -> str | None:
    """Name the area among these in which a place lies."""
    if place is None:
        return None
    return next(
        (area for area in sorted(areas) if place == area or place.startswith(area + _BELOW)), None
    )
