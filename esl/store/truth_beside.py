"""Several products on one label: the faces of those behind the first, for a whole batch at once.

::

    position 0   the label's truth, as of every label      `esl.store.truth`
    position 1…  their faces, in one query a batch         here
                 └ together one face: the first, with the ``others`` inside it

A product without a price keeps its place and its name, and no price stands there: the others say
theirs still. Of a label none of whose products has one, there is no face.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, select

from esl.domain.face import Face
from esl.domain.ids import LabelId, Sku, StoreId
from esl.store.bulk import Bulk, as_text
from esl.store.tables import labels, pairings
from esl.store.truth import (
    FACE_COLUMNS,
    LABELS_WITH_MORE,
    LABELS_WITH_TRUTH,
    LabelTruth,
    face_from,
    truth_of_store,
)

_MORE: Final = Bulk(
    f"SELECT {as_text(labels.c.label_id, *FACE_COLUMNS)}"  # noqa: S608  # nosec B608
    f" FROM {{rows}} CROSS JOIN {as_text(LABELS_WITH_MORE)}"
    " WHERE label.label_id = j.value->>0 AND pairing.position > 0"
    " ORDER BY label.label_id, pairing.position"
)
_MORE_SKUS: Final = Bulk(
    """
    SELECT pairing.label_id, pairing.sku FROM {rows} CROSS JOIN pairing
    WHERE pairing.label_id = {item} AND pairing.position > 0
    ORDER BY pairing.label_id, pairing.position
    """
)

_SKU: Final = 1
_PRICE: Final = 13
_CURRENCY: Final = 14
_UNKNOWN: Final = ""
"""The currency of what has no price, until it is known what the others' is."""

Others = Mapping[LabelId, tuple[Face, ...]]
"""Faces of the products behind the first, in their order; some may have no price."""


def others_of(tx: Connection, label_ids: Sequence[LabelId]) -> Others:
    """Load the further products of those of these labels that have any: one query, or two."""
    having = skus_behind(tx, label_ids)
    return _gathered(_MORE.run(tx, [[label_id] for label_id in having])) if having else {}


def others_of_store(tx: Connection, store_id: StoreId) -> Others:
    """Load the further products of all labels of a store that have any."""
    query = (
        select(labels.c.label_id, *FACE_COLUMNS)
        .select_from(LABELS_WITH_MORE)
        .where(labels.c.store_id == store_id, pairings.c.position > 0)
        .order_by(labels.c.label_id, pairings.c.position)
    )
    return _gathered(tx.execute(query).all())


def whole_truth_of_store(tx: Connection, store_id: StoreId) -> Iterator[LabelTruth]:
    """Read what every paired label of a store must say, as `truth_of_store`, all products of it."""
    others = others_of_store(tx, store_id)
    having = select(pairings.c.label_id).where(
        pairings.c.store_id == store_id, pairings.c.position > 0
    )
    query = (
        select(labels.c.label_id, *FACE_COLUMNS)
        .select_from(LABELS_WITH_TRUTH)
        .where(labels.c.label_id.in_(having))
    )
    firsts = _gathered(tx.execute(query).all()) if others else {}
    for truth in truth_of_store(tx, store_id):
        beside = others.get(truth.label_id)
        if beside is None:
            yield truth
        else:
            [first] = firsts[truth.label_id]
            yield replace(truth, face=whole_face(first, beside))


def whole_face(first: Face | None, others: Sequence[Face | None]) -> Face | None:
    """Make one face of a label's products; None where none of them has a price."""
    faces = [face for face in (first, *others) if face is not None]
    currency = next((face.currency for face in faces if face.price_minor is not None), None)
    if currency is None:
        return None
    said = [f if f.price_minor is not None else replace(f, currency=currency) for f in faces]
    return replace(said[0], others=tuple(said[1:])) if len(said) > 1 else said[0]


def face_beside(values: Sequence[Any], label_id: LabelId) -> Face | None:
    """Make the face of one of several products, as `face_from`; its name where it has no price."""
    if values[_SKU] is None or values[_PRICE] is not None:
        return face_from(values, label_id)
    named = list(values)
    named[_PRICE], named[_CURRENCY] = 0, _UNKNOWN
    face = face_from(named, label_id)
    return None if face is None else _without_price(face)


def _without_price(face: Face) -> Face:
    return replace(
        face,
        price_minor=None,
        priced_per=None,
        was_minor=None,
        unit_price_minor=None,
        unit=None,
        badge=None,
        valid_to=None,
        member_price_minor=None,
        member_condition=None,
        multibuy=None,
        deposit_minor=None,
        reference_prices=(),
    )


def skus_behind(tx: Connection, label_ids: Sequence[LabelId]) -> dict[LabelId, tuple[Sku, ...]]:
    """Name the products behind the first, in their order, of labels that have any."""
    found: dict[LabelId, tuple[Sku, ...]] = {}
    for label_id, sku in _MORE_SKUS.run(tx, sorted(set(label_ids))):
        found[LabelId(label_id)] = (*found.get(LabelId(label_id), ()), Sku(sku))
    return found


def _gathered(rows: Sequence[Sequence[Any]]) -> Others:
    found: dict[LabelId, tuple[Face, ...]] = {}
    for row in rows:
        label_id = LabelId(row[0])
        face = face_beside(row[1:], label_id)
        if face is not None:
            found[label_id] = (*found.get(label_id, ()), face)
    return found
