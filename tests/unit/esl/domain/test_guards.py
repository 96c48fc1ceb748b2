"""Guards: what is doubted, what is refused, and two properties that hold for all prices."""

from dataclasses import fields, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.face import Unit
from esl.domain.guards import (
    HIGHEST_MINOR,
    LIMIT_FIELDS,
    WORDS,
    Guards,
    Held,
    Judgement,
    Limits,
    Reason,
    Said,
    Verdict,
    breaks_bulk,
    is_shifted,
    judge,
)
from esl.domain.product import NetContent
from esl.domain.source import Expected

PRICES = st.integers(1, HIGHEST_MINOR)
PERCENT = st.none() | st.integers(0, 300)


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    """Limits of any tightness."""
    return Limits(
        highest_minor=draw(st.integers(1, HIGHEST_MINOR)),
        lowest_minor=draw(st.integers(1, 1000)),
        rise_percent=draw(PERCENT),
        fall_percent=draw(st.none() | st.integers(0, 100)),
        shift_percent=draw(st.none() | st.integers(0, 20)),
        promotion_below=draw(st.booleans()),
        promotion_fall_percent=draw(st.none() | st.integers(0, 100)),
        unit_price_percent=draw(PERCENT),
        lowest_30d=draw(st.booleans()),
        changes_a_day=draw(st.none() | st.integers(1, 10)),
        big_percent=draw(st.integers(1, 200)),
        bulk_permille=draw(st.none() | st.integers(0, 1000)),
        bulk_least=draw(st.integers(0, 100)),
    )


@st.composite
def words(draw: st.DrawFn) -> tuple[Said, Held | None]:
    """Something a source says, and what holds."""
    said = Said(
        currency="EUR",
        store_currency="EUR",
        regular_minor=draw(st.none() | PRICES),
        promotion_minor=draw(st.none() | PRICES),
        promotion_quantity=draw(st.integers(1, 4)),
        unit_price_minor=draw(st.none() | PRICES),
        content=draw(
            st.none() | st.builds(NetContent, milli=st.integers(1, 9999), unit=st.just(Unit.LITRE))
        ),
        lowest_30d_minor=draw(st.none() | PRICES),
    )
    held = draw(
        st.none()
        | st.builds(
            Held,
            price_minor=PRICES,
            regular_minor=st.none() | PRICES,
            changes_today=st.integers(0, 9),
        )
    )
    return said, held


def say(regular_minor: int | None, **changes: Any) -> Said:
    return Said(currency="EUR", store_currency="EUR", regular_minor=regular_minor, **changes)


def reasons(said: Said, held: Held | None = None, **changes: Any) -> tuple[Reason, ...]:
    return judge(said, held, Limits(**changes)).reasons


@given(price=PRICES, places=st.sampled_from([-3, -2, -1, 1, 2, 3]), up=st.booleans())
def test_a_moved_decimal_point_is_never_passed(price: int, places: int, *, up: bool) -> None:
    if places > 0:
        moved = price * 10**places
    else:
        over = 10**-places
        moved = -(-price // over) if up else price // over
    if moved == price:
        return  # a price of one minor unit, moved and rounded up
    found = judge(say(moved), Held(price_minor=price), Limits())
    assert found.verdict is not Verdict.PASS
    if 0 < moved <= HIGHEST_MINOR and price * 10.0**places >= 1:  # less is rounding, no shift
        assert Reason.DECIMAL_SHIFT in found.reasons


@given(word=words())
def test_what_holds_already_is_not_doubted_for_its_size(word: tuple[Said, Held | None]) -> None:
    said, held = word
    if held is not None:
        plain = replace(
            said,
            regular_minor=held.price_minor,
            promotion_minor=None,
            unit_price_minor=None,
            lowest_30d_minor=None,
        )
        assert judge(plain, held, Limits()).verdict is Verdict.PASS


def test_there_is_a_limit_for_every_field_and_words_for_every_reason() -> None:
    assert {f.name for f in fields(Limits)} == set(LIMIT_FIELDS)
    assert set(WORDS) == set(Reason)


@pytest.mark.parametrize(
    ("said", "held", "expected"),
    [
        (say(151), Held(price_minor=100), (Reason.RISE,)),
        (say(150), Held(price_minor=100), ()),
        (say(59), Held(price_minor=100), (Reason.FALL,)),
        (say(60), Held(price_minor=100), ()),
        (say(100, promotion_minor=100), None, (Reason.PROMOTION_NOT_BELOW,)),
        (say(100, promotion_minor=99), None, ()),
        (say(100, promotion_minor=29), None, (Reason.PROMOTION_FALL,)),
        (say(100, promotion_minor=10), None, (Reason.DECIMAL_SHIFT, Reason.PROMOTION_FALL)),
        (say(100, promotion_minor=199, promotion_quantity=2), None, ()),
        (say(None, promotion_minor=120), Held(price_minor=100), (Reason.PROMOTION_NOT_BELOW,)),
        (say(100, lowest_30d_minor=101), Held(price_minor=100), (Reason.LOWEST_30D,)),
        (say(100, lowest_30d_minor=99), Held(price_minor=100), ()),
        (say(101), Held(price_minor=100, changes_today=4), (Reason.TOO_OFTEN,)),
        (say(101), Held(price_minor=100, changes_today=3), ()),
        (say(129), Held(price_minor=69, regular_minor=129), ()),
        (say(300), Held(price_minor=69, regular_minor=129), (Reason.RISE,)),
    ],
)
def test_the_usual_limits(said: Said, held: Held | None, expected: tuple[Reason, ...]) -> None:
    assert reasons(said, held) == expected


@pytest.mark.parametrize(
    ("unit_minor", "expected"),
    [(323, ()), (300, ()), (129, (Reason.UNIT_PRICE,)), (32, (Reason.UNIT_PRICE,))],
)
def test_a_unit_price_must_follow_from_price_and_content(
    unit_minor: int, expected: tuple[Reason, ...]
) -> None:
    content = NetContent(milli=400, unit=Unit.KILOGRAM)
    assert reasons(say(129, unit_price_minor=unit_minor, content=content)) == expected


@pytest.mark.parametrize(
    ("price", "unit_minor", "milli", "expected"),
    [
        (319, 70889, 5, ()),  # 4.5 g of lip balm
        (319, 31900, 5, (Reason.UNIT_PRICE,)),
        (49, 4900, 1, (Reason.UNIT_PRICE,)),  # the point is off, however little is in it
        (49, 490000, 1, (Reason.UNIT_PRICE,)),
        (129, 370, 400, (Reason.UNIT_PRICE,)),
    ],
)
def test_half_a_thousandth_of_a_content_may_be_rounded(
    price: int, unit_minor: int, milli: int, expected: tuple[Reason, ...]
) -> None:
    content = NetContent(milli=milli, unit=Unit.KILOGRAM)
    assert reasons(say(price, unit_price_minor=unit_minor, content=content)) == expected


def test_a_unit_price_may_be_that_of_the_promotion() -> None:
    content = NetContent(milli=500, unit=Unit.KILOGRAM)
    said = say(129, promotion_minor=99, unit_price_minor=198, content=content)
    assert reasons(said) == ()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (say(0), Reason.NOT_POSITIVE),
        (say(-5), Reason.NOT_POSITIVE),
        (say(100, promotion_minor=0), Reason.NOT_POSITIVE),
        (say(HIGHEST_MINOR + 1), Reason.TOO_HIGH),
        (Said(currency="USD", store_currency="EUR", regular_minor=5), Reason.CURRENCY),
        (Said(currency="XXX", store_currency="XXX", regular_minor=5), Reason.CURRENCY),
    ],
)
def test_what_is_no_price_is_rejected(said: Said, reason: Reason) -> None:
    assert judge(said, None, Limits()) == Judgement(verdict=Verdict.REJECT, reasons=(reason,))


@pytest.mark.parametrize("currency", ["JPY", "KWD", "EUR"])
def test_bounds_are_in_minor_units_of_any_currency(currency: str) -> None:
    high = Said(currency=currency, store_currency=currency, regular_minor=HIGHEST_MINOR)
    assert judge(high, None, Limits()).verdict is Verdict.PASS
    over = replace(high, regular_minor=HIGHEST_MINOR + 1)
    assert judge(over, None, Limits()).verdict is Verdict.REJECT


def test_a_category_has_limits_of_its_own() -> None:
    guards = Guards(categories={"Voće": Limits(rise_percent=200)})
    held = Held(price_minor=100)
    assert judge(say(250), held, guards.for_category("Voće")).verdict is Verdict.PASS
    assert judge(say(250), held, guards.for_category("Kruh")).verdict is Verdict.QUARANTINE
    assert judge(say(250), held, guards.for_category(None)).verdict is Verdict.QUARANTINE


def test_the_breaker_wants_more_than_a_share_and_more_than_a_few() -> None:
    assert not breaks_bulk(20, 100, Limits())
    assert breaks_bulk(21, 100, Limits())
    assert not breaks_bulk(500, 10_000, Limits())
    assert breaks_bulk(501, 10_000, Limits())
    assert not breaks_bulk(501, 501, Limits(bulk_permille=None))


def test_prices_that_only_look_alike_are_not_shifted() -> None:
    assert not is_shifted(129, 249, 2)
    assert not is_shifted(900, 100, 2)
    assert is_shifted(1005, 100, 2)


# ── When a source is expected ───────────────────────────────────────────────────────────────

ZAGREB = ZoneInfo("Europe/Zagreb")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=ZAGREB).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "heard", "is_late"),
    [
        (at(10, 5, 29), None, False),
        (at(10, 5, 30), None, True),
        (at(10, 5, 31), at(10, 5, 10), False),
        (at(10, 5, 31), at(9, 23, 50), False),
        (at(10, 5, 31), at(9, 5, 20), True),
        (at(11, 5, 29), at(10, 5, 10), False),
        (at(11, 5, 30), at(10, 5, 10), True),
    ],
)
def test_a_source_expected_by_a_time(
    now: datetime, heard: datetime | None, *, is_late: bool
) -> None:
    expected = Expected(by=time(5, 30))
    found = expected.deadline_passed(now, heard, at(9, 12), ZAGREB)
    assert (found is not None) == is_late


def test_a_source_expected_again_and_again() -> None:
    expected = Expected(every=timedelta(minutes=10))
    assert expected.deadline_passed(at(9, 12, 9), None, at(9, 12), ZAGREB) is None
    assert expected.deadline_passed(at(9, 12, 10), None, at(9, 12), ZAGREB) == at(9, 12, 10)
    assert expected.deadline_passed(at(9, 12, 18), at(9, 12, 9), at(9, 12), ZAGREB) is None
