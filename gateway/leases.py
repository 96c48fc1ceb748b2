"""Which gateways this process speaks with: leases that are renewed, and lost when they are not.

    renew    ask the database              blocking, in a thread
    take     what it said becomes ours     the difference: gained, lost
    lapse    our own clock says it is over the database has not answered for a whole lease

The holder counts its lease from before it asked, the others count it from the database's answer:
a holder that hears nothing stops before anybody else may begin.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from esl.domain.ids import GatewayId
from esl.services import leases
from esl.services.leases import Kept, Leased, WorkerRun
from esl.store.deliveries import DueCount, Share
from esl.store.write_group import Priority, Writes

LEASE_S = 15.0
"""How long a gateway stays with a worker that says nothing more."""

RENEW_S = 5.0
"""Two renewals may fail before a lease is lost."""

_AFTER_AN_END_S = 0.1
"""A look for ended leases comes this much later than their end."""


class Holdings(Protocol):
    """What a dispatcher that is one of several asks, in transactions of its own."""

    def look(
        self, tx: Connection, now: datetime, room: Mapping[GatewayId, int]
    ) -> Sequence[DueCount]:
        """Count what is due to the gateways with room, to each up to its room."""

    def fence(self, tx: Connection, shares: Sequence[Share]) -> Sequence[Share]:
        """Leave out shares of gateways that are others' by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the database said of our leases, and when we asked, in monotonic seconds."""

    kept: Kept
    asked_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Gateways that are ours from now on, with their stores, and those that no longer are."""

    gained: Leased
    lost: frozenset[GatewayId]


class Leases:
    """One worker's leases. `join`, `renew` and `leave` block; the others do not.

    Args:
        writer: Where transactions go.
        worker_id: Its name among the workers.
        monotonic_s: The machine's clock that never goes back.
        lease_s: How long a lease lasts.
    """

    def __init__(
        self,
        *,
        writer: Writes,
        worker_id: str,
        monotonic_s: Callable[[], float],
        lease_s: float = LEASE_S,
    ) -> None:
        self.worker_id = worker_id
        self.held: Leased = {}
        self._writer = writer
        self._monotonic_s = monotonic_s
        self._lease_s = lease_s
        self._run: WorkerRun | None = None
        self._ours_until_s = 0.0

    def renew(self) -> Answer:
        """Prolong what we hold and bring it to our share; joins the others the first time.

        Raises:
            SetupError: Another process took our name.
            Unavailable: The database did not answer.
        """
        asked_s = self._monotonic_s()
        lease = timedelta(seconds=self._lease_s)
        run = self._run

        def ask(tx: Connection) -> tuple[WorkerRun, Kept]:
            joined = run or leases.join(tx, self.worker_id, lease=lease)
            return joined, leases.keep_leases(tx, joined, lease=lease)

        self._run, kept = self._writer.write(ask, priority=Priority.REPORT)
        return Answer(kept=kept, asked_s=asked_s)

    def take(self, answer: Answer) -> Change:
        """Believe an answer; what is gained has another holder's past."""
        self._ours_until_s = answer.asked_s + self._lease_s
        in_time = self._monotonic_s() < self._ours_until_s
        before, now = self.held, dict(answer.kept.held) if in_time else {}
        self.held = now
        return Change(
            gained={g: store for g, store in now.items() if before.get(g) != store},
            lost=frozenset(g for g, store in before.items() if now.get(g) != store),
        )

    def lapse(self) -> Change:
        """Lose everything if the time we were promised is over."""
        if self.held and self._monotonic_s() >= self._ours_until_s:
            return self.drop()
        return Change(gained={}, lost=frozenset())

    def drop(self) -> Change:
        """Lose everything."""
        lost, self.held = frozenset(self.held), {}
        return Change(gained={}, lost=lost)

    def leave(self) -> None:
        """Give everything back.

        Raises:
            Unavailable: The database did not answer; the leases end by themselves.
        """
        run, self._run = self._run, None
        if run is not None:
            self._writer.write(lambda tx: leases.leave(tx, run), priority=Priority.REPORT)

    def look(
        self, tx: Connection, now: datetime, room: Mapping[GatewayId, int]
    ) -> Sequence[DueCount]:
        """Count what is due to gateways of ours."""
        return leases.count_due_of(tx, now, room)

    def fence(self, tx: Connection, shares: Sequence[Share]) -> Sequence[Share]:
        """Leave out shares of gateways that the database says are not ours."""
        held = leases.held_of(tx, self.worker_id, _gateways(shares))
        return [share for share in shares if share.gateway_id in held]


def next_look_s(kept: Kept, *, renew_s: float = RENEW_S) -> float:
    """Say in how many seconds to renew: sooner where a lease of another worker may end."""
    if kept.next_end is None:
        return renew_s
    return min(renew_s, kept.next_end.total_seconds() + _AFTER_AN_END_S)


def _gateways(shares: Iterable[Share]) -> list[GatewayId]:
    return [share.gateway_id for share in shares]
