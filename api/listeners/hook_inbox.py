"""Working on webhooks after they were answered.

claim ─▶ read ─▶ Mapped  entries taken, event done           one transaction
                 Thin    connector made due, event done      one transaction
                 Gone, Noise                                 noted
                 InvalidInput                                poisoned, others go on
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Connection

from api.listeners.listened import FindListened, Listened, Said, Take, read_bodies
from esl.domain.clock import EffectiveClock
from esl.domain.errors import EslError, InvalidInput, Unavailable
from esl.domain.ids import LabelId
from esl.intake.hooks.events import Gone, Mapped, Meaning, Noise, StoredEvent, Thin, read_event
from esl.intake.hooks.verifiers import HookKind
from esl.services import hooks
from esl.store import hook_inbox
from esl.store.hook_inbox import HookState, StoredHookEvent
from esl.store.writer import Priority, Writer

LOOK_EVERY_S = 5.0
"""The net: events are worked on when their arrival is told, and those of a crash by this."""

OVERTAKEN = "newer words of its source were taken since, and it does not say when it was said"
"""An old price must not come over a newer one because a person had it tried again."""

log = structlog.get_logger()


class ClaimLost(Unavailable):
    """Somebody else works on the event by now; nothing of it was done here."""


def _nobody(*_: object) -> None:
    pass


class HookInbox:
    """Works on events in the order of their arrival; one for each process that may.

    ``tell`` gets the labels that changed, ``wake_connectors`` is called after a thin event.
    """

    def __init__(
        self,
        writer: Writer,
        clock: EffectiveClock,
        find: FindListened,
        take: Take,
        *,
        tell: Callable[[list[LabelId]], None] = _nobody,
        wake_connectors: Callable[[], None] = _nobody,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._find = find
        self._take = take
        self._tell = tell
        self._wake_connectors = wake_connectors
        self._arrived = asyncio.Event()

    def wake(self) -> None:
        """Say that an event was stored; called on the loop."""
        self._arrived.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._arrived.clear()
            try:
                while await asyncio.to_thread(self.work_once):
                    pass
            except Unavailable as exc:
                log.warning("webhooks wait", why=str(exc))
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._arrived.wait()
            except TimeoutError:
                continue

    def work_once(self) -> int:
        """Work on the events that are due, in their order; return how many there were.

        One that could not be done now holds back those behind it until it is tried again.
        """
        now = self._clock.now()
        events = self._writer.write(lambda tx: hooks.next_events(tx, now), priority=Priority.BULK)
        waiting: set[str] = set()
        for event in events:
            if event.source in waiting:
                continue
            try:
                self._work(event)
            except Unavailable as exc:
                waiting.add(event.source)
                log.warning(
                    "webhook waits", source=event.source, number=event.hook_key, why=str(exc)
                )
            except EslError as exc:  # its source is switched off, its store is gone
                self._end(event, HookState.POISONED, str(exc))
        return len(events) if not waiting else 0

    def _work(self, event: StoredHookEvent) -> None:
        source = self._find(event.source)
        if source is None:
            self._end(event, HookState.POISONED, "its source is no longer registered")
            return
        try:
            meaning = _meaning_of(event)
        except InvalidInput as exc:
            self._end(event, HookState.POISONED, str(exc))
            return
        match meaning:
            case Mapped(bodies=bodies):
                self._apply(event, source, read_bodies(source, bodies))
            case Thin(objects=objects) if source.is_polled:
                self._fetch(event, objects)
            case Thin():
                self._end(
                    event,
                    HookState.POISONED,
                    "it says only that something changed; set up the source's connector",
                )
            case Gone(objects=objects):
                gone = ", ".join(objects[:5])
                self._end(event, HookState.NOISE, f"deleted there: {gone}; no SKU is named")
            case Noise(reason=reason):
                self._end(event, HookState.NOISE, reason)

    def _apply(self, event: StoredHookEvent, source: Listened, said: Said) -> None:
        rejected = "; ".join(f"{bad.field or 'body'}: {bad.reason}" for bad in said.rejected[:3])
        if not said.entries:
            state = HookState.POISONED if rejected else HookState.NOISE
            self._end(event, state, rejected or "the mapping finds no product in it")
            return

        has_times = all(e.source_time is not None or e.source_seq is not None for e in said.entries)

        def work(tx: Connection) -> list[LabelId]:
            now = self._clock.now()
            is_again = event.state is HookState.AGAIN and not has_times
            if is_again and hook_inbox.was_overtaken(tx, event):
                _end(tx, event, HookState.POISONED, now, OVERTAKEN)
                return []
            heard = self._take(tx, source.source_id, said.entries, now)
            words = "; ".join(filter(None, (rejected, *heard.refused[:3])))
            state = HookState.DONE if heard.taken else HookState.POISONED
            _end(tx, event, state, now, words)
            return list(heard.labels)

        labels = self._writer.write(work, priority=Priority.BULK)
        if labels:
            self._tell(labels)

    def _fetch(self, event: StoredHookEvent, objects: tuple[str, ...]) -> None:
        def work(tx: Connection) -> None:
            now = self._clock.now()
            hooks.want_fetch(tx, event.source, objects, now)
            _end(tx, event, HookState.DONE, now, "")

        self._writer.write(work, priority=Priority.BULK)
        self._wake_connectors()

    def _end(self, event: StoredHookEvent, state: HookState, words: str) -> None:
        now = self._clock.now()
        self._writer.write(
            lambda tx: _end(tx, event, state, now, words), priority=Priority.HOUSEKEEPING
        )
        if state is HookState.POISONED:
            log.warning("webhook poisoned", source=event.source, number=event.hook_key, why=words)


def _meaning_of(event: StoredHookEvent) -> Meaning:
    return read_event(
        StoredEvent(
            kind=HookKind(event.system),
            body=event.body,
            topic=event.topic,
            headers=event.headers,
        )
    )


def _end(
    tx: Connection, event: StoredHookEvent, state: HookState, now: datetime, words: str
) -> None:
    """End an event in the transaction of its effects.

    Raises:
        ClaimLost: It is not ours any more; the effects are taken back with this transaction.
    """
    if not hook_inbox.end_event(tx, event, state, now, error=words):
        raise ClaimLost("another process works on it")
