"""What an answer says of a product's price beside it: the till's promotions, the lowest price."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from api.schemas import money
from esl.domain.entry import is_nameless
from esl.domain.ids import Sku
from esl.domain.instants import instant_or_none
from esl.domain.place import Store
from esl.services.lowest_price import Provenance, lowest_price_of
from esl.store import offers
from esl.store.promotions import HeldPromotion, promotions_of


def price_notes(tx: Connection, store: Store, sku: Sku, now: datetime) -> dict[str, Any]:
    """Return ``promotions`` and ``lowest_30d`` of a product."""
    held = promotions_of(tx, store.store_id, [sku]).get(sku, [])
    found = lowest_price_of(tx, store, sku, now)
    return {
        "promotions": [_promotion_view(one, store.currency, now) for one in held],
        "lowest_30d": _lowest_view(found, store.currency) if found is not None else None,
    }


def _promotion_view(held: HeldPromotion, currency: str, now: datetime) -> dict[str, Any]:
    return {
        "id": None if is_nameless(held.promotion_id) else held.promotion_id,
        "source": held.source,
        "kind": held.kind,
        "price": money(held.price_minor, currency),
        "quantity": held.quantity,
        "club": held.club,
        "valid_from": instant_or_none(held.valid_from),
        "valid_to": instant_or_none(held.valid_to),
        "runs": held.runs_at(now),
    }


def _lowest_view(found: Provenance, currency: str) -> dict[str, Any]:
    low = found.lowest
    return {
        "amount": money(low.price_minor, currency),
        "basis": low.basis,
        "from": instant_or_none(low.begins),
        "to": instant_or_none(low.ends),
        "sources": list(low.sources),
        "batches": list(low.batches),
        "files": [title for _, title in found.files],
        "stated_on": low.stated_on.isoformat() if low.stated_on is not None else None,
    }


def offer_note(tx: Connection, store: Store, sku: Sku) -> dict[str, Any]:
    """Say what labels show in place of the till's price while a promotion runs."""
    offer = offers.offers_of(tx, store.store_id, [sku]).get(sku)
    if offer is None:
        return {}
    says, currency = offer.says, store.currency
    return {
        "offer": {
            "price": money(says.price_minor, currency),
            "was": money(says.was_minor, currency),
            "member_price": money(says.member_minor, currency),
            "badge": says.badge,
            "lowest_30d": money(offer.lowest_30d_minor, currency),
            "valid_to": offer.valid_to.isoformat() if offer.valid_to is not None else None,
            "promotions": list(offer.promotions),
        }
    }
