"""Keeps the audit chain while a controller runs: seals, signs, writes down, publishes.

Sealing takes a fiftieth of a core: after each piece of work it rests 49 times as long. While much
waits it takes more, so that what waits stays bounded: `api.audit.pace`.
"""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from api.audit.files import AuditFolder, checkpoint_line, is_signed_by
from api.audit.pace import rest_s
from api.books import Books
from api.clock import MachineClock
from api.syslog.sender import Syslog
from esl.domain.chain import Checkpoint
from esl.domain.errors import SetupError, Unavailable
from esl.services.ageing import aged_by
from esl.services.cutting import Cutting
from esl.services.sealing import Sealing
from esl.settings import Settings
from esl.store import chain
from gateway.mqtt import MqttConnection, MqttError
from gateway.wire.signing import SigningKey
from gateway.wire.topics import ROOT

TOPIC: Final = f"{ROOT}/audit/checkpoint"
"""Where the newest checkpoint stands, retained."""

LOOK_EVERY_S: Final = 5.0
_FORGET_EVERY_S: Final = 86_400.0
_FORGET_FIRST_S: Final = 7200.0  # so does one that is started anew each day, after the old rows

log = structlog.get_logger()


class AuditKeeper:
    """Runs in every controller that answers HTTP; several beside each other make one chain.

    A worker's does not seal: it writes down, says and publishes what those have signed.
    """

    def __init__(
        self,
        settings: Settings,
        books: Books,
        key: SigningKey,
        mqtt: MqttConnection | None,
        *,
        syslog: Syslog | None = None,
        seals: bool = True,
    ) -> None:
        self._books = books
        self._key = key
        self._mqtt = mqtt
        self._syslog = syslog
        self._seals = seals
        self._machine = MachineClock()
        self._folder = AuditFolder(settings.data_dir)
        self._sealing = Sealing(database=books.database, writer=books.writer, clock=books.clock)
        self._written_to: int | None = None  # block of the last checkpoint in the folder
        self._published: tuple[int, int] | None = None  # connection and checkpoint
        self._said: tuple[int, int] | None = None  # the same of the syslog server
        self._forget_at_s = self._machine.monotonic_s() + _FORGET_FIRST_S

    async def run(self) -> None:
        """Seal until cancelled."""
        loop = asyncio.get_running_loop()
        said = False
        with ThreadPoolExecutor(1, "audit") as thread:  # its end waits for the last step
            while True:
                pause_s = LOOK_EVERY_S
                try:
                    pause_s, newest = await loop.run_in_executor(thread, self._step)
                    if newest is not None:
                        self._say(newest)
                        await self._publish(newest)
                    said = False
                except (Unavailable, SetupError) as exc:
                    if not said:
                        log.warning("the audit chain waits", reason=str(exc))
                    said = True
                await asyncio.sleep(pause_s)

    def _step(self) -> tuple[float, Checkpoint | None]:
        """Do a piece of work; return how long to rest, and the newest checkpoint."""
        began_s, worked_s = self._machine.monotonic_s(), self._machine.thread_cpu_s()
        if self._seals and self._sealing.step():
            worked_s = self._machine.thread_cpu_s() - worked_s
            return rest_s(worked_s, self._sealing.backlog), None
        self.checkpoint()
        if self._seals and began_s >= self._forget_at_s:
            self._forget_at_s = began_s + _FORGET_EVERY_S
            self.forget()
        with self._books.database.read() as tx:
            return LOOK_EVERY_S, chain.last_checkpoint(tx)

    def forget(self) -> None:
        """Let go of the chain what nobody needs any more: hashes, then blocks without any.

        Raises:
            Unavailable: The database did not answer; another day.
        """
        with self._books.database.read() as tx:
            aged = aged_by(tx, self._books.clock.now())
        self._sealing.keep_whole_hashes()
        self._sealing.forget_leaves(aged)
        trusted = self._folder.trusted()
        cutting = Cutting(
            database=self._books.database,
            writer=self._books.writer,
            clock=self._books.clock,
            is_trusted=lambda cut: is_signed_by(cut, trusted),
        )
        if gone := cutting.cut(self._key.sign, self._key.public_key, aged):
            log.info("blocks of the audit chain were cut", blocks=gone)

    def checkpoint(self) -> None:
        """Sign the head if it is time, and write down outside the database what is missing there.

        Raises:
            Unavailable: The database did not answer.
            SetupError: The folder cannot be written.
        """
        if self._written_to is None:
            self._folder.note_key(self._key.public_key)
            self._written_to = self._folder.last_number()
        if self._seals:
            self._sealing.checkpoint(self._key.sign, self._key.public_key)
        with self._books.database.read() as tx:
            new = chain.checkpoints_from(tx, self._written_to + 1)
        if not new:
            return
        trusted = self._folder.trusted()
        for one in new:
            if not is_signed_by(one, trusted):
                log.error("a checkpoint in the database is not ours", number=one.number)
                return
        self._folder.append(new)
        self._written_to = new[-1].number

    def _say(self, newest: Checkpoint) -> None:
        """Send the newest to syslog, again on each connection: it may have been lost with the last.

        One that was lost is covered by the next: a checkpoint speaks for all blocks before it.
        """
        if self._syslog is None:
            return
        # The first message is what makes the first connection: it counts for that.
        now = (max(1, self._syslog.connections), newest.number)
        if now != self._said:
            self._syslog.say_checkpoint(
                checkpoint_line(newest), self._books.clock.now(), newest.number
            )
            self._said = now

    async def _publish(self, newest: Checkpoint) -> None:
        """Publish the newest checkpoint, once on each connection: a broker may forget."""
        mqtt = self._mqtt
        if mqtt is None or not mqtt.connected.is_set():
            return
        now = (mqtt.connections, newest.number)
        if now == self._published:
            return
        self._published = now
        payload = checkpoint_line(newest).encode()
        with contextlib.suppress(MqttError):  # its access rules may not let us; files have it
            await mqtt.publish(TOPIC, payload, retain=True)
