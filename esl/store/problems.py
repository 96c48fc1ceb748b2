"""Problems as they are kept, and where some of them are found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, text, update

from esl.domain.errors import NotFound
from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.problem import LABEL_KINDS, Finding, Problem
from esl.store.columns import AnyRow
from esl.store.labels import LABEL_IS_REFUSED
from esl.store.tables import REFUSED, gateways, labels, problems
from esl.store.upsert import in_batches, insert_new_returning

Key = tuple[str, str]
"""Kind and subject."""


def open_problems(tx: Connection) -> dict[Key, int]:
    """Load what is open: the number of each problem by kind and subject."""
    query = select(problems.c.kind, problems.c.subject, problems.c.problem_id).where(
        problems.c.until.is_(None)
    )
    return {(row.kind, row.subject): int(row.problem_id) for row in tx.execute(query)}


def open_findings(tx: Connection, found: Sequence[Finding], now: datetime) -> list[Finding]:
    """Write findings down that are not open yet; return those.

    Another worker may find the same at the same time; each is opened, and told, by one of them.
    """
    held = open_problems(tx)
    rows = [
        {
            "store_id": f.store_id,
            "kind": f.kind.value,
            "subject": f.subject[:140],
            "reason": f.reason[:300],
            "what_to_do": f.what_to_do[:300],
            "since": now,
        }
        for f in found
        if (f.kind.value, f.subject) not in held
    ]
    opened = insert_new_returning(tx, problems, rows, problems.c.kind, problems.c.subject)
    return [f for f in found if (f.kind.value, f.subject[:140]) in opened]


def close_problems(tx: Connection, problem_ids: Sequence[int], now: datetime) -> list[Problem]:
    """Note that problems are no more; return those that still were."""
    closed: list[Problem] = []
    for batch in in_batches(sorted(problem_ids)):
        ended = (
            update(problems)
            .where(problems.c.problem_id.in_(batch), problems.c.until.is_(None))
            .values(until=now)
            .returning(*problems.c)
        )
        closed += [_problem(row) for row in tx.execute(ended)]
    return sorted(closed, key=lambda one: one.problem_id)


def list_problems(
    tx: Connection,
    store_id: StoreId,
    *,
    also_ended: bool = False,
    after: int = 0,
    limit: int = 1000,
) -> list[Problem]:
    """List a store's problems by number: the open ones, or all."""
    query = (
        select(problems)
        .where(problems.c.store_id == store_id, problems.c.problem_id > after)
        .order_by(problems.c.problem_id)
        .limit(limit)
    )
    return _problems(tx, query if also_ended else query.where(problems.c.until.is_(None)))


def problems_of_labels(tx: Connection, store_id: StoreId) -> dict[LabelId, tuple[Problem, ...]]:
    """Load the open problems of a store's labels, each label's by number."""
    kinds = [kind.value for kind in LABEL_KINDS]
    query = (
        select(problems)
        .where(problems.c.store_id == store_id, problems.c.until.is_(None))
        .where(problems.c.kind.in_(kinds))
        .order_by(problems.c.problem_id)
    )
    found: dict[LabelId, tuple[Problem, ...]] = {}
    for one in _problems(tx, query):
        label_id = LabelId(one.subject)
        found[label_id] = (*found.get(label_id, ()), one)
    return found


def problem_numbered(tx: Connection, store_id: StoreId, number: int) -> Problem:
    """Load one of a store's problems.

    Raises:
        NotFound: The store has none of this number; those that ended long ago are forgotten.
    """
    query = select(problems).where(problems.c.store_id == store_id, problems.c.problem_id == number)
    found = _problems(tx, query)
    if not found:
        raise NotFound("the store has no problem of this number; old ones are forgotten")
    return found[0]


def forget_problems(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget problems that ended before a moment, the oldest first."""
    old = (
        select(problems.c.problem_id)
        .where(
            problems.c.until < before,
            # Of an emptied table SQLite numbers anew, and who heard of 17 would not hear of 1.
            problems.c.problem_id < select(func.max(problems.c.problem_id)).scalar_subquery(),
        )
        .order_by(problems.c.problem_id)
        .limit(most)
    )
    return int(tx.execute(delete(problems).where(problems.c.problem_id.in_(old))).rowcount)


def refused_labels(tx: Connection, store_id: StoreId) -> list[tuple[LabelId, str]]:
    """List labels that show a neutral face because their picture was refused: (label, why)."""
    query = (
        select(labels.c.label_id, labels.c.refused_code, labels.c.refused_detail)
        .where(
            labels.c.store_id == store_id,
            text(REFUSED),
            LABEL_IS_REFUSED,
            labels.c.problem.is_(None),
        )
        .order_by(labels.c.label_id)
    )
    return [
        (LabelId(row.label_id), row.refused_detail or row.refused_code) for row in tx.execute(query)
    ]


def live_gateways(tx: Connection, heard_since: datetime) -> frozenset[GatewayId]:
    """Name the gateways on the line that were heard since a moment."""
    query = select(gateways.c.gateway_id).where(
        gateways.c.online.is_(True), gateways.c.heard_at >= heard_since
    )
    return frozenset(GatewayId(gateway_id) for gateway_id in tx.execute(query).scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGateway:
    """A gateway that was enrolled, and when; ``heard_at`` None while it never was."""

    gateway_id: GatewayId
    heard_at: datetime | None
    enrolled_at: datetime | None
    clock_trusted: bool


def gateways_in_doubt(tx: Connection, store_id: StoreId) -> list[KnownGateway]:
    """List a store's gateways by id, with what says whether something is wrong with them."""
    row = gateways.c
    query = (
        select(row.gateway_id, row.heard_at, row.enrolled_at, row.clock_trusted)
        .where(row.store_id == store_id)
        .order_by(row.gateway_id)
    )
    return [
        KnownGateway(
            gateway_id=GatewayId(found.gateway_id),
            heard_at=found.heard_at,
            enrolled_at=found.enrolled_at,
            clock_trusted=bool(found.clock_trusted),
        )
        for found in tx.execute(query)
    ]


def _problems(tx: Connection, query: Select[Any]) -> list[Problem]:
    return [_problem(row) for row in tx.execute(query)]


def _problem(row: AnyRow) -> Problem:
    return Problem(
        problem_id=int(row.problem_id),
        store_id=StoreId(row.store_id) if row.store_id is not None else None,
        kind=row.kind,
        subject=row.subject,
        reason=row.reason,
        what_to_do=row.what_to_do,
        since=row.since,
        until=row.until,
    )
