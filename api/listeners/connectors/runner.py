"""Running connectors: one page at a time, each committed with the place behind it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from api.listeners.connectors.errors import ShopBusy, ShopError, ShopRefused
from api.listeners.connectors.place import Connector, Page, read_page
from api.listeners.listened import Listened, Said, Take, read_bodies
from api.listeners.own_thread import in_own_thread
from esl.domain.clock import EffectiveClock
from esl.domain.errors import EslError, Unavailable
from esl.domain.ids import LabelId
from esl.store import connectors
from esl.store.connectors import ConnectorState
from esl.store.database import Database
from esl.store.writer import Priority, Writer

HOLD = timedelta(minutes=5)
"""How long one step may take before another process may try; a killed one is waited for as long."""

WANTS_AT_ONCE = 50
REFUSED_PAUSE = timedelta(minutes=15)
BACK_OFF_FIRST_S, BACK_OFF_LAST_S = 10, 900
SAID_FROM = 3
"""So many failures in a row are a problem; one or two are the internet."""

LOOK_EVERY_S = 1.0
AT_ONCE = 4

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """A source with its connector: how often it is asked, and how often for everything.

    ``shop`` tells one shop from another: a place in one means nothing in the other, so that with
    another address everything is read from the beginning.
    """

    source: Listened
    connector: Connector
    shop: str = ""
    every: timedelta = timedelta(minutes=1)
    whole_every: timedelta = timedelta(days=1)


class HoldLost(Unavailable):
    """Another process runs the connector by now; nothing was written here."""


def _nobody(*_: object) -> None:
    pass


class ConnectorRunner:
    """Runs connectors in threads. ``tell`` gets the labels that changed.

    ``note_read`` is called with each run that was read to its end, whatever had changed.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        clock: EffectiveClock,
        take: Take,
        *,
        polled: Callable[[], Sequence[Polled]],
        note_read: Callable[[Connection, str, datetime], None] = _nobody,
        tell: Callable[[list[LabelId]], None] = _nobody,
    ) -> None:
        self._database = database
        self._writer = writer
        self._clock = clock
        self._take = take
        self._polled = polled
        self._note_read = note_read
        self._tell = tell
        self._wanted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """Say that a connector was made due. May be called by any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wanted.set)

    async def run(self) -> None:
        """Run whatever is due, `AT_ONCE` side by side, until cancelled."""
        self._loop = asyncio.get_running_loop()
        turns = asyncio.Semaphore(AT_ONCE)
        running: set[str] = set()

        async def step(polled: Polled) -> None:
            try:
                async with turns:
                    await in_own_thread(lambda: self.step(polled), name="connector")
            except Unavailable as exc:  # of the database; the hold runs out and it is tried again
                log.warning("connector waits", source=polled.source.source_id, why=str(exc))
            finally:
                running.discard(polled.source.source_id)

        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wanted.clear()
                for polled in await asyncio.to_thread(self._due_or_none):
                    name = polled.source.source_id
                    if name not in running:
                        running.add(name)
                        tasks.create_task(step(polled), name=f"connector {name}")
                try:
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._wanted.wait()
                except TimeoutError:
                    continue

    def _due_or_none(self) -> list[Polled]:
        try:
            return self._due()
        except Unavailable:
            return []  # whoever writes says it loudly enough

    def _due(self) -> list[Polled]:
        known = {polled.source.source_id: polled for polled in self._polled()}
        if not known:
            return []
        with self._database.read() as tx:
            due = connectors.due_sources(tx, self._clock.now(), list(known))
        return [known[name] for name in due]

    def step(self, polled: Polled) -> bool:
        """Read one page, or note why not; False if the connector was not ours to run."""
        now = self._clock.now()
        name, until = polled.source.source_id, now + HOLD
        state = self._writer.write(
            lambda tx: connectors.claim_connector(tx, name, now, until=until)
        )
        if state is None:
            return False
        try:
            wants = self._writer.write(
                lambda tx: connectors.list_wants(tx, name, limit=WANTS_AT_ONCE)
            )
            bodies = polled.connector.objects(wants) if wants else []
            shop, _, cursor = state.cursor.partition("|")
            is_same = shop == polled.shop
            page = read_page(
                polled.connector,
                cursor=cursor if is_same else "",
                progress=state.progress if is_same else "",
                whole=state.whole_at is None or now - state.whole_at >= polled.whole_every,
            )
        except ShopError as exc:
            self._note_failure(state, exc, until)
            return True
        finally:
            polled.connector.close()
        said = read_bodies(polled.source, [*bodies, *page.bodies])
        after = self._state_after(state, page, polled)
        try:
            self._commit(polled, said, after, wants, now, until)
        except Unavailable:
            raise
        except EslError as exc:  # its source is switched off, its store is gone
            self._note_failure(state, ShopRefused(str(exc)), until)
            return True
        if state.problem:
            log.info("connector is back", source=name)
        return True

    def _state_after(self, state: ConnectorState, page: Page, polled: Polled) -> ConnectorState:
        now = self._clock.now()
        cursor = f"{polled.shop}|{page.cursor}"
        went_on = replace(state, cursor=cursor, progress=page.progress, attempts=0, problem="")
        if page.progress:
            return replace(went_on, due_at=now)
        return replace(
            went_on,
            due_at=now + polled.every,
            read_at=now,
            whole_at=now if page.whole else state.whole_at,
            runs=state.runs + 1,
        )

    def _commit(
        self,
        polled: Polled,
        said: Said,
        after: ConnectorState,
        wants: list[str],
        began: datetime,
        until: datetime,
    ) -> None:
        name = polled.source.source_id

        def work(tx: Connection) -> list[LabelId]:
            heard = self._take(tx, name, said.entries, self._clock.now())
            connectors.end_wants(tx, name, wants, asked_until=began)
            is_unread = (said.rejected or heard.refused) and not heard.taken
            if not after.progress and not is_unread:
                self._note_read(tx, name, self._clock.now())
            if not connectors.save_state(tx, after, held_until=until):
                raise HoldLost("another process runs this connector; nothing was stored")
            return list(heard.labels)

        labels = self._writer.write(work, priority=Priority.BULK)
        if labels:
            self._tell(labels)

    def _note_failure(self, state: ConnectorState, exc: ShopError, until: datetime) -> None:
        now = self._clock.now()
        attempts = min(state.attempts + 1, 1000)
        words, progress = str(exc), state.progress
        match exc:
            case ShopBusy():
                due, words = now + timedelta(seconds=exc.wait_s), state.problem
            case ShopRefused():
                due, progress = now + REFUSED_PAUSE, ""  # its pages may be what it refuses
            case _:
                back_off_s = min(BACK_OFF_FIRST_S * 2 ** min(attempts - 1, 10), BACK_OFF_LAST_S)
                due = now + timedelta(seconds=back_off_s)
                words = words if attempts >= SAID_FROM else state.problem
        failed = replace(state, due_at=due, attempts=attempts, problem=words, progress=progress)
        self._writer.write(lambda tx: connectors.save_state(tx, failed, held_until=until))
        if words and not state.problem:
            log.warning("connector fails", source=state.source, why=words)
