"""When a promotion runs: against a clock that is read minute by minute, on turned days as well."""

from datetime import UTC, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl.domain.promotion.wall_time import begin_of, end_of
from esl.domain.promotion.window import (
    Edge,
    Hours,
    Run,
    Turn,
    Window,
    edges,
    ever_runs,
    next_edge,
    run_at,
    runs,
)

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

TURNED = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-10-04", "2026-04-05"),  # by half an hour
    "Africa/Cairo": ("2026-04-24", "2026-10-30"),  # at midnight
    "Asia/Kathmandu": ("2026-03-29", "2026-10-25"),  # never turned, +05:45
}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


# ── The clock ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("zone", "local", "begins", "ends"),
    [
        ("Europe/Berlin", "2026-06-01 08:00", "2026-06-01 06:00", "2026-06-01 06:00"),
        # Field notes, reliability 3.10: 2026-10-25 02:30 is 00:30Z or 01:30Z.
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30", "2026-10-25 01:30"),
        # … and 2026-03-29 02:30 is never shown: the clock is turned at 01:00Z.
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29 02:00", "2026-03-29 01:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-10-25 02:00", "2026-10-25 00:00", "2026-10-25 01:00"),
        ("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30", "2026-11-01 06:30"),
        ("Africa/Cairo", "2026-04-24 00:00", "2026-04-23 22:00", "2026-04-23 22:00"),
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00", "2011-12-30 10:00"),
    ],
)
def test_a_tie_of_the_clock_goes_in_the_customers_favour(zone, local, begins, ends) -> None:
    assert begin_of(at(local), ZoneInfo(zone)) == utc(begins)
    assert end_of(at(local), ZoneInfo(zone)) == utc(ends)


# ── Runs ────────────────────────────────────────────────────────────────────────────────────


def test_hours_across_midnight_belong_to_the_day_on_which_they_begin() -> None:
    friday = Window(weekdays=frozenset({4}), hours=(Hours(time(22), time(2)),))
    found = next(runs(friday, BERLIN, utc("2026-06-01 00:00")))
    assert found == Run(utc("2026-06-05 20:00"), utc("2026-06-06 00:00"))


def test_a_promotion_from_six_to_nine_is_over_at_nine() -> None:
    """Commercial notes N6: a 06:00–09:00 promotion was still eligible after 09:00."""
    window = Window(hours=(Hours(time(6), time(9)),))
    assert run_at(window, BERLIN, utc("2026-06-01 06:59:59")) is not None
    assert run_at(window, BERLIN, utc("2026-06-01 07:00")) is None


def test_days_that_touch_are_one_run() -> None:
    window = Window(weekdays=frozenset({0, 1, 2}), begins=at("2026-06-01 08:00"))
    first = next(runs(window, BERLIN, utc("2026-06-02 12:00")))
    assert first == Run(utc("2026-06-01 06:00"), utc("2026-06-03 22:00"))


@pytest.mark.parametrize(
    "window",
    [
        Window(),
        Window(weekdays=frozenset(range(7))),
        Window(hours=(Hours(time(6), time(6)),)),
        Window(hours=(Hours(time(6), time(20)), Hours(time(19), time(6)))),
        Window(weekdays=frozenset(range(7)), hours=(Hours(time(), time()),)),
    ],
)
def test_what_covers_the_whole_week_has_no_pauses(window: Window) -> None:
    assert not window.has_pauses
    assert list(runs(window, BERLIN, utc("2026-01-01 00:00"))) == [Run(None, None)]
    assert next_edge(window, BERLIN, utc("2026-01-01 00:00")) is None


@pytest.mark.parametrize(
    "window",
    [
        Window(weekdays=frozenset({0, 1, 2, 3, 4, 5})),
        Window(hours=(Hours(time(6), time(5, 59, 59)),)),
        Window(weekdays=frozenset({6}), hours=(Hours(time(), time()),)),
    ],
)
def test_what_leaves_a_second_of_the_week_has_pauses(window: Window) -> None:
    assert window.has_pauses


def test_hours_that_a_turned_clock_skips_do_not_happen_that_day() -> None:
    night = Window(hours=(Hours(time(2, 10), time(2, 20)),))
    begun = [run.begins for run in islice(runs(night, BERLIN, utc("2026-03-28 00:00")), 2)]
    assert begun == [utc("2026-03-28 01:10"), utc("2026-03-30 00:10")]


def test_hours_that_are_shown_twice_run_from_the_first_to_the_last() -> None:
    night = Window(hours=(Hours(time(2, 10), time(2, 20)),))
    found = run_at(night, BERLIN, utc("2026-10-25 00:50"))
    assert found == Run(utc("2026-10-25 00:10"), utc("2026-10-25 01:20"))


def test_a_week_of_a_promotion_that_passes_the_turned_night_has_every_edge() -> None:
    """06:00–09:00 by the store's clock: the instants move with the clock, the hours do not."""
    window = Window(
        begins=at("2026-10-24 00:00"), ends=at("2026-10-27 00:00"), hours=(Hours(time(6), time(9)),)
    )
    assert list(edges(window, BERLIN, utc("2026-10-01 00:00"))) == [
        Edge(utc("2026-10-24 04:00"), Turn.BEGINS),
        Edge(utc("2026-10-24 07:00"), Turn.ENDS),
        Edge(utc("2026-10-25 05:00"), Turn.BEGINS),
        Edge(utc("2026-10-25 08:00"), Turn.ENDS),
        Edge(utc("2026-10-26 05:00"), Turn.BEGINS),
        Edge(utc("2026-10-26 08:00"), Turn.ENDS),
    ]


def test_the_next_edge_is_later_than_the_moment() -> None:
    window = Window(begins=at("2026-06-01 08:00"), ends=at("2026-06-02 08:00"))
    begins, ends = utc("2026-06-01 06:00"), utc("2026-06-02 06:00")
    assert next_edge(window, BERLIN, begins - MINUTE) == Edge(begins, Turn.BEGINS)
    assert next_edge(window, BERLIN, begins) == Edge(ends, Turn.ENDS)
    assert next_edge(window, BERLIN, ends) is None
    assert list(edges(window, BERLIN, ends, ends + DAY)) == [Edge(ends, Turn.ENDS)]
    assert list(edges(window, BERLIN, begins, ends)) == [Edge(begins, Turn.BEGINS)]


def test_a_window_that_none_of_its_days_falls_into_never_runs() -> None:
    monday = Window(
        begins=at("2026-06-02 00:00"), ends=at("2026-06-07 00:00"), weekdays=frozenset({0})
    )
    assert not ever_runs(monday, BERLIN)
    skipped = Window(begins=at("2026-03-29 02:10"), ends=at("2026-03-29 02:50"))
    assert not ever_runs(skipped, BERLIN)
    assert ever_runs(skipped, ZoneInfo("UTC"))


# ── Against the clock, minute by minute ─────────────────────────────────────────────────────


class Dial:
    """A store's clock, read at every minute of some days."""

    def __init__(self, zone: ZoneInfo, first: datetime, days: int) -> None:
        self.minutes = [first + n * MINUTE for n in range(days * 1440)]
        self.shown = [m.astimezone(zone).replace(tzinfo=None) for m in self.minutes]

    def from_(self, local: datetime) -> int:
        """First minute at which it shows that or later."""
        return next((n for n, s in enumerate(self.shown) if s >= local), len(self.shown))

    def until(self, local: datetime) -> int:
        """The minute at which it shows that for the last time, or jumps over it."""
        late = next((n for n in reversed(range(len(self.shown))) if self.shown[n] <= local), -1)
        if late < 0:
            return 0
        return late if self.shown[late] == local else late + 1

    def holds(self, window: Window) -> list[bool]:
        held = [False] * len(self.minutes)
        opens = self.from_(window.begins) if window.begins else 0
        closes = self.until(window.ends) if window.ends else len(held)
        for day in sorted({s.date() for s in self.shown}):
            if window.weekdays and day.weekday() not in window.weekdays:
                continue
            for hours in window.hours or (Hours(time(), time()),):
                last = day if hours.ends > hours.begins else day + DAY
                begins = self.from_(datetime.combine(day, hours.begins))
                ends = self.until(datetime.combine(last, hours.ends))
                for n in range(max(begins, opens), min(ends, closes)):
                    held[n] = True
        return held


MINUTES_OF_DAY = st.integers(0, 1439).map(lambda m: time(m // 60, m % 60))
NIGHT = st.integers(0, 240).map(lambda m: time(m // 60, m % 60))
TIMES = st.one_of(NIGHT, MINUTES_OF_DAY)


@st.composite
def windows_beside_a_turn(draw: st.DrawFn) -> tuple[ZoneInfo, datetime, Window]:
    name = draw(st.sampled_from(sorted(TURNED)))
    turned = at(draw(st.sampled_from(TURNED[name])))

    def near() -> datetime:
        return datetime.combine(turned.date() + draw(st.integers(-1, 1)) * DAY, draw(TIMES))

    window = Window(
        begins=near() if draw(st.booleans()) else None,
        ends=near() if draw(st.booleans()) else None,
        weekdays=frozenset(draw(st.sets(st.integers(0, 6), max_size=6))),
        hours=tuple(Hours(draw(TIMES), draw(TIMES)) for _ in range(draw(st.integers(0, 2)))),
    )
    return ZoneInfo(name), turned.replace(tzinfo=UTC), window


@settings(max_examples=80, deadline=None)
@given(windows_beside_a_turn())
def test_runs_and_edges_are_what_the_clock_shows_minute_by_minute(
    drawn: tuple[ZoneInfo, datetime, Window],
) -> None:
    zone, turned, window = drawn
    dial = Dial(zone, turned - 4 * DAY, 9)
    held = dial.holds(window)
    inside = range(2 * 1440, 7 * 1440)  # hours of the days before reach into them
    first, last = dial.minutes[inside[0]], dial.minutes[inside[-1]] + MINUTE
    found = list(runs(window, zone, first, last))
    got = [False] * len(held)
    for run in found:
        for n in inside:
            got[n] = got[n] or run.holds_at(dial.minutes[n])
    assert [got[n] for n in inside] == [held[n] for n in inside]
    turns = [
        Edge(dial.minutes[n], Turn.BEGINS if held[n] else Turn.ENDS)
        for n in inside
        if held[n] != held[n - 1]
    ]
    assert list(edges(window, zone, first, last)) == turns
    for a, b in pairwise(found):
        assert a.ends is not None
        assert b.begins is not None
        assert a.ends < b.begins


@settings(max_examples=100, deadline=None)
@given(windows_beside_a_turn(), st.integers(-3 * 1440, 3 * 1440))
def test_the_run_of_a_moment_is_bounded_by_its_neighbouring_edges(
    drawn: tuple[ZoneInfo, datetime, Window], minutes: int
) -> None:
    zone, turned, window = drawn
    moment = turned + minutes * MINUTE
    run = run_at(window, zone, moment)
    following = next_edge(window, zone, moment)
    if run is not None:
        assert following == (Edge(run.ends, Turn.ENDS) if run.ends else None)
        if run.begins is not None:
            assert run_at(window, zone, run.begins) == run
            assert run_at(window, zone, run.begins - timedelta(seconds=1)) is None
    elif following is not None:
        assert following.turn is Turn.BEGINS
        assert run_at(window, zone, following.at) is not None
