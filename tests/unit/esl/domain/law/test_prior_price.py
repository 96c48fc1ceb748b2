"""The prior price agrees with counting hour by hour, and says when nobody can know it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl.domain.law import PriorPrice, Reason, Step, StepKind, load_profile, lowest_price
from esl.domain.law.prior_price import DAY_MS
from esl.domain.law.profile import ALWAYS, NewProducts, Profile
from tests.unit.esl.domain.law.own_profiles import with_prior

EU = load_profile("eu")
TICK_MS = 6 * 3_600_000
TICKS_A_DAY = 4
DAYS = 5  # looked back in the random histories: short, so that edges meet often
BESIDE = (StepKind.MEMBER, StepKind.PERSONAL)
ANNOUNCED = (StepKind.REDUCED, StepKind.SPOILAGE)
DAY = 86_400_000


def at(day: float) -> int:
    return 1_800_000_000_000 + int(day * DAY)


# ── The same by brute force ─────────────────────────────────────────────────────────────────


def brute_force(
    steps: list[Step], now: int, profile: Profile, on_sale_from: int | None
) -> tuple[int | None, Reason, int, int]:
    """Ask at every tick what held, and count; moments are ticks."""
    rule = profile.prior_price
    public = [step for step in steps if step.kind not in BESIDE]

    def held(tick: int) -> Step | None:
        return next((s for s in reversed(public) if s.at_ms <= tick * TICK_MS), None)

    def reduced(tick: int) -> int | None:
        step = held(tick)
        return step.price_minor if step is not None and step.kind in ANNOUNCED else None

    ends, is_progressive = now, False
    if (price := reduced(now)) is not None:
        same = first = now
        while (earlier := reduced(first - 1)) is not None and earlier >= (reduced(first) or 0):
            first -= 1
            if earlier == price and same == first + 1:
                same = first
        days = rule.progressive_days
        fits = days == ALWAYS or (now - first) < days * TICKS_A_DAY
        is_progressive = bool(days) and fits and first < same
        ends = first if is_progressive else same
    begins = ends - rule.days * TICKS_A_DAY
    counted = [step for tick in range(begins, ends) if (step := held(tick)) is not None]
    if not rule.spoilage_counts:
        counted = [step for step in counted if step.kind is not StepKind.SPOILAGE]
    if rule.member_prices_count:
        members = [step for step in steps if step.kind is StepKind.MEMBER]
        latest = ([s for s in members if s.at_ms <= t * TICK_MS] for t in range(begins, ends))
        counted += [known[-1] for known in latest if known]
    lowest = min((s.price_minor for s in counted if s.price_minor is not None), default=None)
    reason = Reason.PROGRESSIVE if is_progressive else Reason.LOWEST
    if held(begins) is None:
        since = next((tick for tick in range(begins, ends) if held(tick) is not None), ends)
        if on_sale_from is None or since > on_sale_from:
            return None, Reason.HISTORY_TOO_SHORT, begins, ends
        if lowest is not None and rule.new_products is NewProducts.NONE_CLAIMED:
            return None, Reason.NEW_PRODUCT, begins, ends
        begins, reason = min(on_sale_from, ends), Reason.SINCE_SOLD
    if lowest is None:
        return None, Reason.NOT_SOLD_BEFORE, begins, ends
    return lowest, reason, begins, ends


STEP = st.tuples(
    st.integers(0, 60),
    st.one_of(st.none(), st.integers(1, 5)),
    st.sampled_from([StepKind.REGULAR, StepKind.REDUCED, *StepKind]),
)
RULES = st.fixed_dictionaries(
    {
        "days": st.just(DAYS),
        "progressive_days": st.sampled_from([0, ALWAYS, 1, 3]),
        "spoilage_counts": st.booleans(),
        "member_prices_count": st.booleans(),
        "new_products": st.sampled_from(NewProducts),
    }
)


@given(
    drawn=st.lists(STEP, max_size=14),
    now=st.integers(0, 70),
    on_sale_from=st.one_of(st.none(), st.integers(0, 70)),
    rules=RULES,
)
@settings(max_examples=500)
def test_it_is_what_counting_tick_by_tick_finds(
    drawn: list[tuple[int, int | None, StepKind]],
    now: int,
    on_sale_from: int | None,
    rules: dict[str, object],
) -> None:
    profile = with_prior(**rules)
    drawn.sort(key=lambda step: step[0])
    steps = [Step(tick * TICK_MS, price, kind) for tick, price, kind in drawn]
    on_sale_ms = None if on_sale_from is None else on_sale_from * TICK_MS
    found = lowest_price(steps, now * TICK_MS, profile, on_sale_from_ms=on_sale_ms)
    price, reason, begins, ends = brute_force(steps, now, profile, on_sale_from)
    assert found[:4] == (price, reason, begins * TICK_MS, ends * TICK_MS)
    if found.held_from_ms is not None:
        sources = [s for s in steps if s.at_ms == found.held_from_ms and s.price_minor == price]
        assert sources
        assert found.held_from_ms < found.ends_ms
    else:
        assert price is None


# ── Edges ───────────────────────────────────────────────────────────────────────────────────


def test_a_price_that_ended_as_the_days_begin_does_not_count() -> None:
    history = [Step(at(-60), 90), Step(at(-30), 120), Step(at(0), 100, StepKind.REDUCED)]
    assert lowest_price(history, at(0), EU).price_minor == 120
    later = [Step(at(-60), 90), Step(at(-30) + 1, 120), Step(at(0), 100, StepKind.REDUCED)]
    found = lowest_price(later, at(0), EU)
    assert (found.price_minor, found.held_from_ms) == (90, at(-60))


def test_the_price_from_before_still_holds_as_the_reduction_begins() -> None:
    history = [Step(at(-60), 120), Step(at(-1), 130), Step(at(0), 100, StepKind.REDUCED)]
    assert lowest_price(history, at(0), EU).price_minor == 120


def test_the_days_end_where_the_reduction_began_however_long_it_runs() -> None:
    history = [Step(at(-60), 120), Step(at(0), 100, StepKind.REDUCED)]
    for day in (0, 1, 29, 31, 400):
        found = lowest_price(history, at(day), EU)
        assert (found.price_minor, found.ends_ms) == (120, at(0))


def test_a_reduction_runs_from_its_very_instant() -> None:
    history = [
        Step(at(-60), 120),
        Step(at(-3), 100, StepKind.REDUCED),
        Step(at(0), 80, StepKind.REDUCED),
    ]
    assert lowest_price(history, at(0) - 1, EU).price_minor == 120
    assert lowest_price(history, at(0), EU).price_minor == 100


def test_of_two_times_at_the_lowest_price_the_earlier_is_named() -> None:
    history = [
        Step(at(-60), 120),
        Step(at(-20), 90),
        Step(at(-15), 120),
        Step(at(-10), 90),
        Step(at(-5), 120),
    ]
    found = lowest_price(history, at(0), EU)
    assert (found.price_minor, found.held_from_ms) == (90, at(-20))


def test_the_same_reduction_announced_again_is_one_reduction() -> None:
    history = [
        Step(at(-60), 120),
        Step(at(0), 100, StepKind.REDUCED),
        Step(at(3), 100, StepKind.REDUCED),
    ]
    assert lowest_price(history, at(4), EU).price_minor == 120


def test_a_reduction_that_shrinks_is_a_new_one() -> None:
    history = [
        Step(at(-60), 120),
        Step(at(0), 80, StepKind.REDUCED),
        Step(at(3), 100, StepKind.REDUCED),
    ]
    for profile in (EU, load_profile("de")):
        assert lowest_price(history, at(4), profile).price_minor == 80


def test_members_and_personal_prices_are_not_everybodys() -> None:
    history = [
        Step(at(-60), 120),
        Step(at(-9), 50, StepKind.MEMBER),
        Step(at(-8), 40, StepKind.PERSONAL),
        Step(at(0), 100, StepKind.REDUCED),
    ]
    assert lowest_price(history, at(0), EU).price_minor == 120
    counted = lowest_price(history, at(0), with_prior(member_prices_count=True))
    assert (counted.price_minor, counted.held_from_ms) == (50, at(-9))


def test_a_price_that_was_taken_back_at_its_instant_never_held() -> None:
    history = [
        Step(at(-60), 120),
        Step(at(-9), 1),
        Step(at(-9), 120),
        Step(at(0), 100, StepKind.REDUCED),
    ]
    assert lowest_price(history, at(0), EU).price_minor == 120


def test_a_product_not_sold_in_these_days_has_none() -> None:
    history = [Step(at(-60), 120), Step(at(-40), None), Step(at(0), 100, StepKind.REDUCED)]
    assert lowest_price(history, at(0), EU)[:2] == (None, Reason.NOT_SOLD_BEFORE)


def test_a_gap_in_what_we_know_claims_nothing() -> None:
    history = [Step(at(-29), 120), Step(at(0), 100, StepKind.REDUCED)]
    assert lowest_price(history, at(0), EU)[:2] == (None, Reason.HISTORY_TOO_SHORT)
    assert lowest_price([], at(0), EU)[:2] == (None, Reason.HISTORY_TOO_SHORT)
    # That it was sold here for longer fills no gap.
    sold = lowest_price(history, at(0), EU, on_sale_from_ms=at(-50))
    assert sold.reason is Reason.HISTORY_TOO_SHORT


def test_a_new_product_claims_what_the_profile_lets_it() -> None:
    history = [Step(at(-9), 120), Step(at(0), 100, StepKind.REDUCED)]
    found = lowest_price(history, at(0), EU, on_sale_from_ms=at(-9))
    assert found[:2] == (None, Reason.NEW_PRODUCT)
    lenient = with_prior(new_products=NewProducts.SINCE_SOLD)
    found = lowest_price(history, at(0), lenient, on_sale_from_ms=at(-9))
    assert found[:3] == (120, Reason.SINCE_SOLD, at(-9))
    launched = [Step(at(-9), 120, StepKind.REDUCED)]
    found = lowest_price(launched, at(0), lenient, on_sale_from_ms=at(-9))
    assert found[:2] == (None, Reason.NOT_SOLD_BEFORE)


def test_without_a_rule_nothing_is_looked_up() -> None:
    found = lowest_price([Step(at(-60), 120)], at(0), load_profile("us"))
    assert found[:2] == (None, Reason.NO_RULE)


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        # The clocks went forward on 29 March 2026, or in the south back on 5 April.
        ("Europe/Zagreb", datetime(2026, 3, 14, 23, tzinfo=UTC)),
        ("UTC", datetime(2026, 3, 15, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 3, 14, 11, tzinfo=UTC)),
    ],
)
def test_in_a_zone_the_days_begin_at_the_stores_midnight(zone: str, begins: datetime) -> None:
    began = datetime(2026, 4, 14, 8, tzinfo=UTC)
    began_ms, begins_ms = (int(t.timestamp()) * 1000 for t in (began, begins))
    history = [
        Step(began_ms - 90 * DAY_MS, 80),
        Step(begins_ms, 120),
        Step(began_ms, 100, StepKind.REDUCED),
    ]
    found = lowest_price(history, began_ms, EU, zone=ZoneInfo(zone))
    assert (found.price_minor, found.begins_ms) == (120, begins_ms)
    history[1] = Step(begins_ms + 1, 120)
    assert lowest_price(history, began_ms, EU, zone=ZoneInfo(zone)).price_minor == 80


def test_days_with_a_zone_are_never_shorter_than_without() -> None:
    zone = ZoneInfo("Europe/Zagreb")
    new_year = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000
    for hour in range(0, 365 * 24, 7):
        now = new_year + hour * 3_600_000
        history = [Step(0, 120), Step(now, 100, StepKind.REDUCED)]
        with_zone = lowest_price(history, now, EU, zone=zone).begins_ms
        assert now - 31 * DAY_MS - 3_600_000 <= with_zone <= now - 30 * DAY_MS


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason: Reason) -> None:
    knows = reason in (Reason.LOWEST, Reason.PROGRESSIVE, Reason.SINCE_SOLD, Reason.STATED)
    words = PriorPrice(129 if knows else None, reason, at(-30), at(0)).words("EUR")
    assert words.endswith(".")
    assert ("1.29 EUR" in words) is knows
