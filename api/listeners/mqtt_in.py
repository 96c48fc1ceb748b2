"""Listening for price changes over MQTT: stored first, acknowledged then.

::

    sources of the kind mqtt? ─▶ nobody else listens? ─▶ connect, subscribe esl/v1/in/+
         ┌──────────────────────────────────────────────────────────┘
         └▶ messages ─▶ one transaction ─commit─▶ acknowledged ─▶ results, labels told
                             │
                             └ the database is away: they wait, and so does the broker

One process listens at a time: the one that holds the session's row. It renews its hold, and each
transaction of messages asks for it; who has lost it stores nothing any more.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from api.books import Books
from api.listeners.mqtt_in_session import UNACKED_MOST, InSession, open_session
from api.listeners.mqtt_in_take import Outcome, SessionLost, refuse_all, take_group
from esl.domain.errors import EslError, Unavailable
from esl.domain.ids import LabelId
from esl.domain.mqtt_in import InMessage, result_topic
from esl.store import mqtt_in
from esl.store.writer import Priority
from gateway.mqtt import BrokerAddress, MqttError

LOOK_EVERY_S = 2.0
"""Whether there are sources, and whether another process has stopped to listen."""

HELD = timedelta(seconds=20)
"""So long the others wait for a process that was killed."""

_KEEP_EVERY_S = 5.0
GROUP_MOST = UNACKED_MOST
GROUP_BYTES = 1024 * 1024
TRIES_MOST = 3
"""A message that the database itself will not have so often is refused; while the database is
away, messages wait."""

_PAUSE_FIRST_S, _PAUSE_LONGEST_S = 0.25, 10.0

log = structlog.get_logger()


def _nobody(_labels: Sequence[LabelId]) -> None:
    pass


class MqttIn:
    """Listens in one process, under the name of the installation."""

    def __init__(
        self,
        books: Books,
        broker: BrokerAddress,
        *,
        tell: Callable[[list[LabelId]], None] = _nobody,
    ) -> None:
        self._books = books
        self._broker = broker
        self._client_id = ""
        self._tell = tell
        self._holder = secrets.token_hex(8)
        self._problem: str | None = None
        self.is_listening = False
        self._session: InSession | None = None
        self.taken = 0  # messages, by this process
        self.repeated = 0  # of them, those that had been stored before

    async def run(self) -> None:
        """Listen until cancelled, whatever becomes of the broker."""
        pause_s = _PAUSE_FIRST_S
        try:
            while True:
                try:
                    if await asyncio.to_thread(self._may_listen):
                        await self._listen()
                    pause_s = LOOK_EVERY_S
                except MqttError as exc:
                    await self._note_problem(str(exc))
                    pause_s = min(pause_s * 2, _PAUSE_LONGEST_S)
                except Unavailable as exc:
                    log.warning("messages wait", why=str(exc))
                    pause_s = LOOK_EVERY_S
                await asyncio.sleep(pause_s)
        finally:
            await asyncio.to_thread(self._let_go)

    def drop_connection(self) -> None:
        """Connect anew, on the loop's next turn: the broker may know more of us than we of it."""
        if self._session is not None:
            self._session.drop()

    # -- who listens -----------------------------------------------------------------------------

    def _may_listen(self) -> bool:
        with self._books.database.read() as tx:
            if not mqtt_in.has_sources(tx):
                return False
            self._client_id = mqtt_in.client_id_of(tx)
        return self._hold(force=self._books.database.is_sqlite)

    def _hold(self, *, force: bool = False) -> bool:
        now = self._books.clock.now()

        def work(tx: Connection) -> bool:
            return mqtt_in.hold_session(
                tx, self._client_id, self._holder, now, until=now + HELD, force=force
            )

        return self._books.writer.write(work, priority=Priority.CHANGE)

    def _let_go(self) -> None:
        now = self._books.clock.now()
        with contextlib.suppress(EslError):  # else the others wait for `HELD`
            self._books.writer.write(
                lambda tx: mqtt_in.let_session_go(tx, self._client_id, self._holder, now)
            )

    async def _keep(self, session: InSession) -> None:
        """Renew the hold; end the connection when it is lost, or nobody is to be heard."""
        while True:
            await asyncio.sleep(_KEEP_EVERY_S)
            try:
                if await asyncio.to_thread(self._may_listen):
                    continue
            except Unavailable as exc:
                log.warning("messages wait", why=str(exc))
                continue
            session.end()
            return

    # -- listening -------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async with open_session(self._broker, self._client_id) as session:
            log.info("listening for messages", broker=str(self._broker), client=self._client_id)
            await self._note_problem("")
            if not session.is_resumed:
                await asyncio.to_thread(self._forget_marks)
            self.is_listening, self._session = True, session
            keeping = asyncio.create_task(self._keep(session), name="mqtt hold")
            try:
                while group := await session.next_group(GROUP_MOST, GROUP_BYTES):
                    await self._take(session, group)
            finally:
                self.is_listening, self._session = False, None
                keeping.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await keeping

    def _forget_marks(self) -> None:
        self._books.writer.write(lambda tx: mqtt_in.forget_marks(tx, self._client_id, self._holder))

    async def _take(self, session: InSession, group: list[InMessage]) -> None:
        """Store messages, however long the database is away; then acknowledge them.

        Raises:
            SessionLost: Another process listens by now.
            MqttError: The connection has ended while they waited; they come again.
        """
        pause_s = _PAUSE_FIRST_S
        failures = 0
        while True:
            try:
                if failures < TRIES_MOST:
                    outcomes = await asyncio.to_thread(self._store, group)
                else:
                    outcomes = await asyncio.to_thread(self._refuse, group)
                break
            except SessionLost:
                raise
            except Unavailable as exc:
                log.warning("messages wait", count=len(group), why=str(exc))
            except SQLAlchemyError:
                failures += 1
                log.exception("messages cannot be stored", count=len(group), tries=failures)
                if len(group) > 1:
                    for message in group:
                        await self._take(session, [message])
                    return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _PAUSE_LONGEST_S)
            if session.lost.is_set():
                raise MqttError("the connection to the broker has ended")
        self._answer(session, outcomes)

    def _store(self, group: Sequence[InMessage]) -> list[Outcome]:
        now = self._books.clock.now()

        def work(tx: Connection) -> list[Outcome]:
            return take_group(
                tx, self._client_id, self._holder, group, now, marks_most=UNACKED_MOST
            )

        return self._books.writer.write(work, priority=Priority.BULK)

    def _refuse(self, group: Sequence[InMessage]) -> list[Outcome]:
        now: datetime = self._books.clock.now()
        return self._books.writer.write(lambda tx: refuse_all(tx, group, now))

    def _answer(self, session: InSession, outcomes: Sequence[Outcome]) -> None:
        labels: list[LabelId] = []
        refused: list[Outcome] = []
        for outcome in outcomes:
            session.acknowledge(outcome.message)
            labels.extend(outcome.labels)
            self.repeated += outcome.was_taken_before
            if outcome.refusal is not None:
                refused.append(outcome)
            if outcome.answer and (source := outcome.message.source) is not None:
                session.publish(result_topic(source), outcome.answer, outcome.message.correlation)
        self.taken += len(outcomes)
        if refused:
            first = refused[0]
            log.warning(
                "messages refused",
                count=len(refused),
                source=first.message.source,
                reason=first.refusal,
                detail=first.detail,
            )
        if labels:
            self._tell(labels)

    async def _note_problem(self, words: str) -> None:
        if words == self._problem:
            return
        if words:
            log.warning("no messages can be heard", broker=str(self._broker), why=words)
        with contextlib.suppress(Unavailable):
            await asyncio.to_thread(
                self._books.writer.write,
                lambda tx: mqtt_in.note_problem(tx, self._client_id, words),
            )
            self._problem = words
