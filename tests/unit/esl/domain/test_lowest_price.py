"""The lowest price of thirty days: what may be claimed, and on whose word."""

from datetime import UTC, date, datetime, timedelta

import pytest

from esl.domain.entry import DatedPrice, PastKind
from esl.domain.lowest_price import Basis, Held, Lowest, Stated, Told, lowest_of_30_days

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
TODAY = NOW.date()
LOW = Stated(price_minor=77, source="chain", day=date(2026, 3, 20))


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def held(days: float, price_minor: int | None, *, reduced: bool = False) -> Held:
    return Held(at=days_ago(days), price_minor=price_minor, is_reduced=reduced)


def told(
    days: int, price_minor: int, *, until: int | None = None, kind: PastKind = PastKind.REGULAR
) -> Told:
    day = datetime(2026, 3, 31, tzinfo=UTC)
    return Told(
        begins=day - timedelta(days=days),
        until=day - timedelta(days=until) if until is not None else None,
        dated=DatedPrice(
            day=(day - timedelta(days=days)).date(), price_minor=price_minor, kind=kind
        ),
        source="old",
        batch_id=7,
    )


def find(
    *own: Held, past: tuple[Told, ...] = (), stated: Stated | None = None, now: datetime = NOW
) -> Lowest | None:
    return lowest_of_30_days(own, past, stated, now, today=TODAY)


def test_what_held_here_for_thirty_days_is_observed() -> None:
    found = find(held(60, 50), held(40, 120), held(20, 100), held(10, 130), stated=LOW)
    assert found is not None
    assert (found.price_minor, found.basis, found.sources) == (100, Basis.OBSERVED, ())
    assert (found.begins, found.ends) == (days_ago(30), NOW)


def test_a_reduction_is_held_against_the_days_before_it() -> None:
    found = find(
        held(50, 120),
        held(33, 110),
        held(20, 130),
        held(5, 80, reduced=True),
        held(2, 70, reduced=True),
    )
    assert found is not None
    assert (found.price_minor, found.ends) == (110, days_ago(5))
    ended = find(held(50, 120), held(5, 80, reduced=True), held(1, 120))
    assert ended is not None
    assert (ended.price_minor, ended.ends) == (80, NOW)


def test_days_without_a_price_have_none() -> None:
    found = find(held(50, 90), held(31, None), held(20, 130))
    assert found is not None
    assert (found.price_minor, found.basis) == (130, Basis.OBSERVED)
    assert find(held(50, 90), held(31, None)) is None


def test_history_fills_the_days_before_we_knew() -> None:
    past = (told(60, 140), told(25, 95), told(12, 120))
    found = find(held(10, 130), past=past, stated=LOW)
    assert found is not None
    assert (found.price_minor, found.basis) == (95, Basis.HISTORY)
    assert (found.sources, found.batches) == (("old",), (7,))
    below = find(held(10, 80), past=past)
    assert below is not None
    assert below.price_minor == 80


@pytest.mark.parametrize(
    "past",
    [
        (),
        (told(25, 95),),  # nobody knows the first five days
        (told(60, 140, until=20), told(15, 95)),  # five days between are missing
        (told(60, 140, until=15),),  # five days until we knew are missing
        (told(60, 95, kind=PastKind.MEMBER),),  # not for everybody
    ],
)
def test_a_history_with_a_gap_claims_nothing(past: tuple[Told, ...]) -> None:
    assert find(held(10, 130), past=past) is None
    found = find(held(10, 130), past=past, stated=LOW)
    assert found is not None
    assert (found.price_minor, found.basis) == (77, Basis.STATED)
    assert (found.sources, found.stated_on) == (("chain",), LOW.day)


def test_the_day_of_the_change_to_us_may_lack_some_hours() -> None:
    found = find(held(9.8, 130), past=(told(60, 95, until=10),))
    assert found is not None
    assert found.basis is Basis.HISTORY


def test_a_members_price_is_nobody_elses_and_a_promotions_is_everybodys() -> None:
    past = (
        told(60, 140),
        told(20, 60, until=15, kind=PastKind.MEMBER),
        told(20, 99, until=15, kind=PastKind.PROMOTION),
    )
    found = find(held(10, 130), past=past)
    assert found is not None
    assert found.price_minor == 99


def test_an_old_word_is_no_word() -> None:
    old = Stated(price_minor=77, source="chain", day=TODAY - timedelta(days=31))
    assert find(held(10, 130), stated=old) is None


def test_what_was_told_of_days_that_we_know_counts_for_nothing() -> None:
    found = find(held(40, 130), past=(told(35, 50),))
    assert found is not None
    assert (found.price_minor, found.basis) == (130, Basis.OBSERVED)
    within = find(held(10, 130), past=(told(60, 120), told(5, 50)))
    assert within is not None
    assert within.price_minor == 120
