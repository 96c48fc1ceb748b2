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
from simulator.moment import Moment
from simulator.picture import Refusal

LATEST_MS = 48 * 24 * 3600 * 1000
"""How far ahead an instant may lie: 48 days (ESLS 1.0, implausible absolute time)."""
_AGAIN_MS = 1000  # before a gateway without power, or a label that paints, is asked again


@dataclass(slots=True, eq=False)
class Timed:
    """A pending show of one label. ``handed_s``: when the label has it, monotonic."""

    command_id: int
    label: SimLabel
    entry: ShowEntry
    at_ms: int
    handed_s: float


class TimedShows:
    """The pending shows of a gateway's labels.

    Args:
        agenda: Where instants are noted.
        fire: Shows one whose instant has come; says False where it cannot just now.
        kept: How many it keeps for a label.
    """

    def __init__(self, agenda: Agenda, fire: Callable[[Timed, Moment], bool], kept: int) -> None:
        self._agenda = agenda
        self._fire = fire
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
        timed = Timed(command_id, label, entry, at_ms, label.next_wake_s(now.monotonic_s))
        pending[:] = sorted([*others, timed], key=lambda one: one.at_ms)
        self._agenda.note(at_ms + label.clock_off_ms, lambda then: self._come(timed, then))
        return None

    def cancel(self, label_id: str, rev: int, now: Moment) -> None:
        """Drop a pending show, unless the label has it and cannot be told in time."""
        pending = self._pending.get(label_id, [])
        for timed in [one for one in pending if one.entry.rev == rev]:
            label = timed.label
            tell_s = label.next_wake_s(now.monotonic_s) - now.monotonic_s
            handed = timed is pending[0] and timed.handed_s <= now.monotonic_s
            too_late = now.wall_ms + tell_s * 1000 >= timed.at_ms + label.clock_off_ms
            if not handed or (label.answers and not too_late):
                pending.remove(timed)

    def drop_label(self, label_id: str) -> None:
        """Forget a label's pending shows."""
        self._pending.pop(label_id, None)

    def _come(self, timed: Timed, now: Moment) -> None:
        pending = self._pending.get(timed.entry.label, [])
        if timed not in pending:
            return  # cancelled or replaced
        if not self._fire(timed, now):
            self._agenda.note(now.wall_ms + _AGAIN_MS, lambda then: self._come(timed, then))
            return
        pending.remove(timed)
        if pending:  # the label has room for the next one, once it listens
            pending[0].handed_s = timed.label.next_wake_s(now.monotonic_s)
        else:
            del self._pending[timed.entry.label]


def is_plausible(at_ms: int, now: Moment) -> bool:
    """Say whether an instant lies ahead, and at most 48 days."""
    return now.wall_ms < at_ms <= now.wall_ms + LATEST_MS
