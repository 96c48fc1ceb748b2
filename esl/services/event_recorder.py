"""Look through books for what is told only in sum, and write it down as happenings, each once.

Prices that were held back are told once per list or message, however many they are; a promotion
that is over is told as finished in each store, when its labels there show so or `FINISH_PATIENCE`
later. How far the books were looked through is kept in the transaction that writes the happenings:
a controller that is killed goes on where it was, and of several only one tells.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from esl.domain.ids import StoreId
from esl.domain.instants import instant_text
from esl.domain.promotion.life import State
from esl.domain.subscription import NAMED_MOST, EventType, Happened
from esl.services.happenings import quarantine_events
from esl.services.promotions.progress import progress_of
from esl.store import event_books, happenings, promotion_rows
from esl.store.event_books import PromotionRow
from esl.store.happenings import RecordedUpTo

FINISH_PATIENCE: Final = timedelta(minutes=15)
"""What does not show the end of a promotion by then is a straggler: a store's usual policy time."""

HELD_A_STEP: Final = 20_000
"""A list may be held back as a whole; it is one event."""

_MOVES_A_STEP: Final = 500
_FINISHED: Final = frozenset({State.ENDED.value, State.ROLLED_BACK.value})


def has_news(tx: Connection, whole: RecordedUpTo) -> bool:
    """Say whether there is anything to look through, of books that are whole up to there."""
    at = happenings.recorded_up_to(tx)
    return whole.quarantine > at.quarantine or whole.audit > at.audit


def record(tx: Connection, whole: RecordedUpTo, now: datetime) -> bool:
    """Write down what is new; say whether anything was moved on."""
    at = happenings.recorded_up_to(tx, to_change=True)
    quarantined = _record_held(tx, at.quarantine, whole.quarantine)
    audited = _record_finished(tx, at.audit, whole.audit, now)
    reached = RecordedUpTo(quarantined, audited)
    if reached == at:
        return False
    happenings.note_recorded(tx, reached)
    return True


def _record_held(tx: Connection, after: int, last: int) -> int:
    held = happenings.held_rows(tx, after=after, last=last, most=HELD_A_STEP)
    happenings.put_happenings(tx, quarantine_events(held))
    return held[-1].number if len(held) == HELD_A_STEP else max(after, last)


def _record_finished(tx: Connection, after: int, last: int, now: datetime) -> int:
    """Tell of promotions that are over; return up to where nothing is left to wait for."""
    rows = event_books.promotion_rows(tx, None, after=after, last=last, most=_MOVES_A_STEP)
    waits_before: int | None = None
    for row in rows:
        detail: dict[str, Any] = msgspec.json.decode(row.detail) if row.detail else {}
        if detail.get("to") not in _FINISHED:
            continue
        if not happenings.promotion_exists(tx, row.promotion):
            continue
        done = [
            _tell_finished(tx, row, detail, store_id, now)
            for store_id in promotion_rows.stores_of(tx, row.promotion)
        ]
        if not all(done) and waits_before is None:
            waits_before = row.number - 1
    if waits_before is not None:
        return max(after, waits_before)
    return rows[-1].number if len(rows) == _MOVES_A_STEP else max(after, last)


def _tell_finished(
    tx: Connection, row: PromotionRow, detail: dict[str, Any], store_id: StoreId, now: datetime
) -> bool:
    """Sum a promotion up in a store; False while labels are on their way and have time."""
    once = f"finished/{row.number}/{store_id}"
    if happenings.is_there(tx, once):
        return True
    progress = progress_of(tx, row.promotion, now, only=store_id)
    if progress.stragglers_in_all and now - row.at < FINISH_PATIENCE:
        return False
    event = Happened(
        type=EventType.PROMOTION_FINISHED,
        store_id=store_id,
        at=now,
        once=once,
        data={
            "promotion": row.promotion,
            "outcome": detail["to"],
            "version": detail.get("version"),
            "ended_at": instant_text(row.at),
            "labels": progress.labels,
            "counts": progress.counts,
            "stragglers": progress.stragglers_in_all,
            "behind": [
                {"label": one.label_id, "gateway": one.gateway_id, "reason": one.reason}
                for one in progress.stragglers[:NAMED_MOST]
            ],
        },
    )
    happenings.put_happenings(tx, [event])
    return True
