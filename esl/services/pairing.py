"""Bring labels into a store and let each speak for a product."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import FieldProblem, InvalidInput, NotFound, UnknownGateway
from esl.domain.ids import GatewayId, LabelId, Sku, StoreId
from esl.domain.label import Lane
from esl.domain.pairing import CONTROLLER, Action
from esl.domain.panel import Panels
from esl.domain.place import NewLabel, Pairing
from esl.services.pairing_steps import Steps
from esl.services.promotions.reaching import reach
from esl.store import gateway_labels, labels, migration, offers, places, products, retired
from esl.store.revisions import take_revision
from esl.store.short_links import give_codes


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
    tx: Connection,
    store_id: StoreId,
    pairs: Sequence[Pairing],
    now: datetime,
    *,
    single: bool,
    actor: str = CONTROLLER,
    standing: str | None = None,
    as_step: Action | None = None,
    beside: LabelId | None = None,
) -> tuple[LabelId, ...]:
    """Let labels speak for products; what they spoke for before is forgotten.

    ``single`` says that the request was one object and not an array, for the paths of errors;
    ``standing`` is the place of those pairings that name none. ``as_step`` and ``beside`` name
    the step in the labels' history, where it is more than a pairing.

    Raises:
        UnknownLabel: The store has no such label.
        InvalidInput: The store has no such product.
    """
    store = places.lock_store(tx, store_id)
    known = products.lock_products(tx, store_id, {sku for p in pairs for sku in p.skus})
    problems = [
        FieldProblem(
            path=("" if single else f"/{index}") + (f"/skus/{place}" if p.more else "/sku"),
            detail="the store has no product with this SKU",
            fix="Add the product first, or scan the right one.",
        )
        for index, p in enumerate(pairs)
        for place, sku in enumerate(p.skus)
        if sku not in known
    ]
    if problems:
        raise InvalidInput(problems[:50])
    final = {p.label_id: p for p in pairs}
    labels.lock_labels(tx, store_id, list(final))
    steps = Steps(tx, store_id, final, actor=actor)
    retired.take_back(tx, list(final))
    labels.pair(tx, store_id, list(final.values()), now)
    migration.put_places(tx, {x: at for x, p in final.items() if (at := p.place or standing)})
    paired = sorted({sku for p in final.values() for sku in p.skus})
    give_codes(tx, store_id, paired)
    reach(tx, store, paired, offers.offers_of(tx, store_id, paired), now)
    rev = take_revision(tx)
    labels.want(tx, final, rev, now, lane=Lane.NORMAL)
    steps.write(now, rev=rev, action=as_step, beside=beside)
    return tuple(final)


def unpair_labels(
    tx: Connection,
    store_id: StoreId,
    label_ids: Sequence[LabelId],
    now: datetime,
    *,
    actor: str = CONTROLLER,
) -> tuple[LabelId, ...]:
    """Let labels speak for nothing; each shows the neutral face, or a task is opened for it.

    Raises:
        UnknownLabel: The store has no such label.
    """
    places.lock_store(tx, store_id)
    asked = tuple(sorted(set(label_ids)))
    labels.lock_labels(tx, store_id, asked)
    steps = Steps(tx, store_id, asked, actor=actor)
    steps.write(now, rev=_let_go(tx, asked, now))
    return asked


def _let_go(tx: Connection, asked: Sequence[LabelId], now: datetime) -> int:
    retired.forget_pairings(tx, asked)
    rev = take_revision(tx)
    labels.want(tx, asked, rev, now, lane=Lane.CORRECTION)
    return rev


def unpair_product(
    tx: Connection,
    store_id: StoreId,
    label_id: LabelId,
    sku: Sku,
    now: datetime,
    *,
    actor: str = CONTROLLER,
) -> tuple[LabelId, ...]:
    """Let a label speak for all its products but one; those behind it move up.

    One that speaks for no other shows the neutral face, as after `unpair_labels`.

    Raises:
        UnknownLabel: The store has no such label.
        NotFound: The label does not speak for the product.
    """
    places.lock_store(tx, store_id)
    labels.lock_labels(tx, store_id, [label_id])
    steps = Steps(tx, store_id, [label_id], actor=actor)
    touched = retired.forget_pairings_of(tx, store_id, [sku], label_id=label_id)
    if not touched:
        raise NotFound(f"the label {label_id!r} does not speak for the product {sku!r}")
    rev = take_revision(tx)
    labels.want(tx, touched, rev, now, lane=Lane.CORRECTION)
    steps.write(now, rev=rev)
    return touched


def retire_labels(
    tx: Connection,
    store_id: StoreId,
    label_ids: Sequence[LabelId],
    now: datetime,
    *,
    actor: str = CONTROLLER,
    as_step: Action | None = None,
    beside: LabelId | None = None,
) -> tuple[LabelId, ...]:
    """Let labels leave the shop: unpaired, shown neutral, then forgotten by their gateway.

    What follows the neutral face is done by `esl.services.retirement`. A label that is
    registered again has not left.

    Raises:
        UnknownLabel: The store has no such label.
    """
    places.lock_store(tx, store_id)
    asked = tuple(sorted(set(label_ids)))
    labels.lock_labels(tx, store_id, asked)
    steps = Steps(tx, store_id, asked, actor=actor)
    rev = _let_go(tx, asked, now)
    retired.mark_retired(tx, asked, now)
    steps.write(now, rev=rev, action=as_step, beside=beside)
    return asked


def _refuse_foreign_gateways(tx: Connection, store_id: StoreId, named: set[GatewayId]) -> None:
    known = places.stores_of_gateways(tx, named)
    for gateway_id in sorted(named):
        if known.get(gateway_id) != store_id:
            raise UnknownGateway(f"store {store_id!r} has no gateway {gateway_id!r}")
