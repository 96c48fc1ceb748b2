"""What labels would say if their products had other prices: the same join, another price."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, FromClause, select

from esl.domain.face import Face
from esl.domain.ids import LabelId, Sku
from esl.domain.pricing import CurrentPrice
from esl.store.offers import Offer, shown_of
from esl.store.tables import labels, pairings, products
from esl.store.truth import (
    FACE_COLUMNS,
    HELD,
    LABELS_WITH_MORE,
    LABELS_WITH_TRUTH,
    OFFER_BEGINS,
    OFFER_COLUMNS,
    PRICE_BEGINS,
    PRICE_ENDS,
    face_from,
)
from esl.store.truth_beside import face_beside, skus_behind, whole_face
from esl.store.upsert import in_batches
from esl.store.waiting import Waiting

_SKU: Final = 1
_FACE_BEGINS: Final = 1
_NO_OFFER: Final = (None,) * OFFER_COLUMNS

Then = tuple[CurrentPrice, Offer | None]
"""What a till will say of a product, and what a promotion will make of it."""

HoldsThen = Callable[[Mapping[Sku, CurrentPrice]], Mapping[Sku, Then]]
"""Says what will hold, from what tills say now; what is left out will have no price."""

Apart = Callable[
    [Mapping[Sku, Then], Mapping[Sku, Sequence[LabelId]]], Mapping[Waiting, Offer | None]
]
"""Says what labels will show that a promotion of what will hold does not reach."""


def future_faces(
    tx: Connection,
    label_ids: Sequence[LabelId],
    holds_then: HoldsThen,
    *,
    apart: Apart | None = None,
    templates: dict[LabelId, str] | None = None,
) -> dict[LabelId, Face]:
    """Say what labels would show at other prices; labels without a product are left out.

    ``apart`` is for promotions that not every label says. ``templates`` takes up which of them a
    promotion would draw with a template of its own.
    """
    firsts = _rows(tx, label_ids, LABELS_WITH_TRUTH)
    behind = _rows(tx, list(skus_behind(tx, label_ids)), LABELS_WITH_MORE)
    now = {
        price.sku: price
        for row in (*firsts, *behind)
        if (price := _price(row[_FACE_BEGINS:])) is not None
    }
    then = holds_then(now)
    beside: Mapping[Waiting, Offer | None] = {}
    if apart is not None:
        labels_of: dict[Sku, list[LabelId]] = {}
        for row in (*firsts, *behind):
            labels_of.setdefault(Sku(row[_FACE_BEGINS + _SKU]), []).append(LabelId(row[0]))
        beside = apart(then, labels_of)
    own: dict[LabelId, str] = {}
    faces: dict[LabelId, list[Face | None]] = {}
    for row in (*firsts, *behind):
        label_id, values = LabelId(row[0]), row[_FACE_BEGINS:]
        values[HELD : HELD + 2] = None, None  # by then the till has it, or it is not shown
        held = then.get(Sku(values[_SKU]))
        if held is None:
            values[PRICE_BEGINS:PRICE_ENDS] = [None] * (PRICE_ENDS - PRICE_BEGINS)
            values[OFFER_BEGINS:] = _NO_OFFER
            faces.setdefault(label_id, []).append(face_beside(values, label_id))
            continue
        price, offer = held
        values[PRICE_BEGINS:PRICE_ENDS] = _columns(price)
        offer = beside.get((label_id, Sku(values[_SKU])), offer)
        values[OFFER_BEGINS:] = shown_of(offer) if offer is not None else _NO_OFFER
        faces.setdefault(label_id, []).append(face_from(values, label_id))
        if values[-1] is not None:
            own[label_id] = values[-1]
    found: dict[LabelId, Face] = {}
    for label_id, (first, *others) in faces.items():
        face = whole_face(first, others)
        if face is not None:
            found[label_id] = face
            if templates is not None and label_id in own and not face.others:
                templates[label_id] = own[label_id]
    return found


def _rows(tx: Connection, label_ids: Sequence[LabelId], joined: FromClause) -> list[list[Any]]:
    """Load labels with their products: [label, `FACE_COLUMNS`…]."""
    rows: list[list[Any]] = []
    for batch in in_batches(sorted(set(label_ids))):
        query = (
            select(labels.c.label_id, *FACE_COLUMNS)
            .select_from(joined)
            .where(labels.c.label_id.in_(batch), products.c.sku.is_not(None))
            .order_by(labels.c.label_id, pairings.c.position)
        )
        rows += [list(row) for row in tx.execute(query)]
    return rows


def _columns(price: CurrentPrice) -> tuple[Any, ...]:
    return (
        price.price_minor,
        price.currency,
        price.was_minor,
        price.unit_price_minor,
        price.badge,
        price.rev,
        price.regular_minor,
        price.member_minor,
        price.multibuy_quantity,
        price.multibuy_minor,
        price.multibuy_pay_for,
        price.member_condition,
    )


def _price(values: Sequence[Any]) -> CurrentPrice | None:
    price_minor, currency, was_minor, unit_price_minor, badge, rev, *beside = values[
        PRICE_BEGINS:PRICE_ENDS
    ]
    if price_minor is None:
        return None
    regular_minor, member_minor, multibuy_quantity, multibuy_minor, pay_for, condition = beside
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
        multibuy_pay_for=pay_for,
        member_condition=condition,
    )
