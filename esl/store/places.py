"""Stores and gateways: rows in and out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from esl.domain.errors import AlreadyExists, UnknownGateway, UnknownStore
from esl.domain.ids import GatewayId, StoreId
from esl.domain.place import Gateway, Neutral, Store, StorePolicy, UnknownLabels
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow
from esl.store.tables import gateways, stores
from esl.store.upsert import insert_if_new, insert_or_update


def put_store(tx: Connection, store: Store) -> None:
    """Add a store, or replace what is known of it."""
    row = {
        "store_id": store.store_id,
        "name": store.name,
        "currency": store.currency,
        "locale": store.locale,
        "timezone": store.timezone,
        "link_base": store.link_base,
        "read_back_percent": store.read_back_percent,
        "shop_link": store.shop_link,
        "law": store.law,
        "law_goods": store.law_goods,
    }
    insert_or_update(tx, stores, [row])


def store_named(tx: Connection, store_id: StoreId) -> Store:
    """Look a store up.

    Raises:
        UnknownStore: There is none.
    """
    row = tx.execute(select(*_STORE).where(stores.c.store_id == store_id)).one_or_none()
    if row is None:
        raise UnknownStore(f"no store {store_id!r}")
    return Store(**row._asdict())


def lock_store(tx: Connection, store_id: StoreId, *, to_change: bool = False) -> Store:
    """Look a store up and keep it from changing until the transaction ends.

    Raises:
        UnknownStore: There is none.
    """
    query = _LOCK_TO_CHANGE if to_change else _LOCK
    row = tx.execute(query, {"store": store_id}).one_or_none()
    if row is None:
        raise UnknownStore(f"no store {store_id!r}")
    return Store(**row._asdict())


def all_stores(tx: Connection) -> list[Store]:
    """List the stores by id."""
    query = select(*_STORE).order_by(stores.c.store_id)
    return [Store(**row._asdict()) for row in tx.execute(query)]


def stores_to_judge(tx: Connection) -> list[StoreId]:
    """List the stores whose law has changed, and not all of whose claims are judged by it."""
    query = select(stores.c.store_id).where(stores.c.judged_after.is_not(None))
    return [StoreId(row.store_id) for row in tx.execute(query.order_by(stores.c.store_id))]


def judged_after(tx: Connection, store_id: StoreId) -> str | None:
    """Return the SKU behind which claims are to be judged; None: all are."""
    query = select(stores.c.judged_after).where(stores.c.store_id == store_id)
    found: str | None = tx.execute(query).scalar_one_or_none()
    return found


def note_judged(tx: Connection, store_id: StoreId, after: str | None) -> None:
    """Note how far a store's claims are judged."""
    query = update(stores).where(stores.c.store_id == store_id).values(judged_after=after)
    tx.execute(query)


def store_policies(
    tx: Connection, store_ids: Sequence[StoreId] | None = None
) -> dict[StoreId, StorePolicy]:
    """Load what stores do with labels in doubt: these, or every store."""
    query = select(
        stores.c.store_id,
        stores.c.neutral_policy,
        stores.c.unknown_labels,
        stores.c.adopt_until,
        stores.c.policy_time_s,
    )
    if store_ids is not None:
        query = query.where(stores.c.store_id.in_(list(store_ids)))
    return {
        StoreId(row.store_id): StorePolicy(
            neutral=Neutral(row.neutral_policy),
            unknown_labels=UnknownLabels(row.unknown_labels),
            adopt_until=row.adopt_until,
            verdict_within=timedelta(seconds=row.policy_time_s),
        )
        for row in tx.execute(query)
    }


def put_store_policy(tx: Connection, store_id: StoreId, policy: StorePolicy) -> None:
    """Replace what a store does with labels in doubt."""
    tx.execute(
        update(stores)
        .where(stores.c.store_id == store_id)
        .values(
            neutral_policy=policy.neutral.value,
            unknown_labels=policy.unknown_labels.value,
            adopt_until=policy.adopt_until,
            policy_time_s=int(policy.verdict_within.total_seconds()),
        )
    )


def put_gateway(tx: Connection, gateway_id: GatewayId, store_id: StoreId) -> Gateway:
    """Add a gateway to a store; one that is there already stays as it is.

    Raises:
        AlreadyExists: The gateway belongs to another store.
    """
    insert_if_new(tx, gateways, [{"gateway_id": gateway_id, "store_id": store_id}])
    gateway = gateway_named(tx, gateway_id)
    if gateway.store_id != store_id:
        raise AlreadyExists(f"the gateway id {gateway_id!r} is taken by another store")
    return gateway


def note_enrolment(
    tx: Connection, gateway_id: GatewayId, key_ids: Iterable[str], now: datetime
) -> None:
    """Note which keys a gateway's new enrolment file holds, and when it got its first."""
    tx.execute(
        update(gateways)
        .where(gateways.c.gateway_id == gateway_id)
        .values(enrolled_keys=" ".join(sorted(key_ids)))
    )
    tx.execute(
        update(gateways)
        .where(gateways.c.gateway_id == gateway_id, gateways.c.enrolled_at.is_(None))
        .values(enrolled_at=now)
    )


def enrolled_keys(tx: Connection) -> dict[GatewayId, list[str]]:
    """Say which keys each gateway's last enrolment file holds; none where nobody noted it."""
    query = select(gateways.c.gateway_id, gateways.c.enrolled_keys)
    return {GatewayId(r.gateway_id): (r.enrolled_keys or "").split() for r in tx.execute(query)}


def gateway_named(tx: Connection, gateway_id: GatewayId) -> Gateway:
    """Look a gateway up.

    Raises:
        UnknownGateway: There is none.
    """
    row = tx.execute(select(*_COLUMNS).where(gateways.c.gateway_id == gateway_id)).one_or_none()
    if row is None:
        raise UnknownGateway(f"no gateway {gateway_id!r}")
    return _gateway(row)


def list_gateways(tx: Connection, store_id: StoreId | None = None) -> list[Gateway]:
    """List the gateways of a store, or all of them, by id."""
    query = select(*_COLUMNS).order_by(gateways.c.gateway_id)
    if store_id is not None:
        query = query.where(gateways.c.store_id == store_id)
    return [_gateway(row) for row in tx.execute(query)]


def note_gateway_heard(
    tx: Connection,
    gateway_id: GatewayId,
    now: datetime,
    *,
    session: str,
    level: str | None = None,
    firmware: str | None = None,
    capacity: int | None = None,
    payload_bytes: int | None = None,
    features: str | None = None,
    clock_trusted: bool | None = None,
) -> None:
    """Note a gateway's session and, where it told them, its abilities; ``features`` is JSON."""
    told = {
        "level": level,
        "firmware": firmware,
        "capacity": capacity,
        "payload_bytes": payload_bytes,
        "features": features,
        "clock_trusted": clock_trusted,
    }
    tx.execute(
        update(gateways)
        .where(gateways.c.gateway_id == gateway_id)
        .values(
            session=session,
            online=True,
            heard_at=now,
            **{name: value for name, value in told.items() if value is not None},
        )
    )


def payload_bytes_of(
    tx: Connection, gateway_ids: Collection[GatewayId]
) -> dict[GatewayId, int | None]:
    """Say the largest payload that each of these gateways takes; None where it did not say."""
    if not gateway_ids:
        return {}
    query = select(gateways.c.gateway_id, gateways.c.payload_bytes).where(
        gateways.c.gateway_id.in_(sorted(gateway_ids))
    )
    return {GatewayId(row.gateway_id): row.payload_bytes for row in tx.execute(query)}


def note_gateway_offline(tx: Connection, gateway_id: GatewayId) -> None:
    """Note that a gateway is away. Its labels are unreachable by computation, not by rows."""
    tx.execute(update(gateways).where(gateways.c.gateway_id == gateway_id).values(online=False))


_TAKE_COUNTERS: Final = Bulk(
    """
    UPDATE gateway SET counter = gateway.counter + CAST(j.value->>1 AS bigint)
    FROM {rows} WHERE gateway.gateway_id = j.value->>0 RETURNING gateway_id, counter
    """
)


def live_gateways(
    tx: Connection, gateway_ids: Iterable[GatewayId], since: datetime
) -> frozenset[GatewayId]:
    """Say which of these gateways are on the line and were heard since a moment."""
    query = select(gateways.c.gateway_id).where(
        gateways.c.gateway_id.in_(list(gateway_ids)),
        gateways.c.online,
        gateways.c.heard_at >= since,
    )
    return frozenset(GatewayId(row.gateway_id) for row in tx.execute(query))


def take_counters(tx: Connection, counts: Mapping[GatewayId, int]) -> dict[GatewayId, int]:
    """Reserve so many counters of signed payloads for each gateway; return the first of each.

    They only rise, across sessions and restarts: a gateway drops what is not above the last.
    """
    wanted = sorted((gateway_id, count) for gateway_id, count in counts.items() if count > 0)
    last = {GatewayId(gateway_id): int(n) for gateway_id, n in _TAKE_COUNTERS.run(tx, wanted)}
    return {gateway_id: last[gateway_id] - count + 1 for gateway_id, count in wanted}


def stores_of_gateways(
    tx: Connection, gateway_ids: Iterable[GatewayId]
) -> dict[GatewayId, StoreId]:
    """Say which store each of these gateways belongs to; unknown ones are left out."""
    query = select(gateways.c.gateway_id, gateways.c.store_id).where(
        gateways.c.gateway_id.in_(list(gateway_ids))
    )
    return {GatewayId(r.gateway_id): StoreId(r.store_id) for r in tx.execute(query)}


_STORE = tuple(stores.c[field.name] for field in fields(Store))
_NAMED: Final = select(*_STORE).where(stores.c.store_id == bindparam("store"))
_LOCK: Final = _NAMED.with_for_update(read=True)
_LOCK_TO_CHANGE: Final = _NAMED.with_for_update()
_COLUMNS = (
    gateways.c.gateway_id,
    gateways.c.store_id,
    gateways.c.session,
    gateways.c.online,
    gateways.c.heard_at,
    gateways.c.level,
    gateways.c.firmware,
    gateways.c.capacity,
)


def _gateway(row: AnyRow) -> Gateway:
    return Gateway(**row._asdict())
