import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.clock import HELD_ABOVE, EffectiveClock
from tests.builders import NOON, SimulatedClock

TICK = timedelta(microseconds=2)  # rounding


def test_it_follows_the_wall_clock() -> None:
    clock = SimulatedClock()
    time = EffectiveClock(clock)
    assert time.now() == NOON
    clock.pass_s(10)
    assert time.now() == NOON + timedelta(seconds=10)
    assert time.monotonic_s() == clock.seconds


def test_it_neither_goes_back_nor_stops_while_the_wall_clock_is_two_hours_behind() -> None:
    clock = SimulatedClock()
    time = EffectiveClock(clock)
    clock.jump_s(-7200)
    before = time.now()
    assert before == NOON
    for _ in range(100):
        clock.pass_s(1)
        now = time.now()
        assert timedelta(seconds=0.94) < now - before < timedelta(seconds=0.96)
        before = now


def test_the_wall_clock_catches_up_in_the_end() -> None:
    clock = SimulatedClock()
    time = EffectiveClock(clock)
    clock.jump_s(-60)
    clock.pass_s(60 * 19)
    assert time.now() > clock.wall()
    clock.pass_s(120)
    assert time.now() == clock.wall()


@pytest.mark.parametrize("step_s", [0.01, 0.5, 1.0])
def test_a_clock_set_two_hours_forward_is_followed_slowly_however_often_it_is_read(
    step_s: float,
) -> None:
    clock = SimulatedClock()
    time = EffectiveClock(clock)
    clock.jump_s(7200)
    assert time.now() == NOON, "nothing that waits becomes due at the jump"
    for _ in range(round(60 / step_s)):
        clock.pass_s(step_s)
        time.now()
    gained = time.now() - NOON
    assert timedelta(seconds=182) < gained < timedelta(seconds=184), "1.05 + 2 s a second"
    for _ in range(2 * 3600):
        clock.pass_s(1)
        time.now()
    assert time.now() == clock.wall()


def test_after_a_long_look_away_it_leaps_two_seconds_and_no_more() -> None:
    clock = SimulatedClock()
    time = EffectiveClock(clock)
    clock.jump_s(7200)
    clock.pass_s(600)
    assert time.now() == NOON + timedelta(seconds=600 * 1.05 + 2)


def test_a_clock_more_than_a_day_ahead_is_held_until_it_comes_back() -> None:
    clock = SimulatedClock()
    time = EffectiveClock(clock)
    clock.jump_s(HELD_ABOVE.total_seconds() + 1)
    clock.pass_s(10)
    assert time.now() == NOON + timedelta(seconds=10)
    assert time.held
    clock.jump_s(-HELD_ABOVE.total_seconds() - 1)
    clock.pass_s(10)
    assert time.now() == clock.wall() == NOON + timedelta(seconds=20)
    assert not time.held


def test_a_person_may_confirm_a_clock_that_is_held() -> None:
    clock = SimulatedClock()
    time = EffectiveClock(clock)
    clock.jump_s(90_000)
    time.now()
    assert time.held
    time.confirm()
    assert time.now() == clock.wall()
    assert not time.held
    clock.jump_s(90_000)
    assert time.now() < clock.wall(), "once is once"
    assert time.held


def test_it_begins_at_the_highest_time_an_earlier_run_acted_by() -> None:
    late = NOON + timedelta(hours=2)
    assert EffectiveClock(SimulatedClock(), not_before=late).now() == late
    early = NOON - timedelta(days=1)
    assert EffectiveClock(SimulatedClock(), not_before=early).now() == NOON
    zagreb = late.astimezone(timezone(timedelta(hours=1)))
    started = EffectiveClock(SimulatedClock(), not_before=zagreb).now()
    assert started == late
    assert started.tzinfo is UTC


moves = st.one_of(
    st.tuples(st.just("pass"), st.floats(0, 600)),
    st.tuples(
        st.just("jump"),
        st.sampled_from([-7200.0, -1.0, -0.001, 0.001, 1.0, 7200.0, 90_000.0, -90_000.0]),
    ),
)


@given(st.lists(moves, max_size=60), st.one_of(st.none(), st.integers(-7200, 7200)))
def test_whatever_the_wall_clock_does_time_goes_on_and_never_leaps(
    history: list[tuple[str, float]], high_water_s: int | None
) -> None:
    clock = SimulatedClock()
    high = NOON + timedelta(seconds=high_water_s) if high_water_s is not None else None
    time = EffectiveClock(clock, not_before=high)
    before = time.now()
    assert high is None or before >= high
    for move, seconds in history:
        if move == "jump":
            clock.jump_s(seconds)
            passed = 0.0
        else:
            clock.pass_s(seconds)
            passed = seconds
        now = time.now()
        assert now - before >= timedelta(seconds=passed * 0.95) - TICK
        assert now - before <= timedelta(seconds=passed * 1.05 + 2) + TICK
        assert now.tzinfo is UTC
        before = now
    assert not history or time.held == (clock.wall() - before > HELD_ABOVE)


def test_two_threads_never_see_time_go_back() -> None:
    class Jittery:
        """A wall clock that runs back and forth at every look."""

        def __init__(self) -> None:
            self.looks = 0

        def wall(self) -> datetime:
            self.looks += 1
            return NOON + timedelta(seconds=(self.looks * 37) % 11)

        def monotonic_s(self) -> float:
            return self.looks / 1000

    time = EffectiveClock(Jittery())
    seen: list[list[datetime]] = [[] for _ in range(4)]

    def look(into: list[datetime]) -> None:
        into.extend(time.now() for _ in range(500))

    threads = [threading.Thread(target=look, args=(into,)) for into in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(instants == sorted(instants) for instants in seen)
