"""What is known of labels that another system names: rows in, and out again as a file."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, select, update

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
    sku: Sku | None
    is_retired: bool


def known_labels(tx: Connection, label_ids: Collection[LabelId]) -> dict[LabelId, KnownLabel]:
    """Load labels with the first product each speaks for; unknown ones are left out."""
    found: dict[LabelId, KnownLabel] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = (
            select(
                labels.c.label_id,
                labels.c.store_id,
                labels.c.panel_id,
                labels.c.gateway_id,
                labels.c.place,
                labels.c.retired_at,
                pairings.c.sku,
            )
            .outerjoin(
                pairings,
                and_(pairings.c.label_id == labels.c.label_id, pairings.c.position == 0),
            )
            .where(labels.c.label_id.in_(batch))
        )
        for row in tx.execute(query):
            found[LabelId(row.label_id)] = KnownLabel(
                store_id=StoreId(row.store_id),
                panel_id=PanelId(row.panel_id),
                gateway_id=GatewayId(row.gateway_id) if row.gateway_id else None,
                place=row.place,
                sku=Sku(row.sku) if row.sku is not None else None,
                is_retired=row.retired_at is not None,
            )
    return found


def put_places(tx: Connection, placed: Mapping[LabelId, str]) -> None:
    """Note where labels hang."""
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
            pairings.c.sku,
        )
        .outerjoin(
            pairings, and_(pairings.c.label_id == labels.c.label_id, pairings.c.position == 0)
        )
        .where(
            labels.c.store_id == store_id,
            labels.c.label_id > after,
            labels.c.retired_at.is_(None),
        )
        .order_by(labels.c.label_id)
        .limit(most)
    )
    return [
        PairingRow(
            row=row,
            label_id=LabelId(found.label_id),
            sku=Sku(found.sku) if found.sku is not None else None,
            panel_id=PanelId(found.panel_id),
            gateway_id=GatewayId(found.gateway_id) if found.gateway_id else None,
            place=found.place,
        )
        for row, found in enumerate(tx.execute(query), start=2)
    ]


def known_skus(tx: Connection, store_id: StoreId, skus: Iterable[Sku]) -> set[Sku]:
    """Return those of some SKUs that a store has products of."""
    found: set[Sku] = set()
    for batch in in_batches(sorted(set(skus))):
        query = select(products.c.sku).where(
            products.c.store_id == store_id, products.c.sku.in_(batch)
        )
        found.update(Sku(sku) for sku in tx.execute(query).scalars())
    return found
