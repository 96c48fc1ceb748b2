"""What one process lets the others know at once: labels are due, something has changed.

    ring ─▶ gathered for `GATHER_S` ─▶ NOTIFY ═▶ LISTEN ─▶ heard, in every other process

Over PostgreSQL's own channel, on one connection a process, in a thread. Rings are sent after the
commit and not within it: a transaction that notifies makes every other one that does wait for its
commit, over the whole database, and prices arrive in many. A ring that is lost costs a second,
for everyone who listens polls as well; after a pause on the line everyone is rung once.

One ring cannot wait: who may do what has changed. It is sent within the transaction that changes
it (`ring_within`), so that no crash comes between, and it is rare. A process believes what it
knows of tokens and secrets only while its bell ``listens``.
"""

import os
import select
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from esl.domain.ids import LabelId
from esl.domain.touch import Touch
from esl.store.database import Database
from esl.store.upsert import in_batches

CHANNEL: Final = "esl_ring"

GATHER_S = 0.05
"""Rings of this long become one: at most twenty messages a second, however many prices come."""

ENTRIES_MOST = 100
"""Labels in one message: PostgreSQL takes up to 8,000 bytes, and an id has up to 64."""

_LINE_TRIED_S = 30.0
_AGAIN_AFTER_S = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """What others should look at.

    ``due``: labels may be due. ``leases``: gateways are new, or were given back by their worker.
    ``gateways`` came on the line or went off it. ``labels`` look different to people, and
    ``touched`` is what people did to labels. ``access``: a token was revoked, or a source, its
    secret or its switch has changed.
    """

    due: bool = False
    leases: bool = False
    gateways: bool = False
    labels: frozenset[LabelId] = frozenset()
    touched: tuple[Touch, ...] = ()
    access: bool = False

    def __or__(self, other: "Ring") -> "Ring":
        return Ring(
            due=self.due or other.due,
            leases=self.leases or other.leases,
            gateways=self.gateways or other.gateways,
            labels=self.labels | other.labels,
            touched=self.touched + other.touched,
            access=self.access or other.access,
        )


SILENCE: Final = Ring()
EVERYTHING: Final = Ring(due=True, leases=True, gateways=True, access=True)
"""What is rung after a pause, when nobody knows what was missed."""


def ring_within(tx: Connection, ring: Ring) -> None:
    """Ring with the commit of a transaction, every process and this one; for what is rare.

    Nobody hears it where nobody else can be: SQLite has one process.
    """
    if tx.dialect.name == "postgresql":
        for payload in payloads_of(ring):
            tx.execute(
                text("SELECT pg_notify(:channel, :payload)"),
                {"channel": CHANNEL, "payload": payload},
            )


def payloads_of(ring: Ring) -> Iterator[str]:
    """Write a ring as the payloads of one or more messages."""
    rest = replace(ring, labels=frozenset(), touched=())
    if rest != SILENCE:
        yield _written(rest)
    for labels in in_batches(sorted(ring.labels), ENTRIES_MOST):
        yield _written(Ring(labels=frozenset(labels)))
    for touched in in_batches(ring.touched, ENTRIES_MOST // 5):
        yield _written(Ring(touched=tuple(touched)))


def read_payload(payload: str) -> Ring:
    """Read what `payloads_of` wrote; silence where another version wrote what is not known."""
    try:
        return msgspec.json.decode(payload, type=Ring)
    except msgspec.DecodeError:
        return SILENCE


def _written(ring: Ring) -> str:
    return msgspec.json.encode(ring).decode()


class Bell:
    """One process's bell on a PostgreSQL database; start it, ring it, close it.

    ``heard`` is called in the bell's thread, with what others rang. ``monotonic_s`` measures how
    long rings are gathered.
    """

    def __init__(
        self,
        database: Database,
        *,
        monotonic_s: Callable[[], float],
        heard: Callable[[Ring], None],
    ) -> None:
        self._database = database
        self._monotonic_s = monotonic_s
        self._heard = heard
        self.listens = False  # whether what others ring reaches us
        self._lock = threading.Lock()
        self._waiting = SILENCE
        self._closing = threading.Event()
        self._wake_end, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def ring(self, ring: Ring) -> None:
        """Let the other processes know; returns at once, from any thread."""
        with self._lock:
            was_silent, self._waiting = self._waiting == SILENCE, self._waiting | ring
        if was_silent and ring != SILENCE:
            self._stir()

    def close(self) -> None:
        """Stop listening; what was rung last may be lost."""
        self._closing.set()
        self._stir()
        if self._thread.is_alive():
            self._thread.join()
        os.close(self._wake)
        os.close(self._wake_end)

    def _stir(self) -> None:
        try:
            os.write(self._wake, b"!")
        except BlockingIOError:
            pass  # it has been stirred often enough

    # -- in the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        errors = (SQLAlchemyError, self._database.reading.dialect.loaded_dbapi.Error)
        was_down = False
        while not self._closing.is_set():
            try:
                self._serve(began_again=was_down)
            except errors as exc:
                if not was_down:
                    log.warning("wake-ups wait for the database", reason=type(exc).__name__)
                was_down = True
                self._closing.wait(_AGAIN_AFTER_S)

    def _serve(self, *, began_again: bool) -> None:
        borrowed = self._database.reading.raw_connection()
        line: Any = borrowed.driver_connection
        borrowed.detach()
        try:
            line.rollback()
            line.autocommit = True
            line.execute(f"LISTEN {CHANNEL}")
            if began_again:
                log.info("wake-ups are back")
                self._heard(EVERYTHING)
            self._listen(line)
        finally:
            self.listens = False
            line.close()

    def _listen(self, line: Any) -> None:
        """Pass rings on and out, until we close or the line breaks."""
        ours = line.info.backend_pid

        def hear(notice: Any) -> None:
            if notice.pid != ours:
                self._heard(read_payload(notice.payload))

        line.add_notify_handler(hear)
        self._heard(Ring(access=True))  # what was believed before may have ended unheard
        self.listens = True
        out_not_before_s = 0.0
        while not self._closing.is_set():
            waiting = self._waiting != SILENCE
            rest_s = max(0.0, out_not_before_s - self._monotonic_s()) if waiting else _LINE_TRIED_S
            # While rings are gathered, only others are listened to.
            ends = [line.fileno()] if waiting and rest_s else [line.fileno(), self._wake_end]
            ready = select.select(ends, [], [], rest_s)[0]
            if self._wake_end in ready:
                os.read(self._wake_end, 4096)
            if self._closing.is_set():
                return
            if self._monotonic_s() >= out_not_before_s and (payloads := self._take()):
                out_not_before_s = self._monotonic_s() + GATHER_S
                _send(line, payloads)
            elif line.fileno() in ready or not ready:
                line.execute("SELECT 1")  # hands what has come to `hear`, and tries the line

    def _take(self) -> list[str]:
        with self._lock:
            ring, self._waiting = self._waiting, SILENCE
        return [] if ring == SILENCE else list(payloads_of(ring))


def _send(line: Any, payloads: Iterable[str]) -> None:
    for payload in payloads:
        line.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))
