"""What labels would say if their products had other prices: the same join, another price."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from esl.domain.face import Face
from esl.domain.ids import LabelId, Sku
from esl.domain.pricing import CurrentPrice
from esl.store.tables import labels
from esl.store.truth import FACE_COLUMNS, LABELS_WITH_TRUTH, face_from
from esl.store.upsert import in_batches

_SKU = 1
_PRICE_BEGINS = 13  # price, currency, …, multibuy: as `face_from` reads them
_PRICE_ENDS = 23

PriceThen = Callable[[Sku, CurrentPrice | None], CurrentPrice | None]
"""Says what a product will cost, from what it costs now; None where it will have no price."""


def future_faces(
    tx: Connection, label_ids: Sequence[LabelId], price_then: PriceThen
) -> dict[LabelId, Face]:
    """Say what labels would show at other prices; labels without a product are left out."""
    found: dict[LabelId, Face] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = (
            select(labels.c.label_id, *FACE_COLUMNS)
            .select_from(LABELS_WITH_TRUTH)
            .where(labels.c.label_id.in_(batch))
        )
        for row in tx.execute(query):
            label_id, values = LabelId(row[0]), list(row[1:])
            sku = values[_SKU]
            if sku is None:
                continue
            then = price_then(Sku(sku), _price(values))
            if then is None:
                continue
            values[_PRICE_BEGINS:_PRICE_ENDS] = [
                then.price_minor,
                then.currency,
                then.was_minor,
                then.unit_price_minor,
                then.badge,
                then.rev,
                then.regular_minor,
                then.member_minor,
                then.multibuy_quantity,
                then.multibuy_minor,
            ]
            face = face_from(values, label_id)
            if face is not None:
                found[label_id] = face
    return found


def _price(values: Sequence[Any]) -> CurrentPrice | None:
    price_minor, currency, was_minor, unit_price_minor, badge, rev, *beside = values[
        _PRICE_BEGINS:_PRICE_ENDS
    ]
    if price_minor is None:
        return None
    regular_minor, member_minor, multibuy_quantity, multibuy_minor = beside
    return CurrentPrice(
        store_id=values[0],
        sku=values[_SKU],
        price_minor=price_minor,
        currency=currency,
        was_minor=was_minor,
        unit_price_minor=unit_price_minor,
        badge=badge,
        rev=rev,
        regular_minor=regular_minor,
        member_minor=member_minor,
        multibuy_quantity=multibuy_quantity,
        multibuy_minor=multibuy_minor,
    )
