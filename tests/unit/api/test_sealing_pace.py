"""Sealing keeps up with prices that never end, with a bounded backlog, and is idle otherwise."""

import pytest

from api.audit.pace import (
    BACKLOG_FREE,
    REST_LEAST_S,
    REST_MOST_S,
    SHARE_LEAST,
    SHARE_MOST,
    backlog_at,
    rest_s,
    share_for,
)
from esl.services.sealing import ROWS_A_READ

COST_S = 10e-6  # of a record on one core
CHANGES = 3_500  # a second


class Day:
    """A simulated clock: records come at a rate, and one thread seals and rests."""

    def __init__(self, cost_s: float = COST_S) -> None:
        self.cost_s = cost_s
        self.now_s = self.worked_s = self.waiting = 0.0
        self.most = 0.0

    def live(self, seconds: float, rate: float, *, slowed: float = 1.0) -> None:
        """Let time pass; ``slowed``: how many times longer work takes because others work too."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            taken = min(self.waiting, ROWS_A_READ)
            worked_s = taken * self.cost_s
            passes_s = worked_s * slowed + rest_s(worked_s, int(self.waiting))
            self.now_s += passes_s
            self.worked_s += worked_s
            self.waiting += rate * passes_s - taken
            self.most = max(self.most, self.waiting)


@pytest.mark.parametrize(
    ("rate", "slowed"),
    [(100, 1.0), (1_000, 4.0), (CHANGES, 1.0), (CHANGES, 4.0), (10_000, 4.0), (20_000, 1.0)],
)
def test_what_waits_is_bounded_however_long_it_lasts(rate: int, slowed: float) -> None:
    bound = backlog_at(rate, COST_S)
    assert bound is not None
    day = Day()
    day.live(1200, rate, slowed=slowed)
    # A rest of another length is chosen once a step: what comes in one step may be on top. Where
    # others take the core, a step lasts longer by the work itself.
    assert day.most <= bound * (1 + slowed * SHARE_MOST) + 2 * ROWS_A_READ


def test_at_3500_changes_a_second_ten_seconds_of_them_wait_at_most() -> None:
    day = Day()
    day.live(600, CHANGES)
    assert day.most / CHANGES <= 10.5
    assert day.worked_s / day.now_s == pytest.approx(CHANGES * COST_S, rel=0.1)


def test_with_the_old_rests_it_would_fall_behind_for_good() -> None:
    """The check of the check: a share that does not grow lets ever more wait."""
    fixed_a_second = SHARE_LEAST / COST_S
    assert fixed_a_second < CHANGES
    assert backlog_at(CHANGES, COST_S) == pytest.approx((CHANGES / fixed_a_second) * BACKLOG_FREE)


def test_an_import_is_made_up_for_and_then_sealing_is_idle_again() -> None:
    day = Day()
    day.live(60, 20_000)
    assert day.waiting > BACKLOG_FREE
    day.live(120, 100)
    assert day.waiting < ROWS_A_READ
    worked_s, began_s = day.worked_s, day.now_s
    day.live(600, 1_000)
    assert (day.worked_s - worked_s) / (day.now_s - began_s) <= SHARE_LEAST


def test_it_never_takes_more_than_its_most_and_says_when_that_is_too_little() -> None:
    assert share_for(10**9) == SHARE_MOST
    assert backlog_at(SHARE_MOST / COST_S * 1.01, COST_S) is None
    day = Day()
    day.live(600, 2 * SHARE_MOST / COST_S)
    assert day.worked_s / day.now_s <= SHARE_MOST + 0.001


def test_rests_are_bounded() -> None:
    assert share_for(0) == share_for(BACKLOG_FREE) == SHARE_LEAST
    assert rest_s(0.004, 0) == pytest.approx(0.196)
    assert rest_s(0.0, 0) == REST_LEAST_S
    assert rest_s(3600.0, 0) == REST_MOST_S
