"""What time alone makes due. One synchronous step, a few seconds apart.

Gateways that fell silent go off the line, the effective clock's high water is kept so that a
restart never acts earlier than the run before it, and answers to old requests are forgotten.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from esl.domain.clock import HELD_ABOVE, EffectiveClock
from esl.domain.ids import GatewayId
from esl.store import answers, migrate, places
from esl.store.write_group import Priority, Writes
from gateway.roster import Roster

ANSWERS_KEPT = timedelta(hours=48)
"""How long a repeated request with its idempotency key gets the same answer."""

FORGETS_AFTER_S = 3600.0
"""How long a run forgets no answer. A start believes the wall clock, which may have leapt days
ahead since the last run; whoever still waits for an answer asks again well within this time."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step did: the gateways it took off the line."""

    silent: tuple[GatewayId, ...] = ()


class HouseClock:
    """The controller's sense of time passing; `step` is called by one thread at a time."""

    def __init__(self, *, writer: Writes, roster: Roster, clock: EffectiveClock) -> None:
        self._writer = writer
        self._roster = roster
        self._clock = clock
        self._silent: set[GatewayId] = set()  # off the line, and the database does not know yet
        self._said_held = False
        self._began_s = clock.monotonic_s()

    def step(self) -> Step:
        """Do what is due.

        Raises:
            Unavailable: The database did not answer; the next step does it.
        """
        self._silent.update(self._roster.note_silence(self._clock.monotonic_s()))
        silent = sorted(self._silent - self._roster.online())
        now = self._clock.now()
        self._watch_clock()
        forgets = self._clock.monotonic_s() - self._began_s >= FORGETS_AFTER_S

        def keep(tx: Connection) -> None:
            _keep(tx, silent, now)
            if forgets:
                answers.forget_answers(tx, now - ANSWERS_KEPT)

        self._writer.write(keep, priority=Priority.HOUSEKEEPING)
        self._silent.clear()
        for gateway_id in silent:
            log.warning("gateway fell silent", gateway=gateway_id)
        return Step(silent=tuple(silent))

    def _watch_clock(self) -> None:
        """Say once that the machine's clock cannot be followed, and once that it can again.

        Where another process of the installation acts by a later time already, a person
        confirmed it there, or it began by it: then ours is right as well.
        """
        if self._clock.held and self._acted_until() > self._clock.wall() - HELD_ABOVE:
            self._clock.confirm()
        if self._clock.held == self._said_held:
            return
        self._said_held = self._clock.held
        if self._said_held:
            log.error("the clock of this machine is more than a day ahead and is not followed")
        else:
            log.info("the clock of this machine is followed again")

    def _acted_until(self) -> datetime:
        """Return the latest time that any process of the installation acted by."""
        return self._writer.write(migrate.time_acted_until, priority=Priority.HOUSEKEEPING)


def _keep(tx: Connection, silent: list[GatewayId], now: datetime) -> None:
    migrate.note_time_acted(tx, now)
    for gateway_id in silent:
        places.note_gateway_offline(tx, gateway_id)
