"""What promotions make of tills' prices at a moment. Reads, and writes nothing.

::

    bases (what tills say) ─┐
    products ───────────────┼─▶ Reckoner ─▶ Offer, or None where labels show what tills say
    history ────────────────┘
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from esl.domain.ids import Sku
from esl.domain.law.goods import exemptions_of
from esl.domain.law.profile import Profile
from esl.domain.place import Store
from esl.domain.pricing import Says
from esl.domain.promotion.book import Book
from esl.domain.promotion.offer import Base, Lost, Offer
from esl.domain.promotion.reckoning import Reckoner
from esl.services.promotions.books import profile_of
from esl.services.promotions.histories import histories_of
from esl.store import offers, promoted

_LOST_MOST: Final = 20


def offers_at(
    tx: Connection, store: Store, bases: Mapping[Sku, Says], book: Book, at: datetime
) -> dict[Sku, Offer]:
    """Compute the offers that hold at a moment; products that show what tills say are left out.

    ``bases`` are what tills say then. A till's own former price is judged as a promotion's is.
    """
    moment = book.at(at)
    profile = profile_of(store)
    claiming = claiming_skus(bases, profile)
    if not bases or not (moment.all or claiming):
        return {}
    asked = sorted(bases) if moment.all else sorted(claiming)
    products = promoted.products_of(tx, store.store_id, asked)
    running = {}
    for sku, product in products.items():
        found = moment.running(product)
        if found or sku in claiming:
            running[sku] = found
    if not running:
        return {}
    skus = sorted(running)
    past = histories_of(tx, store, skus, at)
    reckoner = Reckoner(profile, at, zone=ZoneInfo(store.timezone))
    found_offers: dict[Sku, Offer] = {}
    for sku in skus:
        history = past[sku]
        offer = reckoner.offer(
            products[sku],
            Base(bases[sku], store.currency, history.last_at),
            history.steps,
            running[sku],
            lowest_30d_minor=history.stated_minor,
            on_sale_from_ms=history.on_sale_from_ms,
            exemptions=exemptions_of(store.law_goods, products[sku].category),
        )
        if offer.reason.applied or (sku in claiming and says_other(offer, bases[sku])):
            found_offers[sku] = offer
    return found_offers


def claiming_skus(bases: Mapping[Sku, Says], profile: Profile) -> set[Sku]:
    """Name the products whose till states a former price, where the law has a rule for it."""
    if not profile.prior_price.days:
        return set()
    return {
        sku
        for sku, says in bases.items()
        if says.was_minor is not None and says.was_minor > says.price_minor
    }


def says_other(offer: Offer, says: Says) -> bool:
    """Say whether the law lets a label say something else than its till does, or more."""
    return (
        offer.trouble is not None
        or offer.reference_minor != says.was_minor
        or (offer.lowest_30d_minor is not None and not offer.reason.tills_word)
    )


def kept_offer(offer: Offer) -> offers.Offer:
    """Write an offer as it is kept beside the till's price."""
    return offers.Offer(
        says=offer.says(),
        lowest_30d_minor=offer.lowest_30d_minor if offer.reference_minor is not None else None,
        valid_to=offer.valid_to,
        template=offer.template,
        promotions=offer.promotion_ids,
        reason=msgspec.json.encode(_reason_view(offer)).decode(),
        trouble=offer.trouble.value if offer.trouble is not None else None,
    )


def _reason_view(offer: Offer) -> dict[str, Any]:
    """Keep why, in a few hundred characters; ``kind`` is read by `esl.store.promoted`."""
    reason = offer.reason
    view: dict[str, Any] = {
        "kind": offer.kind.value,
        "base": reason.base.says.price_minor,
        "law": reason.profile,
        "applied": [
            {
                "promotion": one.promotion.promotion_id,
                "name": one.promotion.name,
                "place": one.place.value,
                "before": one.before_minor,
                "after": one.after_minor,
            }
            for one in reason.applied
        ],
        "lost": [_lost_view(one) for one in reason.lost[:_LOST_MOST]],
    }
    if offer.trouble is not None:
        view["trouble"] = offer.trouble.value
    return view


def _lost_view(lost: Lost) -> dict[str, Any]:
    return {
        "promotion": lost.promotion.promotion_id,
        "name": lost.promotion.name,
        "why": lost.why.value,
        "to": lost.to.promotion_id if lost.to is not None else None,
        "would_be": lost.would_be_minor,
    }
