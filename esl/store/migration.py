"""What is known of labels that another system names: rows in, and out again as a file."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from esl.domain.ids import GatewayId, LabelId, PanelId, Sku, StoreId
from esl.domain.migration import PairingRow
from esl.store.tables import labels, pairings, products
from esl.store.upsert import in_batches


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLabel:
    """A label as we know it. ``is_retired``: it has left the shop, or is about to."""

    store_id: StoreId
    panel_id: PanelId
    gateway_id: GatewayId | None
    place: str | None
    skus: tuple[Sku, ...]  # in their order on the label
    is_retired: bool


def known_labels(tx: Connection, label_ids: Collection[LabelId]) -> dict[LabelId, KnownLabel]:
    """Load labels with the products each speaks for; unknown ones are left out."""
    found: dict[LabelId, KnownLabel] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = select(
            labels.c.label_id,
            labels.c.store_id,
            labels.c.panel_id,
            labels.c.gateway_id,
            labels.c.place,
            labels.c.retired_at,
        ).where(labels.c.label_id.in_(batch))
        of_label = _skus_of(tx, batch)
        for row in tx.execute(query):
            found[LabelId(row.label_id)] = KnownLabel(
                store_id=StoreId(row.store_id),
                panel_id=PanelId(row.panel_id),
                gateway_id=GatewayId(row.gateway_id) if row.gateway_id else None,
                place=row.place,
                skus=of_label.get(row.label_id, ()),
                is_retired=row.retired_at is not None,
            )
    return found


def put_places(tx: Connection, placed: Mapping[LabelId, str | None]) -> None:
    """Note where labels hang; None: nowhere that is known."""
    rows = [{"label": label, "where": where} for label, where in sorted(placed.items())]
    statement = (
        update(labels)
        .where(labels.c.label_id == bindparam("label"))
        .values(place=bindparam("where"))
    )
    for batch in in_batches(rows):
        tx.execute(statement, list(batch))


def place_of(tx: Connection, label_id: LabelId) -> str | None:
    """Say where a label hangs, as far as somebody has said so."""
    query = select(labels.c.place).where(labels.c.label_id == label_id)
    found = tx.execute(query).scalar_one_or_none()
    return str(found) if found is not None else None


def pairing_rows(
    tx: Connection, store_id: StoreId, *, after: str = "", most: int = 1000
) -> list[PairingRow]:
    """List a store's labels by id, those that left the shop excepted; rows count from 2."""
    query = (
        select(
            labels.c.label_id,
            labels.c.panel_id,
            labels.c.gateway_id,
            labels.c.place,
        )
        .where(
            labels.c.store_id == store_id,
            labels.c.label_id > after,
            labels.c.retired_at.is_(None),
        )
        .order_by(labels.c.label_id)
        .limit(most)
    )
    page = tx.execute(query).all()
    of_label: dict[str, tuple[Sku, ...]] = {}
    for batch in in_batches([found.label_id for found in page]):
        of_label |= _skus_of(tx, batch)
    return [
        PairingRow(
            row=row,
            label_id=LabelId(found.label_id),
            sku=next(iter(of_label.get(found.label_id, ())), None),
            more=of_label.get(found.label_id, ())[1:],
            panel_id=PanelId(found.panel_id),
            gateway_id=GatewayId(found.gateway_id) if found.gateway_id else None,
            place=found.place,
        )
        for row, found in enumerate(page, start=2)
    ]


def _skus_of(tx: Connection, label_ids: Collection[str]) -> dict[str, tuple[Sku, ...]]:
    """Load what labels speak for, in the order on each."""
    query = (
        select(pairings.c.label_id, pairings.c.sku)
        .where(pairings.c.label_id.in_(label_ids))
        .order_by(pairings.c.label_id, pairings.c.position)
    )
    found: dict[str, tuple[Sku, ...]] = {}
    for row in tx.execute(query):
        found[row.label_id] = (*found.get(row.label_id, ()), Sku(row.sku))
    return found


def known_skus(tx: Connection, store_id: StoreId, skus: Iterable[Sku]) -> set[Sku]:
    """Return those of some SKUs that a store has products of."""
    found: set[Sku] = set()
    for batch in in_batches(sorted(set(skus))):
        query = select(products.c.sku).where(
            products.c.store_id == store_id, products.c.sku.in_(batch)
        )
        found.update(Sku(sku) for sku in tx.execute(query).scalars())
    return found
