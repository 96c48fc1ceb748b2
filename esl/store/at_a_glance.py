"""What a store waits for or wants of people, counted in one query over partial indexes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from esl.domain.ids import StoreId
from esl.domain.staged import FlipState
from esl.store.columns import instant_from

_COUNTS: Final = text(
    f"""
    SELECT
        (SELECT count(*) FROM problem WHERE store_id = :store AND until IS NULL) AS problems,
        (SELECT count(*) FROM remove_task WHERE store_id = :store AND done_at IS NULL)
            AS remove_tasks,
        (SELECT count(*) FROM quarantine WHERE store_id = :store AND state = 'open') AS held_back,
        (SELECT count(*) FROM proposal WHERE store_id = :store AND state = 'waiting')
            AS proposals,
        (SELECT count(*) FROM flip WHERE store_id = :store AND state = {int(FlipState.PLANNED)})
            AS planned,
        (SELECT min(show_at) FROM flip WHERE store_id = :store
            AND state = {int(FlipState.PLANNED)}) AS next_at
    """  # noqa: S608  our own words  # nosec B608
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How much of what waits in a store."""

    problems: int  # that are not over
    remove_tasks: int  # labels to be taken off the shelf
    held_back: int  # doubted prices that wait for a person
    proposals: int  # prices that the rules propose and nobody has decided about
    planned: int  # moments at which prices are planned to change
    next_at: datetime | None  # the first of them


def waiting_in(tx: Connection, store_id: StoreId) -> Waiting:
    """Count what waits in a store."""
    row = tx.execute(_COUNTS, {"store": store_id}).one()
    return Waiting(
        problems=int(row.problems),
        remove_tasks=int(row.remove_tasks),
        held_back=int(row.held_back),
        proposals=int(row.proposals),
        planned=int(row.planned),
        next_at=instant_from(row.next_at),
    )
