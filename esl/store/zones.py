"""Groups of stores and price zones: which there are, and which stores are in them."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, Table, delete, insert, select

from esl.domain.errors import NotFound
from esl.domain.ids import StoreId
from esl.domain.zone import CHAIN, PriceZone, StoreGroup
from esl.store.tables import group_stores, price_zones, store_groups, stores, zone_stores
from esl.store.upsert import insert_or_update

# -- groups --------------------------------------------------------------------------------------


def list_groups(tx: Connection) -> list[StoreGroup]:
    """List the groups by id."""
    members = _members(tx, group_stores, "group_id")
    rows = tx.execute(select(store_groups).order_by(store_groups.c.group_id))
    return [
        StoreGroup(
            group_id=row.group_id, name=row.name, stores=members.get(row.group_id, frozenset())
        )
        for row in rows
    ]


def group_named(tx: Connection, group_id: str) -> StoreGroup:
    """Look a group up.

    Raises:
        NotFound: There is none.
    """
    for group in list_groups(tx):
        if group.group_id == group_id:
            return group
    raise NotFound(f"no group {group_id!r}")


def stores_of_groups(tx: Connection, groups: Collection[str]) -> dict[str, frozenset[StoreId]]:
    """Return the stores of groups by their ids; a group that is not there is left out."""
    return {one.group_id: one.stores for one in list_groups(tx) if one.group_id in groups}


def put_group(tx: Connection, group: StoreGroup) -> None:
    """Add a group, or replace it."""
    insert_or_update(tx, store_groups, [{"group_id": group.group_id, "name": group.name}])
    tx.execute(delete(group_stores).where(group_stores.c.group_id == group.group_id))
    rows = [{"group_id": group.group_id, "store_id": one} for one in sorted(group.stores)]
    if rows:
        tx.execute(insert(group_stores), rows)


def delete_group(tx: Connection, group_id: str) -> None:
    """Forget a group."""
    tx.execute(delete(group_stores).where(group_stores.c.group_id == group_id))
    tx.execute(delete(store_groups).where(store_groups.c.group_id == group_id))


# -- zones ---------------------------------------------------------------------------------------


def list_zones(tx: Connection) -> list[PriceZone]:
    """List the zones by id; the chain has no stores of its own, it is all of them."""
    members = _members(tx, zone_stores, "zone_id")
    rows = tx.execute(select(price_zones).order_by(price_zones.c.zone_id))
    return [
        PriceZone(
            zone_id=row.zone_id,
            name=row.name,
            currency=row.currency,
            stores=members.get(row.zone_id, frozenset()),
        )
        for row in rows
    ]


def zone_named(tx: Connection, zone_id: str) -> PriceZone:
    """Look a zone up with its stores: of the chain, all that there are.

    Raises:
        NotFound: There is none.
    """
    query = select(price_zones).where(price_zones.c.zone_id == zone_id)
    row = tx.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"no zone {zone_id!r}")
    members = select(zone_stores.c.store_id).where(zone_stores.c.zone_id == zone_id)
    if zone_id == CHAIN:
        members = select(stores.c.store_id)
    return PriceZone(
        zone_id=zone_id,
        name=row.name,
        currency=row.currency,
        stores=frozenset(StoreId(one) for one in tx.execute(members).scalars()),
    )


def lock_zones(tx: Connection, zone_ids: Iterable[str]) -> None:
    """Let nobody else change zones, or say prices in them, until the transaction ends."""
    tx.execute(
        select(price_zones.c.zone_id)
        .where(price_zones.c.zone_id.in_(sorted(set(zone_ids))))
        .order_by(price_zones.c.zone_id)
        .with_for_update()
    ).all()


def put_zone(tx: Connection, zone_id: str, name: str, currency: str) -> None:
    """Add a zone, or give it another name."""
    row = {"zone_id": zone_id, "name": name, "currency": currency}
    insert_or_update(tx, price_zones, [row])


def delete_zone(tx: Connection, zone_id: str) -> None:
    """Forget a zone that has no stores."""
    tx.execute(delete(price_zones).where(price_zones.c.zone_id == zone_id))


def zone_of_store(tx: Connection, store_id: StoreId) -> str | None:
    """Return the zone that a store is in; None where it follows the chain alone."""
    query = select(zone_stores.c.zone_id).where(zone_stores.c.store_id == store_id)
    found: str | None = tx.execute(query).scalar_one_or_none()
    return found


def zones_of_stores(tx: Connection, store_ids: Collection[StoreId]) -> dict[StoreId, str]:
    """Return the zones of stores that are in one."""
    rows = tx.execute(select(zone_stores.c.store_id, zone_stores.c.zone_id)).all()
    return {StoreId(store): zone for store, zone in rows if store in store_ids}


def move_store(tx: Connection, store_id: StoreId, zone_id: str | None) -> None:
    """Put a store into a zone, or into none."""
    if zone_id is None:
        tx.execute(delete(zone_stores).where(zone_stores.c.store_id == store_id))
    else:
        insert_or_update(tx, zone_stores, [{"store_id": store_id, "zone_id": zone_id}])


def _members(tx: Connection, table: Table, key: str) -> Mapping[str, frozenset[StoreId]]:
    found: dict[str, set[StoreId]] = {}
    for name, store_id in tx.execute(select(table.c[key], table.c.store_id)):
        found.setdefault(name, set()).add(StoreId(store_id))
    return {name: frozenset(of) for name, of in found.items()}
