"""Bring labels into a store and let each speak for a product."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import FieldProblem, InvalidInput, UnknownGateway
from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.label import Lane
from esl.domain.panel import Panels
from esl.domain.place import NewLabel, Pairing
from esl.store import gateway_labels, labels, places, products, retired
from esl.store.revisions import take_revision


def register_labels(
    tx: Connection,
    store_id: StoreId,
    new: Sequence[NewLabel],
    now: datetime,
    *,
    panels: Panels,
) -> int:
    """Add labels to a store; return how many were not there yet.

    A label that was there and is named with another gateway is reached by that one from now on.

    Raises:
        UnknownPanel: A panel model is unknown.
        UnknownGateway: A gateway is not of this store.
        AlreadyExists: A label is registered elsewhere, or as another model.
    """
    for panel_id in {n.panel_id for n in new}:
        panels.named(panel_id)
    named = {n.gateway_id for n in new if n.gateway_id is not None}
    _refuse_foreign_gateways(tx, store_id, named)
    added = labels.register_labels(tx, store_id, new)
    retired.take_back(tx, [n.label_id for n in new])
    held = labels.labels_by_id(tx, [n.label_id for n in new], lock=True)
    moved = [
        (n.label_id, n.gateway_id)
        for n in new
        if n.gateway_id is not None and held[n.label_id].gateway_id != n.gateway_id
    ]
    gateway_labels.route_labels(tx, moved, now)
    return added


def pair_labels(
    tx: Connection, store_id: StoreId, pairs: Sequence[Pairing], now: datetime, *, single: bool
) -> tuple[LabelId, ...]:
    """Let labels speak for products; what they spoke for before is forgotten.

    ``single`` says that the request was one object and not an array, for the paths of errors.

    Raises:
        UnknownLabel: The store has no such label.
        InvalidInput: The store has no such product.
    """
    places.lock_store(tx, store_id)
    known = products.lock_products(tx, store_id, {p.sku for p in pairs})
    problems = [
        FieldProblem(
            path="/sku" if single else f"/{index}/sku",
            detail="the store has no product with this SKU",
            fix="Add the product first, or scan the right one.",
        )
        for index, p in enumerate(pairs)
        if p.sku not in known
    ]
    if problems:
        raise InvalidInput(problems[:50])
    final = {p.label_id: p for p in pairs}
    labels.lock_labels(tx, store_id, list(final))
    retired.take_back(tx, list(final))
    labels.pair(tx, store_id, list(final.values()), now)
    labels.want(tx, final, take_revision(tx), now, lane=Lane.NORMAL)
    return tuple(final)


def unpair_labels(
    tx: Connection, store_id: StoreId, label_ids: Sequence[LabelId], now: datetime
) -> tuple[LabelId, ...]:
    """Let labels speak for nothing; each shows the neutral face, or a task is opened for it.

    Raises:
        UnknownLabel: The store has no such label.
    """
    places.lock_store(tx, store_id)
    asked = tuple(sorted(set(label_ids)))
    labels.lock_labels(tx, store_id, asked)
    retired.forget_pairings(tx, asked)
    labels.want(tx, asked, take_revision(tx), now, lane=Lane.CORRECTION)
    return asked


def retire_labels(
    tx: Connection, store_id: StoreId, label_ids: Sequence[LabelId], now: datetime
) -> tuple[LabelId, ...]:
    """Let labels leave the shop: unpaired, shown neutral, then forgotten by their gateway.

    What follows the neutral face is done by `esl.services.retirement`. A label that is
    registered again has not left.

    Raises:
        UnknownLabel: The store has no such label.
    """
    asked = unpair_labels(tx, store_id, label_ids, now)
    retired.mark_retired(tx, asked, now)
    return asked


def _refuse_foreign_gateways(tx: Connection, store_id: StoreId, named: set[GatewayId]) -> None:
    known = places.stores_of_gateways(tx, named)
    for gateway_id in sorted(named):
        if known.get(gateway_id) != store_id:
            raise UnknownGateway(f"store {store_id!r} has no gateway {gateway_id!r}")
