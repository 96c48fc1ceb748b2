"""Timed shows that are pending: kept by the gateway, the next one handed to the label.

::

    show at ─▶ pending ─▶ handed to the label, when it next listens ─▶ its instant, by its clock
                 │ cancel (only while the label can still be told)         │
                 ▼                                                         ▼
               dropped                                judged and painted by the label itself

A label keeps one: the earliest. Pending shows survive a reboot of the gateway.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.wire.failures import FailureCode
from gateway.wire.messages import ShowEntry
from simulator.agenda import Agenda
from simulator.label import SimLabel
from simulator.moment import MS_PER_S, Moment
from simulator.picture import Refusal

LATEST_MS = 48 * 24 * 3600 * 1000
"""How far ahead an instant may lie: 48 days (ESLS 1.0, implausible absolute time)."""
_AGAIN_MS = 1000  # before a label that paints is asked again
_HAND_AGAIN_MS = 20_000  # before what nobody could be told is tried once more


@dataclass(slots=True, eq=False)
class Timed:
    """A pending show of one label; ``handed`` once the label itself has it."""

    command_id: int
    label: SimLabel
    entry: ShowEntry
    at_ms: int
    handed: bool = False


class TimedShows:
    """The pending shows of a gateway's labels.

    Args:
        agenda: Where instants are noted.
        fire: Shows one whose instant has come; says False where it cannot just now.
        hears: Says whether a label hears the gateway at this moment.
        kept: How many it keeps for a label.
    """

    def __init__(
        self,
        agenda: Agenda,
        fire: Callable[[Timed, Moment], bool],
        hears: Callable[[SimLabel], bool],
        kept: int,
    ) -> None:
        self._agenda = agenda
        self._fire = fire
        self._hears = hears
        self._kept = kept
        self._pending: dict[str, list[Timed]] = {}  # by label, in the order of their instants

    def count(self) -> int:
        """How many are pending."""
        return sum(map(len, self._pending.values()))

    def arm(
        self, command_id: int, label: SimLabel, entry: ShowEntry, at_ms: int, now: Moment
    ) -> Refusal | None:
        """Keep a show until its instant; one of the same revision is replaced."""
        pending = self._pending.setdefault(entry.label, [])
        others = [timed for timed in pending if timed.entry.rev != entry.rev]
        if len(others) >= self._kept:
            return Refusal(FailureCode.QUEUE_FULL, f"{self._kept} timed shows")
        timed = Timed(command_id, label, entry, at_ms)
        pending[:] = sorted([*others, timed], key=lambda one: one.at_ms)
        self._hand_when_it_listens(pending[0], now)
        self._agenda.note(at_ms + label.clock_off_ms, lambda then: self._come(timed, then))
        return None

    def cancel(self, label_id: str, rev: int, now: Moment) -> None:
        """Drop a pending show, unless the label has it and cannot be told in time."""
        pending = self._pending.get(label_id, [])
        for timed in [one for one in pending if one.entry.rev == rev]:
            label = timed.label
            too_late = _listens_ms(label, now) >= timed.at_ms + label.clock_off_ms
            if not timed.handed or (self._hears(label) and not too_late):
                pending.remove(timed)

    def drop_label(self, label_id: str) -> None:
        """Forget a label's pending shows."""
        self._pending.pop(label_id, None)

    def _come(self, timed: Timed, now: Moment) -> None:
        pending = self._pending.get(timed.entry.label, [])
        if timed not in pending:
            return  # cancelled or replaced
        if not self._fire(timed, now):
            wait_ms = _AGAIN_MS if timed.label.painting is not None else _HAND_AGAIN_MS
            self._agenda.note(now.wall_ms + wait_ms, lambda then: self._come(timed, then))
            return
        pending.remove(timed)
        if pending:  # now the label has room for the next one
            self._hand_when_it_listens(pending[0], now)
        else:
            del self._pending[timed.entry.label]

    def _hand_when_it_listens(self, timed: Timed, now: Moment) -> None:
        at_ms = _listens_ms(timed.label, now)
        if at_ms <= now.wall_ms:
            self._hand(timed, now)
        else:
            self._agenda.note(at_ms, lambda then: self._hand(timed, then))

    def _hand(self, timed: Timed, now: Moment) -> None:
        pending = self._pending.get(timed.entry.label, [])
        if timed.handed or timed not in pending[:1]:
            return
        if self._hears(timed.label):
            timed.handed = True
        elif now.wall_ms + _HAND_AGAIN_MS < timed.at_ms:
            again_ms = now.wall_ms + _HAND_AGAIN_MS
            self._agenda.note(again_ms, lambda then: self._hand_when_it_listens(timed, then))


def _listens_ms(label: SimLabel, now: Moment) -> int:
    """When a label listens next, by the gateway's clock."""
    wait_s = label.next_wake_s(now.monotonic_s) - now.monotonic_s
    return now.wall_ms + round(wait_s * MS_PER_S)


def is_plausible(at_ms: int, now: Moment) -> bool:
    """Say whether an instant lies ahead, and at most 48 days."""
    return now.wall_ms < at_ms <= now.wall_ms + LATEST_MS
