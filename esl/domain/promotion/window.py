"""When a promotion runs: days and hours of the store's own clock, and the instants they become.

::

    begins 2 March 08:00 ──────────────────────────────────────── ends 28 March 20:00
             Mon Tue Wed Thu Fri          weekdays: the day on which the hours begin
             ▂▂  ▂▂  ▂▂  ▂▂  ▂▂           hours 22:00–02:00 go on after midnight
             └┬┘                          a *run*: [begins, ends), one unbroken time
              edges: where a run begins, where it ends

Runs that touch are one. What a clock that is turned does to them: `wall_time`. A window is kept as
the store's clock reads, so that a law that changes a zone changes the instants and not the plan.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from esl.domain.promotion.wall_time import begin_of, end_of

_DAY: Final = timedelta(days=1)
_LOOK_BACK: Final = 16 * _DAY
"""A run of a window that has pauses is shorter: it repeats each week, and a clock that is turned
can close one pause, so that two weeks without one are the most."""

_LAST_DAY: Final = date(9990, 1, 1)
_DAY_S: Final = 86_400
_WEEK_S: Final = 7 * _DAY_S


class Hours(NamedTuple):
    """Hours of a day; ``ends`` not after ``begins`` is on the next day, the same is a whole day."""

    begins: time
    ends: time


_WHOLE_DAY: Final = (Hours(time(), time()),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a promotion runs, by the store's clock: naive, in whole seconds.

    ``ends`` is the first moment it holds no longer. None: it began already, it has no end.
    """

    begins: datetime | None = None
    ends: datetime | None = None
    weekdays: frozenset[int] = frozenset()  # 0 is Monday; none is every day
    hours: tuple[Hours, ...] = ()  # none is the whole day

    @property
    def has_pauses(self) -> bool:
        """Say whether it stops and begins again, as its clock reads."""
        if not self.weekdays and not self.hours:
            return False
        week: list[tuple[int, int]] = []
        for day in self.weekdays or range(7):
            for hours in self.hours or _WHOLE_DAY:
                begins = day * _DAY_S + _seconds(hours.begins)
                ends = begins + (_seconds(hours.ends) - _seconds(hours.begins) - 1) % _DAY_S + 1
                week += [(begins, ends), (begins - _WEEK_S, ends - _WEEK_S)]
        covered = 0
        for begins, ends in sorted(week):
            if begins > covered:
                return True
            covered = max(covered, ends)
        return covered < _WEEK_S


ALWAYS: Final = Window()


class Run(NamedTuple):
    """An unbroken time in which a promotion runs; None is open."""

    begins: datetime | None
    ends: datetime | None

    def holds_at(self, moment: datetime) -> bool:
        """Say whether it runs at a moment."""
        return (self.begins is None or self.begins <= moment) and (
            self.ends is None or moment < self.ends
        )


class Turn(StrEnum):
    """What happens at an edge."""

    BEGINS = "begins"
    ENDS = "ends"


class Edge(NamedTuple):
    """An instant at which a promotion begins or ceases to run."""

    at: datetime
    turn: Turn


def runs(
    window: Window, zone: ZoneInfo, begins: datetime, ends: datetime | None = None
) -> Iterator[Run]:
    """Yield the runs that share a moment with [``begins``, ``ends``), whole, in their order.

    Without ``ends`` they go on as long as the window does; take as many as are needed.
    """
    opens = begin_of(window.begins, zone) if window.begins is not None else None
    closes = end_of(window.ends, zone) if window.ends is not None else None
    if (closes is not None and (closes <= begins or (opens is not None and closes <= opens))) or (
        ends is not None and opens is not None and opens >= ends
    ):
        return
    if not window.has_pauses:
        yield Run(opens, closes)
        return
    start = begins if opens is None else max(begins, opens)
    for run in _joined(_occurrences(window, zone, start - _LOOK_BACK)):
        if (ends is not None and run[0] >= ends) or (closes is not None and run[0] >= closes):
            return
        from_ = run[0] if opens is None else max(run[0], opens)
        until = run[1] if closes is None else min(run[1], closes)
        if until > begins and from_ < until:
            yield Run(from_, until)


def run_at(window: Window, zone: ZoneInfo, moment: datetime) -> Run | None:
    """Return the run that holds at a moment; None where it does not run then."""
    found = next(runs(window, zone, moment), None)
    return found if found is not None and found.holds_at(moment) else None


def edges(
    window: Window, zone: ZoneInfo, begins: datetime, ends: datetime | None = None
) -> Iterator[Edge]:
    """Yield the edges in [``begins``, ``ends``) in their order; without ``ends`` all that follow.

    Runs never touch, so no two edges are at one instant.
    """
    for run in runs(window, zone, begins - _DAY, ends):
        if run.begins is not None and begins <= run.begins:
            yield Edge(run.begins, Turn.BEGINS)
        if run.ends is not None and begins <= run.ends and (ends is None or run.ends < ends):
            yield Edge(run.ends, Turn.ENDS)


def next_edge(window: Window, zone: ZoneInfo, after: datetime) -> Edge | None:
    """Return the first edge later than ``after``; None where none follows."""
    return next((edge for edge in edges(window, zone, after) if edge.at > after), None)


def ever_runs(window: Window, zone: ZoneInfo) -> bool:
    """Say whether a window has any run at all."""
    return next(runs(window, zone, _FIRST), None) is not None


_FIRST: Final = datetime(1990, 1, 1, tzinfo=UTC)


def _seconds(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _occurrences(
    window: Window, zone: ZoneInfo, since: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield each day's hours from a day on, as instants, in the order in which they begin."""
    day = since.astimezone(zone).date()
    hours = sorted(window.hours or _WHOLE_DAY)
    while day < _LAST_DAY:
        if not window.weekdays or day.weekday() in window.weekdays:
            for one in hours:
                last = day if one.ends > one.begins else day + _DAY
                begins = begin_of(datetime.combine(day, one.begins), zone)
                ends = end_of(datetime.combine(last, one.ends), zone)
                if begins < ends:
                    yield begins, ends
        day += _DAY


def _joined(
    spans: Iterator[tuple[datetime, datetime]],
) -> Iterator[tuple[datetime, datetime]]:
    """Join spans that overlap or touch."""
    held: tuple[datetime, datetime] | None = None
    for span in spans:
        if held is None:
            held = span
        elif span[0] <= held[1]:
            held = (held[0], max(held[1], span[1]))
        else:
            yield held
            held = span
    if held is not None:
        yield held
