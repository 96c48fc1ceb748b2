"""What a label was like before: its pictures, the newest first, and a battery sample a day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, func, select, text

from esl.domain.ids import Digest, GatewayId, LabelId
from esl.store.columns import instant_from
from esl.store.tables import battery_samples, display_log
from esl.store.upsert import in_batches

_DISPLAYS: Final = text(
    """
    SELECT d.entry_id, d.rev, d.digest, d.gateway_id, d.painted_at, d.recorded_at, i.issued_at,
        i.template
    FROM display_log AS d
        LEFT JOIN issued AS i ON i.label_id = d.label_id AND i.rev = d.rev
    WHERE d.label_id = :label AND d.entry_id < :before
    ORDER BY d.entry_id DESC LIMIT :most
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """A picture that a label reported; ``sent_at`` and ``template`` as long as they are kept."""

    entry_id: int
    rev: int
    digest: Digest
    gateway_id: GatewayId
    painted_at: datetime | None  # by the gateway's clock
    reported_at: datetime
    sent_at: datetime | None
    template: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """The first that a label said of its battery on a day (in UTC)."""

    on_day: date
    millivolts: int
    temperature_c: int | None


def last_reported(tx: Connection, label_ids: Collection[LabelId]) -> dict[LabelId, datetime]:
    """Say when labels last reported another picture than before; never: left out."""
    found: dict[LabelId, datetime] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = (
            select(display_log.c.label_id, func.max(display_log.c.recorded_at).label("at"))
            .where(display_log.c.label_id.in_(batch))
            .group_by(display_log.c.label_id)
        )
        found.update((LabelId(row.label_id), row.at) for row in tx.execute(query))
    return found


def displays_of(tx: Connection, label_id: LabelId, *, before: int, most: int) -> list[Display]:
    """List what a label reported to show, the newest first, entries below number ``before``."""
    rows = tx.execute(_DISPLAYS, {"label": label_id, "before": before, "most": most})
    found: list[Display] = []
    for row in rows:
        reported = instant_from(row.recorded_at)
        if reported is not None:  # the column is never empty
            found.append(
                Display(
                    entry_id=int(row.entry_id),
                    rev=int(row.rev),
                    digest=Digest(row.digest),
                    gateway_id=GatewayId(row.gateway_id),
                    painted_at=instant_from(row.painted_at),
                    reported_at=reported,
                    sent_at=instant_from(row.issued_at),
                    template=row.template,
                )
            )
    return found


def batteries_of(tx: Connection, label_id: LabelId, *, since: date) -> Sequence[Battery]:
    """List a label's battery samples by day."""
    query = (
        select(battery_samples)
        .where(battery_samples.c.label_id == label_id, battery_samples.c.on_day >= since)
        .order_by(battery_samples.c.on_day)
    )
    return [
        Battery(on_day=row.on_day, millivolts=int(row.millivolts), temperature_c=row.temperature_c)
        for row in tx.execute(query)
    ]
