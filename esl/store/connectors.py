"""How far systems that we ask were read: rows in and out.

``cursor`` is where a run that was read to its end stopped, ``progress`` the next page of one that
was not. Both are the connector's own words and nobody else reads them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, delete, or_, select, update

from esl.domain.ids import StoreId
from esl.store.columns import AnyRow
from esl.store.tables import connector_wants, connectors, sources
from esl.store.upsert import in_batches, insert_if_new, insert_or_update

PROBLEM_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorState:
    """Where a connector is."""

    source: str
    cursor: str = ""
    progress: str = ""
    due_at: datetime
    read_at: datetime | None = None
    whole_at: datetime | None = None
    attempts: int = 0
    problem: str = ""
    runs: int = 0


def connector_state(tx: Connection, source: str, now: datetime) -> ConnectorState:
    """Load where a connector is; one that never ran is due now and has read nothing."""
    row = tx.execute(select(connectors).where(connectors.c.source == source)).one_or_none()
    return _state(row) if row is not None else ConnectorState(source=source, due_at=now)


def claim_connector(
    tx: Connection, source: str, now: datetime, *, until: datetime
) -> ConnectorState | None:
    """Take a connector that is due, for so long; None where another has it or it may rest.

    What is returned is due at ``until``, which `save_state` is to be told.
    """
    insert_if_new(tx, connectors, [{"source": source, "due_at": now}])
    taken = tx.execute(
        update(connectors)
        .where(connectors.c.source == source, connectors.c.due_at <= now)
        .values(due_at=until)
        .returning(connectors)
    ).one_or_none()
    return _state(taken) if taken is not None else None


def save_state(tx: Connection, state: ConnectorState, *, held_until: datetime) -> bool:
    """Write down where a connector is, in the transaction of what it has read.

    An event that made it due meanwhile keeps it due: what was read may be older than that event.
    False, and nothing written, where the hold has run out and another may have taken it.
    """
    query = select(connectors.c.due_at).where(connectors.c.source == state.source)
    due_at: datetime = tx.execute(query.with_for_update()).scalar_one()
    if due_at > held_until:
        return False
    row = {
        "source": state.source,
        "cursor": state.cursor,
        "progress": state.progress,
        "due_at": state.due_at if due_at == held_until else min(due_at, state.due_at),
        "read_at": state.read_at,
        "whole_at": state.whole_at,
        "attempts": state.attempts,
        "problem": state.problem[:PROBLEM_LONGEST],
        "runs": state.runs,
    }
    insert_or_update(tx, connectors, [row])
    return True


def let_go(tx: Connection, names: Collection[str], now: datetime) -> None:
    """Take back the holds on these connectors; those that back off after errors stay off."""
    tx.execute(
        update(connectors)
        .where(
            connectors.c.source.in_(sorted(names)),
            connectors.c.due_at > now,
            connectors.c.attempts == 0,
        )
        .values(due_at=now)
    )


def list_failing(tx: Connection, store_id: StoreId) -> list[tuple[str, str]]:
    """List the connectors of a store that fail, each with why in words."""
    query = (
        select(connectors.c.source, connectors.c.problem)
        .join(sources, sources.c.source_id == connectors.c.source)
        .where(
            connectors.c.problem != "",
            or_(sources.c.store_id == store_id, sources.c.store_id.is_(None)),
            sources.c.disabled.is_(False),
        )
        .order_by(connectors.c.source)
    )
    return [(str(row.source), str(row.problem)) for row in tx.execute(query)]


def due_sources(tx: Connection, now: datetime, names: Collection[str]) -> list[str]:
    """Say which of these connectors shall run now; those that never ran are among them."""
    later = select(connectors.c.source).where(
        connectors.c.source.in_(sorted(names)), connectors.c.due_at > now
    )
    waiting = set(tx.execute(later).scalars())
    return sorted(set(names) - waiting)


def make_due(tx: Connection, source: str, now: datetime) -> None:
    """Let a connector run at once: an event says that there is something to read.

    One that backs off after an error keeps its time: hammering is what it was stopped for.
    """
    insert_if_new(tx, connectors, [{"source": source, "due_at": now}])
    tx.execute(
        update(connectors)
        .where(connectors.c.source == source, connectors.c.due_at > now, connectors.c.attempts == 0)
        .values(due_at=now)
    )


def forgive(tx: Connection, source: str, now: datetime) -> None:
    """Let a connector that backs off after an error run at once: what it ran with has changed."""
    tx.execute(
        update(connectors)
        .where(connectors.c.source == source, connectors.c.attempts > 0)
        .values(
            due_at=case((connectors.c.due_at > now, now), else_=connectors.c.due_at), attempts=0
        )
    )


def add_wants(tx: Connection, source: str, objects: Sequence[str], now: datetime) -> None:
    """Note single objects to be fetched. Asking again counts: it may have changed since."""
    rows = [{"source": source, "object_id": one, "asked_at": now} for one in dict.fromkeys(objects)]
    for batch in in_batches(rows):
        insert_or_update(tx, connector_wants, batch)


def list_wants(tx: Connection, source: str, *, limit: int) -> list[str]:
    """List objects to be fetched, the longest waiting first."""
    query = (
        select(connector_wants.c.object_id)
        .where(connector_wants.c.source == source)
        .order_by(connector_wants.c.asked_at, connector_wants.c.object_id)
        .limit(limit)
    )
    return [str(one) for one in tx.execute(query).scalars()]


def end_wants(
    tx: Connection, source: str, objects: Sequence[str], *, asked_until: datetime
) -> None:
    """Forget objects that were fetched, but not those that were asked for again since."""
    for batch in in_batches(list(objects)):
        tx.execute(
            delete(connector_wants).where(
                connector_wants.c.source == source,
                connector_wants.c.object_id.in_(batch),
                connector_wants.c.asked_at <= asked_until,
            )
        )


def _state(row: AnyRow) -> ConnectorState:
    return ConnectorState(**row._asdict())
