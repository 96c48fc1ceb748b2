"""What came to nothing: refusals, labels given up, policy times passed. Never on the hot path."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from esl.domain.ids import LabelId
from esl.store.bulk import Bulk
from esl.store.columns import instant_text
from esl.store.tables import failure_log
from esl.store.upsert import in_batches

DETAIL_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A revision that a label did not come to show, and why."""

    label_id: LabelId
    rev: int
    code: str
    detail: str
    failed_at: datetime


LOG_FAILURES: Final = Bulk(
    """
    INSERT INTO failure_log (label_id, rev, code, detail, gateway_id, attempts, failed_at)
    SELECT label.label_id, CAST(j.value->>1 AS bigint), j.value->>2, j.value->>3,
        label.gateway_id, label.attempts, {instant[4]}
    FROM {rows} CROSS JOIN label
    WHERE label.label_id = j.value->>0 AND NOT EXISTS (
        SELECT 1 FROM failure_log AS held
        WHERE held.label_id = label.label_id AND held.rev = CAST(j.value->>1 AS bigint)
    )
    """
)
"""Note [label, rev, code, detail, when], once for each label and revision."""


def log_failures(
    tx: Connection, failed: Iterable[tuple[LabelId, int, str, str]], now: datetime
) -> None:
    """Note failures as (label, revision, code, detail); the first of each revision stays."""
    text = instant_text(now)
    rows: list[list[str | int]] = [
        [label, rev, code, detail[:DETAIL_LONGEST], text]
        for label, rev, code, detail in sorted(set(failed))
    ]
    LOG_FAILURES.run(tx, rows)


def failures_of(
    tx: Connection, label_ids: Sequence[LabelId], *, since_rev: int
) -> dict[LabelId, list[Failure]]:
    """Load what failed of these labels from a revision on, the lowest revision first."""
    found: dict[LabelId, list[Failure]] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = (
            select(failure_log)
            .where(failure_log.c.label_id.in_(batch), failure_log.c.rev >= since_rev)
            .order_by(failure_log.c.label_id, failure_log.c.rev)
        )
        for row in tx.execute(query):
            failure = Failure(
                label_id=LabelId(row.label_id),
                rev=int(row.rev),
                code=row.code,
                detail=row.detail,
                failed_at=row.failed_at,
            )
            found.setdefault(failure.label_id, []).append(failure)
    return found
