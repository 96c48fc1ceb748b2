"""Webhooks: kept before they are answered, worked on afterwards, each once.

    door ──store_event──▶ inbox ──next_events──▶ work ──▶ end, in the transaction of its effects

An event that cannot be read, or that has been tried `TRIES_MOST` times, is poisoned: it stays for
a person to look at and no longer holds up those behind it. The person has it tried again, once
its cause is mended, or puts it away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from esl.domain.errors import Conflict, Unavailable
from esl.domain.ids import SourceId
from esl.store import audit, connectors, hook_inbox, sources
from esl.store.hook_inbox import HookState, NewHookEvent, StoredHookEvent

PATIENCE = timedelta(seconds=30)
"""How long one may work on an event before another takes it."""

TRIES_MOST = 5
EVENTS_AT_ONCE = 100
INBOX_LONGEST = 20_000
"""Open events of one source beyond this are refused; its sender comes again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHook:
    """What a caller is told: ``number`` is the same for each repeat of an event."""

    number: int
    is_new: bool


def store_event(tx: Connection, event: NewHookEvent, now: datetime) -> StoredHook:
    """Keep a genuine event, once."""
    number, is_new = hook_inbox.add_event(tx, event, now)
    return StoredHook(number=number, is_new=is_new)


def check_room(tx: Connection, source: str) -> None:
    """Refuse more of a source that nobody keeps up with.

    Raises:
        Unavailable: `INBOX_LONGEST` of its events wait.
    """
    if hook_inbox.count_open(tx, source) >= INBOX_LONGEST:
        raise Unavailable("too many events of this source wait; nothing was stored")


def next_events(
    tx: Connection, now: datetime, *, limit: int = EVENTS_AT_ONCE
) -> list[StoredHookEvent]:
    """Take the events to work on now, in the order of their arrival, and poison the hopeless."""
    claimed = hook_inbox.claim_events(tx, now, again=now + PATIENCE, limit=limit)
    hopeless = [event for event in claimed if event.attempts > TRIES_MOST]
    for event in hopeless:
        hook_inbox.end_event(
            tx, event, HookState.POISONED, now, error=f"given up after {TRIES_MOST} tries"
        )
    return [event for event in claimed if event.attempts <= TRIES_MOST]


def want_fetch(tx: Connection, source: str, objects: tuple[str, ...], now: datetime) -> None:
    """Ask a connector to look now; its answer will say what an event did not."""
    connectors.add_wants(tx, source, objects, now)
    connectors.make_due(tx, source, now)


def retry_events(
    tx: Connection, source: SourceId, numbers: Sequence[int], now: datetime, *, actor: str
) -> int:
    """Have poisoned events worked on once more, all or none; return how many.

    Raises:
        UnknownSource: There is no such source.
        NotFound: An event is not there.
        Conflict: One is not poisoned.
    """
    return _decide(tx, source, numbers, now, actor=actor, action="hooks_retried")


def drop_events(
    tx: Connection, source: SourceId, numbers: Sequence[int], now: datetime, *, actor: str
) -> int:
    """Put poisoned events away, all or none; return how many. Raises what `retry_events` does."""
    return _decide(tx, source, numbers, now, actor=actor, action="hooks_dropped")


def _decide(
    tx: Connection,
    source: SourceId,
    numbers: Sequence[int],
    now: datetime,
    *,
    actor: str,
    action: Literal["hooks_retried", "hooks_dropped"],
) -> int:
    held = sources.source_named(tx, source)
    decided = sorted(set(numbers))
    do = hook_inbox.retry_event if action == "hooks_retried" else hook_inbox.drop_event
    for number in decided:
        event = hook_inbox.event_numbered(tx, source, number)
        if not do(tx, number, now):
            raise Conflict(f"the event {number} is not poisoned: it is {event.state}")
    audit.note(
        tx,
        now,
        actor=actor,
        action=action,
        subject=f"source/{source}",
        store_id=held.store_id,
        detail={"events": decided},
    )
    return len(decided)
