"""When promotions run, by brute force: minute after minute of a zone's own clock.

Nothing here knows `esl.domain.promotion.window`. A zone is a row of minutes, each with what its
clock reads. Hours begin at the first minute at which the clock reads their beginning or later,
and end with the last minute at which it reads their end, or behind the last that reads less: so a
time shown twice begins early and ends late, and one that is skipped is the turn of the clock.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Minutes = NDArray[np.int64]

MINUTE = timedelta(minutes=1)
DAY_MIN = 1440
_TURNS_AT_MIN = 15
"""Clocks are turned at quarters of an hour, in these years everywhere."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE = datetime(1970, 1, 1)  # noqa: DTZ001  as a clock on the wall reads
_THURSDAY = 3  # 1970-01-01


def minute_of(moment: datetime) -> int:
    """Number a moment, in minutes since 1970."""
    return (moment - _EPOCH) // MINUTE


def moment_of(minute: int) -> datetime:
    """Return the moment of a minute."""
    return _EPOCH + minute * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Days and hours on which something runs, all by the store's own clock."""

    begins: datetime
    ends: datetime
    weekdays: frozenset[int]
    hours: tuple[tuple[time, time], ...]


class Wall:
    """What a zone's clock reads, each minute of some years."""

    def __init__(self, zone: str, since: datetime, until: datetime) -> None:
        self.first = minute_of(since)
        count = minute_of(until) - self.first
        here = ZoneInfo(zone)
        offsets = np.empty(count, np.int64)
        for start in range(0, count, DAY_MIN):
            stop = min(start + DAY_MIN, count)
            first, last = (_offset_min(moment_of(self.first + n), here) for n in (start, stop))
            offsets[start:stop] = first
            if first != last:  # a clock is turned at most once a day
                for n in range(start, stop, _TURNS_AT_MIN):
                    offset = _offset_min(moment_of(self.first + n), here)
                    offsets[n : min(n + _TURNS_AT_MIN, stop)] = offset
        self.reads: Minutes = np.arange(self.first, self.first + count, dtype=np.int64) + offsets
        self._most = np.maximum.accumulate(self.reads)
        self._least = np.minimum.accumulate(self.reads[::-1])[::-1]

    def begins(self, reads: Minutes) -> Minutes:
        """Return the places of the first minutes that read so much or more."""
        return np.searchsorted(self._most, reads, side="left")

    def ends(self, reads: Minutes) -> Minutes:
        """Return the places of the last minutes that read so much, or less and are over then."""
        behind = np.searchsorted(self._least, reads, side="right")
        last = self.reads[np.clip(behind - 1, 0, None)]
        return np.where(last == reads, behind - 1, behind)

    def runs(self, hours: Hours) -> list[tuple[datetime, datetime]]:
        """List the unbroken times in which something runs."""
        [opens] = self.begins(np.array([_reads(hours.begins)])).tolist()
        [closes] = self.ends(np.array([_reads(hours.ends)])).tolist()
        held = np.zeros(max(closes - opens, 0) + 1, np.int8)
        first_day = _reads(hours.begins) // DAY_MIN - 2
        days = np.arange(first_day, _reads(hours.ends) // DAY_MIN + 2)
        if hours.weekdays:
            days = days[np.isin((days + _THURSDAY) % 7, sorted(hours.weekdays))]
        for begins, ends in hours.hours or ((time(), time()),):
            first, last = _minute(begins), _minute(ends)
            last += DAY_MIN if last <= first else 0
            starts, stops = self.begins(days * DAY_MIN + first), self.ends(days * DAY_MIN + last)
            for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
                held[max(start - opens, 0) : max(stop - opens, 0)] = 1
        held[-1] = 0
        turns = np.flatnonzero(np.diff(held, prepend=0)).tolist()
        moments = [moment_of(self.first + opens + turn) for turn in turns]
        return list(zip(moments[::2], moments[1::2], strict=True))


@cache
def wall_of(zone: str, since: datetime, until: datetime) -> Wall:
    """Read a zone's clock once."""
    return Wall(zone, since, until)


def _offset_min(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.astimezone(zone).utcoffset()
    if offset is None:
        raise AssertionError("a zone has an offset at every moment")
    return offset // MINUTE


def _minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _reads(local: datetime) -> int:
    return (local - _NAIVE) // MINUTE
