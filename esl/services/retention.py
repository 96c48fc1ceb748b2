"""What is forgotten in time, a little at a time, by the effective clock.

==================== ======== ================================================================
commands, flips      30 days  that are over
webhooks             14 days  that are over: so long a repeat is recognised
touches of labels    30 days
problems             90 days  that ended
pictures             90 days  last sent then, and nothing refers to them any more
what was issued      400 days below what a label shows
display log          400 days but never a label's newest line
failures             400 days the time in which a verdict may be asked for
battery samples      400 days a year's trend, and the winter before; never a label's newest
==================== ======== ================================================================

Price events and the audit are never forgotten, nor what labels show now.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from esl.domain.ids import Digest
from esl.store import commands, flips, hook_inbox, problems, retention, touches
from esl.store.database import Database
from esl.store.retention import FRAME_PARTS, Place
from esl.store.write_group import Priority, Writes

ORDERS_KEPT = timedelta(days=30)
HOOKS_KEPT = timedelta(days=14)
PROBLEMS_KEPT = timedelta(days=90)
PICTURES_KEPT = timedelta(days=90)
HISTORY_KEPT = timedelta(days=400)

ROWS_A_STEP = retention.ROWS_A_STEP


class Forgetting:
    """One round of forgetting, in steps of some milliseconds; used by one thread at a time.

    A round goes through all tables once. `step` says whether there is more to do.
    """

    def __init__(self, *, database: Database, writer: Writes) -> None:
        self._database = database
        self._writer = writer
        self._round: Iterator[int] | None = None
        self.removed = 0  # rows, since this process began

    def step(self, now: datetime) -> bool:
        """Forget a little; False once the round is over, and the next call begins another.

        Raises:
            Unavailable: The database did not answer; the round begins anew.
        """
        if self._round is None:
            self._round = self._go_round(now)
        try:
            self.removed += next(self._round)
        except StopIteration:
            self._round = None
            return False
        except BaseException:
            self._round = None
            raise
        return True

    def _go_round(self, now: datetime) -> Iterator[int]:
        history = now - HISTORY_KEPT
        yield self._write(lambda tx: _forget_orders(tx, now))
        for prune in (
            retention.prune_display_log,
            retention.prune_issued,
            retention.prune_battery_samples,
        ):
            place: Place | None = None
            while True:
                work = partial(prune, before=history, place=place)
                pruned = self._writer.write(work, priority=Priority.HOUSEKEEPING)
                yield pruned.removed
                if (place := pruned.next_place) is None:
                    break
        while removed := self._write(lambda tx: retention.prune_failures(tx, history)):
            yield removed
        for part in FRAME_PARTS:
            yield from self._forget_frames(part, now - PICTURES_KEPT)

    def _forget_frames(self, part: str, before: datetime) -> Iterator[int]:
        while True:
            with self._database.read() as tx:
                found: list[Digest] = retention.unreferenced_frames(tx, before, part=part)
            if not found:
                yield 0
                return
            work = partial(retention.prune_frames, unreferenced=found, before=before)
            removed = self._write(work)
            yield removed
            if removed == 0 or len(found) < ROWS_A_STEP:
                return

    def _write(self, work: Callable[[Connection], int]) -> int:
        return self._writer.write(work, priority=Priority.HOUSEKEEPING)


def _forget_orders(tx: Connection, now: datetime) -> int:
    return (
        commands.forget_commands(tx, now - ORDERS_KEPT, most=ROWS_A_STEP)
        + flips.forget_flips(tx, now - ORDERS_KEPT, most=ROWS_A_STEP)
        + touches.forget_touches(tx, now - ORDERS_KEPT, most=ROWS_A_STEP)
        + hook_inbox.forget_events(tx, now - HOOKS_KEPT, most=ROWS_A_STEP)
        + problems.forget_problems(tx, now - PROBLEMS_KEPT, most=ROWS_A_STEP)
    )
