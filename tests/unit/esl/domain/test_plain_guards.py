"""What guards say of a plain price in a list is what they say of any price."""

from hypothesis import given
from hypothesis import strategies as st

from esl.domain.face import Unit
from esl.domain.guards import HIGHEST_MINOR, Held, Limits, Said, judge
from esl.domain.plain_guards import judge_plain
from esl.domain.product import NetContent

PRICES = st.integers(-1, 2000) | st.sampled_from([1, 10, 100, HIGHEST_MINOR, HIGHEST_MINOR + 1])
LIMITS = st.builds(
    Limits,
    highest_minor=st.sampled_from([HIGHEST_MINOR, 500]),
    lowest_minor=st.sampled_from([1, 100, 600]),
    rise_percent=st.none() | st.just(50),
    fall_percent=st.none() | st.just(40),
    shift_percent=st.none() | st.just(2),
    unit_price_percent=st.none() | st.just(10),
    lowest_30d=st.booleans(),
    changes_a_day=st.none() | st.just(4),
)
CONTENTS = st.builds(NetContent, milli=st.sampled_from([5, 330, 1000]), unit=st.just(Unit.KILOGRAM))
HELD = st.tuples(st.integers(1, 2000), st.none() | st.integers(1, 3000), st.integers(0, 6))


@given(
    PRICES, st.none() | PRICES, st.none() | PRICES, st.none() | CONTENTS, st.none() | HELD, LIMITS
)
def test_a_plain_price_is_judged_as_any_other(
    price: int,
    unit_price: int | None,
    lowest: int | None,
    content: NetContent | None,
    held: tuple[int, int | None, int] | None,
    limits: Limits,
) -> None:
    said = Said(
        currency="EUR",
        store_currency="EUR",
        regular_minor=price,
        unit_price_minor=unit_price,
        content=content,
        lowest_30d_minor=lowest,
    )
    before = None
    if held is not None:
        before = Held(price_minor=held[0], regular_minor=held[1], changes_today=held[2])
    expected = judge(said, before, limits)
    assert judge_plain(price, unit_price, lowest, content, held, limits) == expected
