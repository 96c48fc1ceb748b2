"""Let offers follow what they are made of: tills' prices, promotions, and time.

::

    follow   a till changed prices: within its transaction, before labels are told
    turn     a promotion began, ended or changed: one revision, labels want it

Each result is an event of the history; a product whose offer is gone gets one, too, that says
what holds again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import Connection

from esl.domain.ids import LabelId, Sku
from esl.domain.label import Lane
from esl.domain.law.prior_price import StepKind
from esl.domain.place import Store
from esl.domain.pricing import Says
from esl.domain.promotion.book import Book
from esl.services.promotions.books import book_of, profile_of
from esl.services.promotions.offering import claiming_skus, kept_offer, offers_at
from esl.services.promotions.reaching import reach
from esl.services.tilling import follow_till
from esl.store import labels, offers, price_intake, products, promotion_rows
from esl.store.flip_pictures import hurry
from esl.store.offers import Offer
from esl.store.revisions import take_revision
from esl.store.upsert import in_batches

AT_ONCE: Final = 2_000
"""Products that are looked at together: what is made for them on the way goes again."""

_FIRST: Final = timedelta(milliseconds=10)
"""How much earlier what becomes cheaper is due than what becomes dearer: it is sent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """What came of a turn: the labels that want something new, and the revision."""

    labels: tuple[LabelId, ...] = ()
    rev: int | None = None
    products: int = 0


def follow(
    tx: Connection,
    store: Store,
    revs: Mapping[Sku, int],
    bases: Mapping[Sku, Says],
    now: datetime,
    *,
    actor: str,
) -> None:
    """Compute offers anew of products whose till price or words changed, each under its revision.

    The till's events are written; their labels are told by whoever changed the prices.
    """
    if not revs:
        return
    store_id = store.store_id
    is_asked = bool(claiming_skus(bases, profile_of(store))) or offers.has_offers(tx, store_id)
    if not is_asked and not promotion_rows.any_live(tx, store_id):
        return
    skus = sorted(revs)
    missing = [sku for sku in skus if sku not in bases]
    held = price_intake.held_prices(tx, store_id, missing) if missing else {}
    all_bases = {sku: price.says for sku, price in held.items()}
    all_bases |= {sku: bases[sku] for sku in skus if sku in bases}
    before = offers.offers_of(tx, store_id, skus)
    book, at = book_of(tx, store), not_before_turned(tx, store, now)
    after = {
        sku: kept_offer(offer) for sku, offer in offers_at(tx, store, all_bases, book, at).items()
    }
    if not before and not after:
        return
    offers.forget_offers(tx, store_id, sorted(before.keys() - after.keys()))
    reach(tx, store, skus, after, now, bases=all_bases)
    offers.hide_till_events(tx, store_id, after, sorted(set(revs.values())))
    for rev in sorted(set(revs.values())):
        here = {sku: offer for sku, offer in after.items() if revs[sku] == rev}
        offers.put_offers(tx, store_id, here, rev=rev)
        told = {
            sku: (offer.says, offer.reason)
            for sku, offer in here.items()
            if sku not in before or before[sku].says != offer.says
        }
        offers.log_offers(
            tx, store_id, told, rev=rev, currency=store.currency, actor=actor, now=now
        )


def not_before_turned(tx: Connection, store: Store, at: datetime) -> datetime:
    """Return a moment, or the last that was turned in a store if that is later.

    A change that waited for its turn, or came by a clock that is behind, undoes no beginning or
    end: nobody would turn that again.
    """
    turned = promotion_rows.turned_until(tx, store.store_id)
    return at if turned is None else max(at, turned)


def turn(
    tx: Connection,
    store: Store,
    skus: Sequence[Sku],
    at: datetime,
    now: datetime,
    *,
    actor: str,
    ended: Iterable[str] = (),
) -> Turned:
    """Compute what holds at a moment for products, and let their labels want it.

    ``at`` is the edge's instant, which may be past; ``ended`` the promotions that end with it.
    The store is to be locked.
    """
    store_id = store.store_id
    known = sorted(products.lock_products(tx, store_id, skus))
    labels_of = labels.lock_labels_of_products(tx, store_id, known)
    rev = take_revision(tx)
    book, over = book_of(tx, store), sorted(ended)
    touched: set[LabelId] = set()
    cheaper: set[LabelId] = set()
    told = 0
    for some in in_batches(known, AT_ONCE):
        part = _Part(tx, store, some, book, at)
        part.write(tx, store, rev, now, actor=actor, over=over)
        reached = reach(tx, store, some, part.after, at, bases=part.bases)
        # What a till has not acknowledged is told to no label yet.
        waiting = follow_till(tx, store_id, dict.fromkeys(part.told, rev), now)
        part_of = {sku: labels_of.get(sku, ()) for sku in part.told if sku not in waiting}
        touched |= reached | {label for found in part_of.values() for label in found}
        cheaper |= {label for sku in part.cheaper() for label in part_of.get(sku, ())}
        told += len(part.told)
    if not touched and not told:
        return Turned()
    labels.want(tx, sorted(touched), rev, now, lane=Lane.FLIP)
    hurry(tx, sorted(cheaper), now - _FIRST, Lane.FLIP)
    return Turned(labels=tuple(sorted(touched)), rev=rev, products=told)


class _Part:
    """Some of the products that turn: what held for them, and what holds from now on."""

    def __init__(
        self, tx: Connection, store: Store, skus: Sequence[Sku], book: Book, at: datetime
    ) -> None:
        store_id = store.store_id
        held = price_intake.held_prices(tx, store_id, skus)
        self.bases = {sku: one.says for sku, one in held.items()}
        self.before = offers.offers_of(tx, store_id, skus)
        self.after = _after(tx, store, self.bases, book, at)
        self.gone = sorted(self.before.keys() - self.after.keys())
        self.put = {sku: o for sku, o in self.after.items() if self.before.get(sku) != o}
        self.shown = {
            sku
            for sku, offer in self.put.items()
            if sku not in self.before or _seen(self.before[sku], offer)
        }
        self.told = sorted({*self.shown, *self.gone})

    def write(
        self,
        tx: Connection,
        store: Store,
        rev: int,
        now: datetime,
        *,
        actor: str,
        over: list[str],
    ) -> None:
        """Let the offers hold, and write down what labels show from now on."""
        store_id = store.store_id
        offers.forget_offers(tx, store_id, self.gone)
        offers.put_offers(tx, store_id, self.put, rev=rev)
        events = {sku: (self.put[sku].says, self.put[sku].reason) for sku in sorted(self.shown)}
        events |= {
            sku: (self.bases[sku], _why_ended(self.bases[sku], over))
            for sku in self.gone
            if sku in self.bases
        }
        offers.log_offers(
            tx, store_id, events, rev=rev, currency=store.currency, actor=actor, now=now
        )

    def cheaper(self) -> list[Sku]:
        """List what costs less than before."""
        after, before, bases = self.after, self.before, self.bases
        return [s for s in self.told if _shown(after, bases, s) < _shown(before, bases, s)]


def _after(
    tx: Connection, store: Store, bases: Mapping[Sku, Says], book: Book, at: datetime
) -> dict[Sku, Offer]:
    found = offers_at(tx, store, bases, book, at)
    return {sku: kept_offer(offer) for sku, offer in found.items()}


def _why_ended(base: Says, ended: list[str]) -> str:
    """Say what ended; ``kind`` is of the till's own price, which holds again."""
    above = base.regular_minor if base.regular_minor is not None else base.was_minor
    kind = StepKind.REGULAR if above is None or above <= base.price_minor else StepKind.REDUCED
    return msgspec.json.encode({"kind": kind.value, "ended": ended}).decode()


def _seen(before: Offer, after: Offer) -> bool:
    """Say whether a label shows the difference."""
    return before[:4] != after[:4]


def _shown(held: Mapping[Sku, Offer], bases: Mapping[Sku, Says], sku: Sku) -> int:
    offer = held.get(sku)
    if offer is not None:
        return offer.says.price_minor
    base = bases.get(sku)
    return base.price_minor if base is not None else 0
