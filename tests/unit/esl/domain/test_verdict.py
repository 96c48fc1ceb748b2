"""Every update gets a definite verdict: shown, superseded or failed, once its time is up."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.ids import LabelId
from esl.domain.verdict import TIMED_OUT, Evidence, Outcome, judge
from tests.builders import NOON

WITHIN = timedelta(seconds=900)
SOON = NOON + timedelta(seconds=10)
LATE = NOON + WITHIN

PENDING = Evidence(
    label_id=LabelId("l-1"),
    rev=7,
    wanted_at=NOON,
    next_rev=None,
    settled_rev=5,
    wanted_rev=7,
    problem=None,
    problem_detail=None,
    shown_at=None,
    failure=None,
)


@pytest.mark.parametrize(
    ("changes", "now", "outcome"),
    [
        ({}, SOON, Outcome.PENDING),
        ({}, LATE, Outcome.FAILED),
        ({"shown_at": SOON, "settled_rev": 7}, LATE, Outcome.SHOWN),
        ({"settled_rev": 7}, SOON, Outcome.SHOWN),  # nothing had to be sent
        ({"next_rev": 8, "wanted_rev": 8}, SOON, Outcome.SUPERSEDED),
        ({"next_rev": 8, "wanted_rev": 8}, LATE, Outcome.SUPERSEDED),
        ({"next_rev": 8, "shown_at": SOON}, LATE, Outcome.SHOWN),
        ({"problem": "insufficient_battery"}, SOON, Outcome.FAILED),
        ({"failure": ("timeout", "", LATE), "next_rev": 9}, LATE, Outcome.FAILED),
        # The problem is of what the label wants now, not of what was superseded.
        ({"problem": "insufficient_battery", "next_rev": 8}, SOON, Outcome.SUPERSEDED),
    ],
)
def test_each_case_has_its_verdict(
    changes: dict[str, object], now: datetime, outcome: Outcome
) -> None:
    assert judge(replace(PENDING, **changes), now, within=WITHIN).outcome is outcome  # type: ignore[arg-type]


def test_a_failed_update_that_is_shown_later_stays_failed_and_says_when() -> None:
    failure = (TIMED_OUT, "", LATE)
    later = LATE + timedelta(seconds=30)
    verdict = judge(
        replace(PENDING, failure=failure, shown_at=later, settled_rev=7), later, within=WITHIN
    )
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, TIMED_OUT)
    assert (verdict.at, verdict.shown_at) == (LATE, later)


@given(
    next_rev=st.none() | st.integers(8, 12),
    settled_rev=st.integers(0, 12),
    problem=st.none() | st.just("refresh_failed"),
    shown=st.none() | st.integers(0, 2000),
    failed=st.none() | st.integers(0, 2000),
    waits=st.integers(0, 4000),
)
def test_nothing_is_pending_after_the_policy_time(
    next_rev: int | None,
    settled_rev: int,
    problem: str | None,
    shown: int | None,
    failed: int | None,
    waits: int,
) -> None:
    evidence = replace(
        PENDING,
        next_rev=next_rev,
        settled_rev=settled_rev,
        problem=problem,
        shown_at=NOON + timedelta(seconds=shown) if shown is not None else None,
        failure=("x", "", NOON + timedelta(seconds=failed)) if failed is not None else None,
    )
    verdict = judge(evidence, NOON + timedelta(seconds=waits), within=WITHIN)
    if waits >= WITHIN.total_seconds():
        assert verdict.outcome is not Outcome.PENDING
    assert (verdict.reason is not None) == (verdict.outcome is Outcome.FAILED)
