"""What is forgotten in time, a little at a time, by how far history has aged.

==================== ======== ================================================================
commands, flips      30 days  that are over
webhooks             14 days  that are over: so long a repeat is recognised
messages of events   14 days  that are over; and 300 of each subscription at most
touches of labels    30 days
happenings           30 days
messages to people   30 days  that are over
refused messages     30 days  and 2,000 of them at most
sign-in links        30 days  that are over
problems             90 days  that ended
remove tasks         90 days  that were done
prices for later     90 days  that are over
proposals            90 days  that became no price
pictures             90 days  last sent then, and nothing refers to them any more
files of folders     400 days that are gone
quarantine, batches  400 days that were decided about; all
changes of zones     400 days that all their stores were told
steps of pairings    400 days
visits of links      400 days
what was issued      400 days below what a label showed then
signed payloads      400 days
display log          400 days but never what a label showed then, or shows
failures             400 days the time in which a verdict may be asked for; after 30 days those of
                              a label that has failed a hundred times since
price events         as set   at least 400 days; never what held then, or has held since
the audit            as set   at least 1,100 days
paper tickets         90 days after they were taken away
inspections          400 days what was decided and seen stays in the audit
battery samples      400 days a year's trend, and the winter before; never a label's newest
==================== ======== ================================================================

Prices and the audit go by whole months, and how far is noted first, in the audit itself: so who
verifies the chain knows what may be missing. `esl.services.keeping` says of every table what
becomes of it.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Protocol

from sqlalchemy import Connection

from esl.domain.chain import RecordKind
from esl.domain.ids import Digest
from esl.domain.keeping import Keeping
from esl.domain.pairing import CONTROLLER
from esl.store import (
    audit,
    commands,
    event_deliveries,
    flips,
    forgotten,
    happenings,
    hook_inbox,
    inspections,
    mqtt_in,
    notifications,
    pairing_events,
    paper_tickets,
    problems,
    proposals,
    published,
    retention,
    retention_intake,
    schedule,
    seen_files,
    short_links,
    touches,
    zone_tasks,
)
from esl.store.chain_records import NAMES
from esl.store.columns import instant_text
from esl.store.database import Database
from esl.store.retention import FRAME_PARTS, Found, Place
from esl.store.write_group import Priority, Writes

ORDERS_KEPT = timedelta(days=30)
HOOKS_KEPT = timedelta(days=14)
PROBLEMS_KEPT = timedelta(days=90)
PICTURES_KEPT = timedelta(days=90)
HISTORY_KEPT = timedelta(days=400)

ROWS_A_STEP = retention.ROWS_A_STEP


class Forget(Protocol):
    """Forgets rows from before a moment, at most so many, and says how many went."""

    def __call__(self, tx: Connection, before: datetime, *, most: int) -> int:
        """Do so."""
        ...


class Find(Protocol):
    """Finds rows from before a moment, from a place on."""

    def __call__(self, tx: Connection, before: datetime, *, place: Place | None) -> Found:
        """Do so."""
        ...


Prune = Callable[[Connection, Sequence[Place], datetime], int]
"""Deletes rows that were found, and says how many went."""


class Forgetting:
    """One round of forgetting, in steps of some milliseconds; used by one thread at a time.

    A round goes through all tables once. `step` says whether there is more to do.
    """

    def __init__(
        self, *, database: Database, writer: Writes, keeping: Keeping | None = None
    ) -> None:
        self._database = database
        self._writer = writer
        self._keeping = keeping or Keeping()
        self._round: Iterator[int] | None = None
        self.removed = 0  # rows, since this process began

    def step(self, now: datetime, aged: datetime) -> bool:
        """Forget a little; False once the round is over, and the next call begins another.

        ``now`` is what is written down, ``aged`` until when history has aged: rows go by that.

        Raises:
            Unavailable: The database did not answer; the round begins anew.
        """
        if self._round is None:
            self._round = self._go_round(now, aged)
        try:
            self.removed += next(self._round)
        except StopIteration:
            self._round = None
            return False
        except BaseException:
            self._round = None
            raise
        return True

    def _go_round(self, now: datetime, aged: datetime) -> Iterator[int]:
        history = aged - HISTORY_KEPT
        for forget, kept in _BY_AGE:
            yield from self._forget_by_age(forget, aged - kept)
        for find, prune in _BY_LOOKING:
            yield from self._forget_by_looking(find, prune, history)
        for kind, kept, find, prune in (
            (RecordKind.PRICE, self._keeping.prices, *_OF_PRICES),
            (RecordKind.AUDIT, self._keeping.audit, *_OF_THE_AUDIT),
        ):
            yield from self._forget_noted(kind, _month_of(aged - kept), find, prune, now)
        while removed := self._write(lambda tx: retention.prune_failures(tx, history)):
            yield removed
        yield from self._forget_by_looking(
            retention.find_many_failures, retention.prune_many_failures, aged - ORDERS_KEPT
        )
        for part in FRAME_PARTS:
            yield from self._forget_frames(part, aged - PICTURES_KEPT)

    def _forget_by_age(self, forget: Forget, before: datetime) -> Iterator[int]:
        removed = ROWS_A_STEP
        while removed >= ROWS_A_STEP:
            removed = self._write(lambda tx: forget(tx, before, most=ROWS_A_STEP))
            yield removed

    def _forget_by_looking(self, find: Find, prune: Prune, before: datetime) -> Iterator[int]:
        """Look for old rows without holding anybody up, and delete what was found."""
        place: Place | None = None
        while True:
            with self._database.read() as tx:
                found = find(tx, before, place=place)
            if rows := found.rows:
                yield self._write(partial(_pruned, prune=prune, rows=rows, before=before))
            else:
                yield 0
            if (place := found.next_place) is None:
                return

    def _forget_noted(
        self, kind: RecordKind, before: datetime, find: Find, prune: Prune, now: datetime
    ) -> Iterator[int]:
        """Note how far records may go, where some are older, and forget up to there."""
        with self._database.read() as tx:
            noted = forgotten.forgotten_to(tx).get(kind)
            is_new = noted is None or noted < before
            if is_new and not find(tx, before, place=None).rows:
                return  # a young shop's audit says nothing of it
        if is_new:
            yield self._write(partial(_note, kind=kind, before=before, now=now))
        elif noted is not None:
            before = noted  # the owner keeps them longer now; what was begun is ended
        yield from self._forget_by_looking(find, prune, before)

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


def _note(tx: Connection, *, kind: RecordKind, before: datetime, now: datetime) -> int:
    forgotten.note_forgotten(tx, kind, before)
    audit.note(
        tx,
        now,
        actor=CONTROLLER,
        action=forgotten.FORGOTTEN,
        subject=NAMES[kind],
        detail={"before": instant_text(before)},
    )
    return 0


def _month_of(moment: datetime) -> datetime:
    """Return the beginning of a month, UTC: twelve notes a year are enough."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _pruned(tx: Connection, *, prune: Prune, rows: Sequence[Place], before: datetime) -> int:
    return prune(tx, rows, before)


_BY_AGE: Final[Sequence[tuple[Forget, timedelta]]] = (
    (commands.forget_commands, ORDERS_KEPT),
    (flips.forget_flips, ORDERS_KEPT),
    (touches.forget_touches, ORDERS_KEPT),
    (happenings.forget_happenings, ORDERS_KEPT),
    (notifications.forget_messages, ORDERS_KEPT),
    (hook_inbox.forget_events, HOOKS_KEPT),
    (event_deliveries.forget_deliveries, HOOKS_KEPT),
    (mqtt_in.forget_refused, ORDERS_KEPT),
    (retention_intake.forget_links, ORDERS_KEPT),
    (problems.forget_problems, PROBLEMS_KEPT),
    (retention_intake.forget_tasks, PROBLEMS_KEPT),
    (schedule.forget_done, PROBLEMS_KEPT),
    (proposals.forget_proposals, PROBLEMS_KEPT),
    (paper_tickets.forget_tickets, PROBLEMS_KEPT),
    (seen_files.forget_files, HISTORY_KEPT),
    (retention_intake.forget_decided, HISTORY_KEPT),
    (retention_intake.forget_batches, HISTORY_KEPT),
    (zone_tasks.forget_changes, HISTORY_KEPT),
    (pairing_events.forget_events, HISTORY_KEPT),
    (short_links.forget_visits, HISTORY_KEPT),
    (inspections.forget_inspections, HISTORY_KEPT),
    (published.forget_payloads, HISTORY_KEPT),
)

_BY_LOOKING: Final[Sequence[tuple[Find, Prune]]] = (
    (retention.find_old_lines, retention.prune_display_log),
    (retention.find_old_issues, retention.prune_issued),
    (retention.find_old_samples, retention.prune_battery_samples),
)
_OF_PRICES: Final[tuple[Find, Prune]] = (forgotten.find_old_prices, forgotten.prune_prices)
_OF_THE_AUDIT: Final[tuple[Find, Prune]] = (forgotten.find_old_entries, forgotten.prune_entries)
