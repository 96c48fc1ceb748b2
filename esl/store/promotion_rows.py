"""Promotions as they are kept: what was planned, in which version, and where it turns next."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    not_,
    select,
    update,
)

from esl.domain.errors import UnknownPromotion
from esl.domain.ids import StoreId
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow
from esl.store.tables import promotion_stores, promotion_versions, promotions

LIVE: Final = ("scheduled", "staging", "active")
"""States of promotions that may decide about a price: `esl.domain.promotion.life`."""

_ANY_LIVE: Final = Bulk(
    "SELECT 1 FROM promotion_store AS s JOIN promotion AS p ON p.promotion_id = s.promotion_id"
    " WHERE s.store_id = :store AND p.state IN ('scheduled', 'staging', 'active') LIMIT 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPromotion:
    """A promotion as it is kept; ``definition`` is JSON of the version in use."""

    promotion_id: str
    version: int
    state: str
    definition: str
    digest: str
    created_by: str
    created_at: datetime
    saved_by: str
    saved_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    reached: int = 0  # step of its roll-out, from 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEdge:
    """An instant at which promotions of a store begin or end."""

    store_id: StoreId
    at: datetime
    promotion_ids: tuple[str, ...]


def any_live(tx: Connection, store_id: StoreId) -> bool:
    """Say whether a promotion is planned or runs in a store: the cheap question before others."""
    return bool(_ANY_LIVE.run(tx, store=store_id))


def add_promotion(tx: Connection, promotion_id: str, now: datetime, *, by: str) -> None:
    """Write a promotion down, as a draft without a version."""
    row = {
        "promotion_id": promotion_id,
        "version": 0,
        "state": "draft",
        "created_by": by[:80],
        "created_at": now,
        "changed_at": now,
    }
    tx.execute(insert(promotions).values(**row))


def put_version(
    tx: Connection, promotion_id: str, definition: str, digest: str, now: datetime, *, by: str
) -> int:
    """Keep what a promotion is from now on; return the number of the version."""
    [version] = tx.execute(
        update(promotions)
        .where(promotions.c.promotion_id == promotion_id)
        .values(version=promotions.c.version + 1, changed_at=now)
        .returning(promotions.c.version)
    ).scalars()
    row = {
        "promotion_id": promotion_id,
        "version": version,
        "definition": definition,
        "digest": digest,
        "saved_by": by[:80],
        "saved_at": now,
    }
    tx.execute(insert(promotion_versions).values(**row))
    return int(version)


def set_state(tx: Connection, promotion_id: str, state: str, now: datetime) -> None:
    """Note the state of a promotion; one that is over says since when."""
    is_over = state not in ("draft", *LIVE)
    tx.execute(
        update(promotions)
        .where(promotions.c.promotion_id == promotion_id)
        .values(state=state, changed_at=now, ended_at=now if is_over else None)
    )


def set_reached(tx: Connection, promotion_id: str, step: int, now: datetime) -> None:
    """Note how far the roll-out of a promotion has come."""
    tx.execute(
        update(promotions)
        .where(promotions.c.promotion_id == promotion_id)
        .values(reached=step, changed_at=now)
    )


def promotion_named(tx: Connection, promotion_id: str, *, lock: bool = False) -> StoredPromotion:
    """Look a promotion up, with ``lock`` till the commit.

    Raises:
        UnknownPromotion: There is none.
    """
    if lock:
        mine = select(promotions.c.version).where(promotions.c.promotion_id == promotion_id)
        tx.execute(mine.with_for_update()).one_or_none()
    row = tx.execute(_stored().where(promotions.c.promotion_id == promotion_id)).one_or_none()
    if row is None:
        raise UnknownPromotion(f"no promotion {promotion_id!r}")
    return _promotion(row)


def is_taken(tx: Connection, promotion_id: str) -> bool:
    """Say whether there is a promotion of this id."""
    query = select(promotions.c.version).where(promotions.c.promotion_id == promotion_id)
    return tx.execute(query).one_or_none() is not None


def list_promotions(
    tx: Connection,
    *,
    stores: Collection[StoreId] | None = None,
    here: StoreId | None = None,
    states: Collection[str] = (),
    after: str = "",
    limit: int = 100,
) -> list[StoredPromotion]:
    """List promotions by id, those after ``after``.

    With ``stores`` only those that run in none but these, with ``here`` those that run there.
    """
    query = _stored().where(promotions.c.promotion_id > after)
    if states:
        query = query.where(promotions.c.state.in_(sorted(states)))
    if stores is not None:
        elsewhere = exists(
            select(promotion_stores.c.store_id).where(
                promotion_stores.c.promotion_id == promotions.c.promotion_id,
                promotion_stores.c.store_id.not_in(sorted(stores)),
            )
        )
        query = query.where(not_(elsewhere))
    if here is not None:
        query = query.where(
            exists(
                select(promotion_stores.c.store_id).where(
                    promotion_stores.c.promotion_id == promotions.c.promotion_id,
                    promotion_stores.c.store_id == here,
                )
            )
        )
    ordered = query.order_by(promotions.c.promotion_id).limit(limit)
    return [_promotion(row) for row in tx.execute(ordered)]


def live_in(tx: Connection, store_id: StoreId) -> list[StoredPromotion]:
    """Load the promotions that are planned or run in a store, by id."""
    query = (
        _stored()
        .join(promotion_stores, promotion_stores.c.promotion_id == promotions.c.promotion_id)
        .where(promotion_stores.c.store_id == store_id, promotions.c.state.in_(LIVE))
        .order_by(promotions.c.promotion_id)
    )
    return [_promotion(row) for row in tx.execute(query)]


# -- where it runs, and its next moment --------------------------------------------------------


def stores_of(tx: Connection, promotion_id: str) -> list[StoreId]:
    """List the stores in which a promotion runs."""
    query = (
        select(promotion_stores.c.store_id)
        .where(promotion_stores.c.promotion_id == promotion_id)
        .order_by(promotion_stores.c.store_id)
    )
    return [StoreId(store_id) for store_id in tx.execute(query).scalars()]


def put_stores(tx: Connection, promotion_id: str, stores: Iterable[StoreId]) -> None:
    """Note the stores in which a promotion runs; the others are left."""
    wanted, held = set(stores), set(stores_of(tx, promotion_id))
    gone = held - wanted
    if gone:
        tx.execute(
            delete(promotion_stores).where(
                promotion_stores.c.promotion_id == promotion_id,
                promotion_stores.c.store_id.in_(sorted(gone)),
            )
        )
    new = sorted(wanted - held)
    if new:
        rows = [{"promotion_id": promotion_id, "store_id": store_id} for store_id in new]
        tx.execute(insert(promotion_stores), rows)


def set_next(
    tx: Connection,
    promotion_id: str,
    store_id: StoreId,
    next_at: datetime | None,
    *,
    turned_at: datetime | None = None,
) -> None:
    """Note a promotion's next moment in a store, and up to which one it has turned."""
    values: dict[str, object] = {"next_at": next_at}
    if turned_at is not None:
        values["turned_at"] = turned_at
    tx.execute(update(promotion_stores).where(_key(promotion_id, store_id)).values(**values))


def turn_now(tx: Connection, store_id: StoreId, now: datetime) -> None:
    """Let all that is planned or runs in a store be looked at anew: its moments may be others."""
    live = select(promotions.c.promotion_id).where(promotions.c.state.in_(LIVE))
    tx.execute(
        update(promotion_stores)
        .where(promotion_stores.c.store_id == store_id, promotion_stores.c.promotion_id.in_(live))
        .values(next_at=now)
    )


def has_next(tx: Connection, promotion_id: str) -> bool:
    """Say whether a promotion has an edge to come in any store."""
    query = select(promotion_stores.c.store_id).where(
        promotion_stores.c.promotion_id == promotion_id, promotion_stores.c.next_at.is_not(None)
    )
    return tx.execute(query.limit(1)).first() is not None


def next_moment(tx: Connection, promotion_id: str) -> datetime | None:
    """Return a promotion's next edge in any store."""
    return _extreme(tx, func.min(promotion_stores.c.next_at), promotion_id)


def turned_until(tx: Connection, store_id: StoreId) -> datetime | None:
    """Return the latest moment that was turned in a store, by whichever clock."""
    found: datetime | None = tx.execute(
        select(func.max(promotion_stores.c.turned_at)).where(
            promotion_stores.c.store_id == store_id
        )
    ).scalar()
    return found


def last_turned(tx: Connection, promotion_id: str) -> datetime | None:
    """Return a promotion's last edge in any store."""
    return _extreme(tx, func.max(promotion_stores.c.turned_at), promotion_id)


def _extreme(tx: Connection, which: ColumnElement[Any], promotion_id: str) -> datetime | None:
    query = select(which).where(promotion_stores.c.promotion_id == promotion_id)
    found: datetime | None = tx.execute(query).scalar()
    return found


def first_edge(tx: Connection, until: datetime) -> DueEdge | None:
    """Return the earliest edge up to a moment, with all that turns with it; None without one."""
    row = tx.execute(
        select(promotion_stores.c.store_id, promotion_stores.c.next_at)
        .where(promotion_stores.c.next_at <= until)
        .order_by(promotion_stores.c.next_at, promotion_stores.c.store_id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    store_id = StoreId(row.store_id)
    return DueEdge(
        store_id=store_id, at=row.next_at, promotion_ids=_turning_at(tx, store_id, row.next_at)
    )


def edges_until(tx: Connection, until: datetime) -> list[DueEdge]:
    """List the next edge of each promotion up to a moment, those of one instant together."""
    query = (
        select(
            promotion_stores.c.store_id, promotion_stores.c.next_at, promotion_stores.c.promotion_id
        )
        .where(promotion_stores.c.next_at <= until)
        .order_by(
            promotion_stores.c.next_at,
            promotion_stores.c.store_id,
            promotion_stores.c.promotion_id,
        )
    )
    together: dict[tuple[datetime, StoreId], list[str]] = {}
    for row in tx.execute(query):
        together.setdefault((row.next_at, StoreId(row.store_id)), []).append(row.promotion_id)
    return [
        DueEdge(store_id=store_id, at=at, promotion_ids=tuple(ids))
        for (at, store_id), ids in together.items()
    ]


def lock_edge(tx: Connection, edge: DueEdge) -> tuple[str, ...]:
    """Lock the rows of an edge; return the promotions that are still to turn with it."""
    query = (
        select(promotion_stores.c.promotion_id)
        .where(
            promotion_stores.c.store_id == edge.store_id,
            promotion_stores.c.next_at == edge.at,
        )
        .order_by(promotion_stores.c.promotion_id)
        .with_for_update()
    )
    return tuple(tx.execute(query).scalars())


def _turning_at(tx: Connection, store_id: StoreId, at: datetime) -> tuple[str, ...]:
    query = (
        select(promotion_stores.c.promotion_id)
        .where(promotion_stores.c.store_id == store_id, promotion_stores.c.next_at == at)
        .order_by(promotion_stores.c.promotion_id)
    )
    return tuple(tx.execute(query).scalars())


def _key(promotion_id: str, store_id: StoreId) -> Any:
    return and_(
        promotion_stores.c.promotion_id == promotion_id, promotion_stores.c.store_id == store_id
    )


_VERSION_IN_USE = and_(
    promotion_versions.c.promotion_id == promotions.c.promotion_id,
    promotion_versions.c.version == promotions.c.version,
)
_COLUMNS: Final[Sequence[Any]] = (
    promotions.c.promotion_id,
    promotions.c.version,
    promotions.c.state,
    promotions.c.created_by,
    promotions.c.created_at,
    promotions.c.changed_at,
    promotions.c.ended_at,
    promotions.c.reached,
    promotion_versions.c.definition,
    promotion_versions.c.digest,
    promotion_versions.c.saved_by,
    promotion_versions.c.saved_at,
)


def _stored() -> Select[Any]:
    return select(*_COLUMNS).join(promotion_versions, _VERSION_IN_USE)


def _promotion(row: AnyRow) -> StoredPromotion:
    return StoredPromotion(**row._asdict())
