"""The bounds within which an engine may move prices: each named, with what would pass."""

from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.ids import SourceId
from esl.domain.promotion.window import Hours
from esl.domain.proposal import (
    Approval,
    Bound,
    Known,
    Rules,
    is_open,
    is_quiet,
    judge,
    needs_approval,
)

ZAGREB = ZoneInfo("Europe/Zagreb")
TUESDAY = datetime(2026, 3, 3, 10, 0, tzinfo=ZAGREB)
RULES = Rules(engines=(SourceId("footfall"),))
KNOWN = Known(held_minor=100, regular_minor=100)


def bounds(price: int, known: Known = KNOWN, rules: Rules = RULES, at: datetime = TUESDAY) -> set:  # type: ignore[type-arg]
    return {refusal.bound for refusal in judge(price, known, rules, at, "EUR")}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=ZAGREB)


@pytest.mark.parametrize(
    ("price", "broken"),
    [
        (80, set()),
        (79, {Bound.LEAST_PERCENT}),
        (120, set()),
        (121, {Bound.MOST_PERCENT}),
    ],
)
def test_percentages_are_of_the_regular_price_and_inclusive(price: int, broken: set[Bound]) -> None:
    assert bounds(price) == broken
    assert bounds(price, KNOWN._replace(held_minor=80)) == broken, "and never of what holds"


def test_every_bound_that_is_broken_is_named_with_what_would_pass() -> None:
    rules = replace(RULES, lowest_minor=90, moves_a_day=1, quiet=(Hours(time(9), time(11)),))
    refusals = judge(70, KNOWN._replace(moves_today=1, cost_minor=75), rules, TUESDAY, "EUR")
    assert [r.bound for r in refusals] == [
        Bound.LOWEST,
        Bound.LEAST_PERCENT,
        Bound.COST,
        Bound.MOVES_A_DAY,
        Bound.QUIET,
    ]
    assert refusals[0].fix == "Propose at least 0.90 EUR."
    assert refusals[1].words == "0.70 EUR is below 80 % of the regular price, 1.00 EUR"
    assert "0.75" not in refusals[2].words + refusals[2].fix, "the cost is nobody else's business"


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.integers(0, 100), st.integers(100, 1000))
def test_what_a_refusal_advises_passes(price: int, regular: int, least: int, most: int) -> None:
    rules = replace(RULES, least_percent=least, most_percent=most)
    known = Known(held_minor=regular, regular_minor=regular)
    for refusal in judge(price, known, rules, TUESDAY, "EUR"):
        advised = round(float(refusal.fix.split()[-2]) * 100)
        assert bounds(advised, known, rules) == set()


def test_cost_and_margin_are_a_floor_where_a_cost_is_known() -> None:
    rules = replace(RULES, margin_percent=10)
    assert bounds(98, KNOWN._replace(cost_minor=90), rules) == {Bound.COST}
    assert bounds(99, KNOWN._replace(cost_minor=90), rules) == set()
    assert bounds(98, KNOWN, rules) == set()


def test_without_a_price_of_somebody_else_nothing_can_be_proposed() -> None:
    assert bounds(100, Known()) == {Bound.NO_REGULAR}
    assert bounds(100, Known(held_minor=100)) == {Bound.NO_REGULAR}


def test_a_promotion_is_left_alone() -> None:
    assert bounds(99, KNOWN._replace(is_promoted=True)) == {Bound.PROMOTION}


def test_quiet_hours_pass_midnight() -> None:
    rules = replace(RULES, quiet=(Hours(time(22), time(6)),))
    said = [is_quiet(rules, at(3, h, m)) for h, m in ((21, 59), (22, 0), (0, 0), (5, 59), (6, 0))]
    assert said == [False, True, True, True, False]


def test_a_store_that_is_open_past_midnight_is_open_the_next_morning() -> None:
    friday, saturday = 4, 5
    rules = replace(RULES, opening={friday: (Hours(time(18), time(2)),)}, freeze_while_open=True)
    assert at(6, 20).weekday() == friday
    moments = (at(6, 17, 59), at(6, 18), at(7, 1, 59), at(7, 2), at(8, 1))
    said = [is_open(rules, moment) for moment in moments]
    assert said == [False, True, True, False, False]
    assert at(7, 1).weekday() == saturday
    assert bounds(99, rules=rules, at=at(7, 1)) == {Bound.OPEN}
    assert bounds(99, rules=replace(rules, freeze_while_open=False), at=at(7, 1)) == set()


def test_a_person_approves_what_the_store_wants_approved() -> None:
    for approval, wanted in (
        (Approval.NEVER, [False, False]),
        (Approval.RISES, [False, True]),
        (Approval.ALWAYS, [True, True]),
    ):
        rules = replace(RULES, approval=approval)
        assert [needs_approval(price, KNOWN, rules) for price in (99, 101)] == wanted
