"""A store's limits and its emergency stop: rows in and out."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, update

from esl.domain.guards import Guards
from esl.domain.ids import GatewayId, StoreId
from esl.intake.guard_json import guards_from, guards_text
from esl.store.bulk import Bulk
from esl.store.tables import stores

_FROZEN: Final = Bulk(
    """
    SELECT gateway.gateway_id FROM store JOIN gateway ON gateway.store_id = store.store_id
    WHERE store.frozen_at IS NOT NULL
    """
)


def guards_of_store(tx: Connection, store_id: StoreId) -> Guards:
    """Load a store's limits."""
    query = select(stores.c.guards).where(stores.c.store_id == store_id)
    return guards_from(tx.execute(query).scalar_one_or_none())


def put_guards(tx: Connection, store_id: StoreId, guards: Guards) -> None:
    """Replace a store's limits."""
    tx.execute(
        update(stores).where(stores.c.store_id == store_id).values(guards=guards_text(guards))
    )


def frozen_since(tx: Connection, store_id: StoreId) -> datetime | None:
    """Say since when nothing is sent to a store's labels; None: it is."""
    query = select(stores.c.frozen_at).where(stores.c.store_id == store_id)
    since: datetime | None = tx.execute(query).scalar_one_or_none()
    return since


def frozen_stores(tx: Connection) -> list[StoreId]:
    """List the stores to whose labels nothing is sent."""
    query = select(stores.c.store_id).where(stores.c.frozen_at.is_not(None))
    return [StoreId(found) for found in tx.execute(query.order_by(stores.c.store_id)).scalars()]


def set_frozen(tx: Connection, store_id: StoreId, since: datetime | None) -> None:
    """Freeze a store, or thaw it."""
    tx.execute(update(stores).where(stores.c.store_id == store_id).values(frozen_at=since))


def frozen_gateways(tx: Connection) -> frozenset[GatewayId]:
    """Name the gateways through which nothing is sent now."""
    return frozenset(GatewayId(row[0]) for row in _FROZEN.run(tx))
