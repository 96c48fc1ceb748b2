"""The lowest price of thirty days: what may be claimed, and on whose word."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.entry import DatedPrice, PastKind
from esl.domain.law import Profile, Step, StepKind, load_profile
from esl.domain.lowest_price import Basis, Held, Lowest, Stated, Told, history_of, lowest_of_30_days

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
TODAY = NOW.date()
EU, DE = load_profile("eu"), load_profile("de")
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
    *own: Held,
    past: tuple[Told, ...] = (),
    stated: Stated | None = None,
    now: datetime = NOW,
    profile: Profile = EU,
) -> Lowest | None:
    return lowest_of_30_days(own, past, stated, now, today=TODAY, profile=profile)


def test_what_held_here_for_thirty_days_is_observed() -> None:
    found = find(held(60, 50), held(40, 120), held(20, 100), held(10, 130), stated=LOW)
    assert found is not None
    assert (found.price_minor, found.basis, found.sources) == (100, Basis.OBSERVED, ())
    assert (found.begins, found.ends) == (days_ago(30), NOW)


def test_a_reduction_is_held_against_the_days_before_it() -> None:
    own = (
        held(50, 120),
        held(33, 110),
        held(20, 130),
        held(5, 80, reduced=True),
        held(2, 70, reduced=True),
    )
    found = find(*own, profile=DE)
    assert found is not None
    assert (found.price_minor, found.ends) == (110, days_ago(5))
    careful = find(*own)
    assert careful is not None
    assert (careful.price_minor, careful.ends) == (80, days_ago(2))
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


def test_a_reduction_that_began_before_we_came_is_held_against_what_was_told() -> None:
    past = (told(90, 140), told(20, 100, kind=PastKind.PROMOTION))
    found = find(held(10, 90, reduced=True), past=past, profile=DE)
    assert found is not None
    assert (found.price_minor, found.basis) == (140, Basis.HISTORY)
    assert found.ends == datetime(2026, 3, 11, tzinfo=UTC)


def test_what_was_told_and_what_held_here_are_one_history() -> None:
    past = (
        told(90, 150, until=60),
        told(50, 140),  # ten days before it are not known
        told(20, 60, until=15, kind=PastKind.MEMBER),
        told(20, 99, until=15, kind=PastKind.PROMOTION),
        told(5, 1),
    )
    midnight = datetime(2026, 3, 31, tzinfo=UTC)

    def step(before: datetime, price: int, kind: StepKind = StepKind.REGULAR) -> Step:
        return Step(int(before.timestamp()) * 1000, price, kind)

    assert history_of([held(10, 130), held(2, 90, reduced=True)], past, NOW) == [
        step(midnight - timedelta(days=50), 140),
        step(midnight - timedelta(days=20), 99, StepKind.REDUCED),
        step(midnight - timedelta(days=15), 140),
        step(days_ago(10), 130),
        step(days_ago(2), 90, StepKind.REDUCED),
    ]
    assert history_of([], (told(9, 70), told(4, 70)), NOW) == [
        step(midnight - timedelta(days=9), 70)
    ]
    assert history_of([], (), NOW) == []


TOLD = st.builds(
    told,
    st.integers(1, 40),
    st.integers(1, 9),
    until=st.none() | st.integers(0, 40),
    kind=st.sampled_from(PastKind),
)


@given(past=st.lists(TOLD, max_size=6, unique_by=lambda t: (t.begins, t.dated.kind)))
def test_the_told_history_is_what_each_hour_would_say(past: list[Told]) -> None:
    first = held(0, 5)
    past.sort(key=lambda one: one.begins)
    steps = history_of([first], past, NOW)[:-1]
    everybody = [one for one in past if one.dated.kind is not PastKind.MEMBER]

    def price_at(moment: datetime) -> int | None:
        prices = []
        for one in everybody:
            same = [o.begins for o in everybody if o.dated.kind is one.dated.kind]
            later = [begins for begins in same if begins > one.begins]
            ends = one.until or min(later, default=NOW)
            if one.begins <= moment < ends:
                prices.append(one.dated.price_minor)
        return min(prices, default=None)

    moments = [datetime(2026, 3, 31, tzinfo=UTC) - timedelta(days=day) for day in range(41, 0, -1)]
    said = [price_at(moment) for moment in moments]
    known_from = len(said)
    while known_from and said[known_from - 1] is not None:
        known_from -= 1
    for moment, price in zip(moments[known_from:], said[known_from:], strict=True):
        ms = int(moment.timestamp()) * 1000
        assert [s.price_minor for s in steps if s.at_ms <= ms][-1] == price
    assert steps == [] or steps[0].at_ms == int(moments[known_from].timestamp()) * 1000
