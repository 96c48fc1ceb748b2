"""Promotions by chance, and what the oracle knows of each: where it runs when."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tests.proof.edge_oracle import Hours


@dataclass(slots=True, eq=False)
class Planned:
    """A promotion as the oracle knows it: where it runs when, and what became of it."""

    name: str
    slot: int
    place: int
    edges: dict[str, list[datetime]]  # by zone: beginning, end, beginning, end …
    scheduled_at: datetime
    began: bool = False

    def holds(self, zone: str, at: datetime) -> bool:
        """Say whether it runs at a moment: an odd number of edges has come."""
        return bisect_right(self.edges[zone], at) % 2 == 1

    def moments(self, zone: str, after: datetime, until: datetime) -> list[datetime]:
        """List the edges after a moment, up to another."""
        here = self.edges[zone]
        return here[bisect_right(here, after) : bisect_right(here, until)]

    def following(self, zone: str, after: datetime) -> list[datetime]:
        """List the first edge after a moment, if there is one."""
        here = self.edges[zone]
        place = bisect_right(here, after)
        return here[place : place + 1]

    @property
    def ends(self) -> datetime:
        """The last edge in any zone."""
        return max((here[-1] for here in self.edges.values() if here), default=self.scheduled_at)


def invent_hours(random: Random, acted: datetime) -> Hours:
    """Invent when a promotion runs that is planned at a moment."""
    day = acted.astimezone(ZoneInfo("UTC")).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=None
    )
    begins = day + timedelta(days=random.randint(-1, 3), minutes=random.randrange(1440))
    hours: tuple[tuple[time, time], ...] = tuple(
        (_time_of_day(random), _time_of_day(random)) for _ in range(random.choice((0, 1, 1, 2)))
    )
    some = random.sample(range(7), random.randint(1, 6)) if random.random() < 0.5 else []
    length = timedelta(days=random.randint(2, 90), minutes=random.randrange(1440))
    return Hours(begins=begins, ends=begins + length, weekdays=frozenset(some), hours=hours)


def _time_of_day(random: Random) -> time:
    """Of the day, and often of the hours in which clocks are turned."""
    hour = random.choice((0, 1, 2, 3, 4, 23)) if random.random() < 0.5 else random.randrange(24)
    return time(hour, random.choice((0, 15, 30, 45, random.randrange(60))))
