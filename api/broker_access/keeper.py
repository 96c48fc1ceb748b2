"""Keeps the broker's access rules current while the controller runs.

::

    the books change ──▶ rung, or looked at within 5 s ──▶ files written, broker told to read them
                                                      └──▶ dynamic security told over MQTT

Whatever goes wrong is said once and tried again: a broker that is away must not stop prices.
"""

import asyncio
import math
import os
import shlex
import signal
import subprocess
from pathlib import Path

import structlog
from sqlalchemy import Connection

from api.books import Books
from api.broker_access.books import Known, known_logins, with_hashes
from api.broker_access.dynamic_security import open_control
from api.broker_access.mosquitto_files import (
    PASSWORDS,
    RULES,
    acl_text,
    password_text,
    write_files,
)
from api.broker_access.password_file import read_hashes
from esl.domain.errors import SetupError
from esl.settings import Settings
from esl.store import broker_logins
from gateway.mqtt import BrokerAddress, MqttError

LOOK_S = 5.0
_RELOADS = 2
_RELOADS_APART_S = 1.0
"""mosquitto 2.0.11 forgets a SIGHUP that comes while it reads its files for the one before. So they
are kept apart, and each change is followed by a second one at the next look."""

_RELOAD_LONGEST_S = 30.0
_BROKER_PROGRAM = "mosquitto"

log = structlog.get_logger()


class BrokerKeeper:
    """Tells one broker who may do what; made by the house, where a setting asks for it."""

    def __init__(self, settings: Settings, books: Books, broker: BrokerAddress) -> None:
        self._settings = settings
        self._books = books
        self._broker = broker
        self._changed = asyncio.Event()
        self._told: tuple[object, ...] | None = None
        self._trouble: str | None = None
        self._reloads_due = _RELOADS  # a start may follow a crash between writing and telling
        self._reloaded_s = -math.inf

    @property
    def is_needed(self) -> bool:
        """Say whether a setting asks for it."""
        return self._settings.broker_files is not None or bool(self._settings.broker_control_url)

    @property
    def words(self) -> str:
        """Say how the broker comes to know of a change, for whoever made it."""
        settings = self._settings
        if settings.broker_control_url:
            return "told now; it ends the session of a login that was revoked or changed"
        if settings.broker_files is None:
            return "not kept by us: change its rules by hand, or set broker_files (docs/broker.md)"
        if settings.broker_pid_file is None and not settings.broker_reload_command:
            return "its files are written now; have it read them again, which ends the session"
        return "its files are written and it reads them again now, which ends the session"

    def look(self) -> None:
        """Look at the books now: logins have changed. Called on the loop."""
        self._changed.set()

    async def run(self) -> None:
        """Keep the broker's rules current until cancelled; at once where none are kept."""
        while self.is_needed:
            self._changed.clear()
            try:
                await self.keep()
            except (SetupError, MqttError) as exc:
                if str(exc) != self._trouble:
                    log.warning("the broker's access rules are not current", why=str(exc))
                self._trouble = str(exc)
            else:
                if self._trouble is not None:
                    log.info("the broker's access rules are current again")
                self._trouble = None
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def keep(self) -> None:
        """Bring the broker up to the books, once.

        Raises:
            SetupError: Files cannot be written, or the broker not be told to read them.
            MqttError: Its dynamic security refused, or did not answer.
        """
        known = await asyncio.to_thread(self._read)
        if (folder := self._settings.broker_files) is not None:
            if await asyncio.to_thread(write_current_files, folder, known):
                self._reloads_due = _RELOADS
                log.info("the broker's access rules were written", logins=len(known.logins))
            if self._reloads_due:
                await self._reload()
        if self._settings.broker_control_url:
            await self._tell(known)

    async def _reload(self) -> None:
        clock = self._books.clock
        wait_s = self._reloaded_s + _RELOADS_APART_S - clock.monotonic_s()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        self._reloaded_s = clock.monotonic_s()
        await asyncio.to_thread(reload_broker, self._settings)
        self._reloads_due -= 1

    def _read(self) -> Known:
        with self._books.database.read() as tx:
            return known_logins(tx, self._settings, self._broker)

    async def _tell(self, known: Known) -> None:
        state = (known.logins, tuple((one.username, one.sealed) for one in known.untold))
        if state == self._told and not known.untold:
            return
        address = BrokerAddress.from_url(self._settings.broker_control_url or "")
        renewed = {one.username for one in known.untold}
        async with open_control(address) as control:
            told = await control.tell(known.logins, known.passwords, renewed=renewed)
        now = self._books.clock.now()

        def note(tx: Connection) -> None:
            broker_logins.note_told(tx, known.untold, now)

        await asyncio.wrap_future(self._books.writer.submit(note))
        self._told = (known.logins, ())
        if told:
            log.info("the broker was told who may do what", done=len(told))


def write_current_files(folder: Path, known: Known) -> bool:
    """Write the password and rules files; say whether they have changed.

    Raises:
        SetupError: They cannot be written.
    """
    passwords = folder / PASSWORDS
    try:
        held = read_hashes(passwords.read_text("utf-8")) if passwords.is_file() else {}
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(f"{passwords} cannot be read; remove it to have it made anew") from exc
    logins = with_hashes(known, held)
    return write_files(folder, {RULES: acl_text(logins), PASSWORDS: password_text(logins)})


def reload_broker(settings: Settings) -> None:
    """Have mosquitto read its files again, in the way the settings say; nothing if in none.

    Raises:
        SetupError: It could not be told.
    """
    if settings.broker_pid_file is not None:
        _signal(settings.broker_pid_file)
    if settings.broker_reload_command:
        _run(settings.broker_reload_command)


def _signal(pid_file: Path) -> None:
    try:
        pid = int(pid_file.read_text("ascii").strip())
        # A number that was given to another program since must not end that one.
        program = Path(f"/proc/{pid}/comm").read_text("utf-8").strip()
    except (OSError, ValueError) as exc:
        raise SetupError(f"broker_pid_file: {pid_file} names no process that runs") from exc
    if program != _BROKER_PROGRAM:
        raise SetupError(f"broker_pid_file: {pid_file} names a process of {program[:40]!r}")
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as exc:
        raise SetupError(
            f"mosquitto (process {pid}) may not be signalled ({exc.strerror}); set "
            f"broker_reload_command in place of broker_pid_file"
        ) from exc


def _run(command: str) -> None:
    try:
        words = shlex.split(command)
        done = subprocess.run(  # noqa: S603  the words of the administrator's own settings
            words, capture_output=True, timeout=_RELOAD_LONGEST_S, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as exc:
        raise SetupError(f"broker_reload_command could not be run: {type(exc).__name__}") from exc
    if done.returncode:
        raise SetupError(f"broker_reload_command ended with {done.returncode}")
