"""Promotions as JSON: what is written is read again as the same, and nothing else is read."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from esl.domain.errors import InvalidInput
from esl.domain.ids import Sku, StoreId, TemplateName
from esl.domain.promotion.check import check_promotion
from esl.domain.promotion.promotion import (
    Absolute,
    AmountOff,
    Channel,
    Gives,
    PayFor,
    PercentOf,
    PercentOff,
    Promotion,
    Selection,
    Stacking,
    TotalFor,
    Where,
)
from esl.domain.promotion.rollout import RolloutStep
from esl.domain.promotion.window import Hours, Window
from esl.intake.promotion_json import parse_promotion, promotion_view

LEAST: dict[str, Any] = {
    "id": "p",
    "name": "P",
    "gives": {"percent": 25},
    "selection": {"everything": True},
}

words = st.sets(st.sampled_from(["Coffee", "Tea 100%", "Čaj", "a b"]), max_size=3).map(frozenset)
skus = st.sets(st.sampled_from([Sku("1"), Sku("4711"), Sku("ä/b")]), max_size=3).map(frozenset)
seconds = st.integers(0, 86_399).map(lambda s: time(s // 3600, s // 60 % 60, s % 60))
moments = st.integers(0, 80 * 365 * 86_400).map(
    lambda s: datetime.fromisoformat("2001-01-01T00:00:00") + timedelta(seconds=s)
)


@st.composite
def gives(draw: st.DrawFn) -> tuple[Gives, str | None]:
    minor = draw(st.integers(1, 999_999))
    currency = draw(st.sampled_from(["EUR", "JPY", "KWD"]))
    several = draw(st.integers(2, 99))
    options: list[tuple[Gives, str | None]] = [
        (Absolute(price_minor=minor), currency),
        (AmountOff(amount_minor=minor), currency),
        (TotalFor(quantity=several, total_minor=minor), currency),
        (PayFor(quantity=several, pay_for=draw(st.integers(1, several - 1))), None),
        (PercentOff(permille=draw(st.integers(1, 999)), of=draw(st.sampled_from(PercentOf))), None),
    ]
    return draw(st.sampled_from(options))


@st.composite
def promotions(draw: st.DrawFn) -> Promotion:
    given_, currency = draw(gives())
    begins, ends = sorted([draw(moments), draw(moments)])
    chosen = Selection(
        skus=draw(skus), categories=draw(words), brands=draw(words), except_skus=draw(skus)
    )
    if chosen.is_empty:
        chosen = Selection(everything=True)
    return Promotion(
        promotion_id="p",
        name="P",
        gives=given_,
        currency=currency,
        selection=chosen,
        where=Where(stores=frozenset(draw(st.sets(st.just(StoreId("main"))))), areas=draw(words)),
        channels=frozenset(draw(st.sets(st.sampled_from(Channel), min_size=1))),
        window=Window(
            begins=begins if begins < ends else None,
            ends=ends if begins < ends else None,
            weekdays=frozenset(draw(st.sets(st.integers(0, 6)))),
            hours=tuple(draw(st.lists(st.builds(Hours, seconds, seconds), max_size=3))),
        ),
        priority=draw(st.integers(-1000, 1000)),
        stacking=draw(st.sampled_from([Stacking.ALONE, Stacking.EXCLUSIVE])),
        template=draw(st.none() | st.just(TemplateName("promotion"))),
        badge=draw(st.none() | st.just("−{percent} %")),
        rollout=tuple(draw(st.lists(st.just(RolloutStep(percent=20)), max_size=2))),
    )


def is_sound(promotion: Promotion) -> bool:
    """Say whether what it says goes together: no matter of JSON."""
    try:
        check_promotion(promotion)
    except InvalidInput:
        return False
    return True


@given(promotions())
def test_what_is_written_is_read_again_as_the_same(promotion: Promotion) -> None:
    assume(is_sound(promotion))
    assert parse_promotion(promotion_view(promotion)) == promotion


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"gives": None}, "/gives"),
        ({"gives": []}, "/gives"),
        ({"gives": {"percent": 25, "amount": "1.00"}}, "/gives"),
        ({"gives": {"percent": True}}, "/gives/percent"),
        ({"gives": {"percent": "12.55"}}, "/gives/percent"),
        ({"gives": {"price": 1}, "currency": "EUR"}, "/gives/price"),
        ({"gives": {"price": "1.999"}, "currency": "EUR"}, "/gives/price"),
        ({"gives": {"total": "3.50"}, "currency": "EUR"}, "/gives/quantity"),
        ({"gives": {"percent": 5, "quantity": 2}}, "/gives/quantity"),
        ({"gives": {"quantity": 1, "pay_for": 1}}, "/gives/quantity"),
        ({"selection": None}, "/selection"),
        ({"selection": {"skus": "1"}}, "/selection/skus"),
        ({"selection": {"skus": [" 1"]}}, "/selection/skus/0"),
        ({"selection": {"categories": ["a\u202eb"]}}, "/selection/categories/0"),
        ({"selection": {"everything": 1}}, "/selection/everything"),
        ({"where": {"stores": ["Main"]}}, "/where/stores/0"),
        ({"window": {"begins": "now"}}, "/window/begins"),
        ({"window": {"begins": "1999-01-01T00:00"}}, "/window/begins"),
        ({"window": {"hours": [{"begins": "08:00"}]}}, "/window/hours/0/ends"),
        ({"window": {"hours": {}}}, "/window/hours"),
        ({"window": {"weekdays": [1]}}, "/window/weekdays/0"),
        ({"channels": ["radio"]}, "/channels/0"),
        ({"priority": "1"}, "/priority"),
        ({"is_markdown": "yes"}, "/is_markdown"),
        ({"rollout": [{"percent": 200}]}, "/rollout/0/percent"),
        ({"name": "x" * 500}, "/name"),
        ({"customer": "4711"}, "/customer"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_promotion(LEAST | changes)
    assert path in [problem.path for problem in refused.value.problems]


def test_the_id_is_that_of_the_address_or_of_the_body() -> None:
    assert parse_promotion(LEAST, promotion_id="p").promotion_id == "p"
    with pytest.raises(InvalidInput):
        parse_promotion(LEAST, promotion_id="other")
    with pytest.raises(InvalidInput):
        parse_promotion({key: LEAST[key] for key in LEAST if key != "id"})


def test_a_file_of_a_hundred_thousand_skus_is_read() -> None:
    many = [f"sku-{number}" for number in range(100_000)]
    read = parse_promotion(LEAST | {"selection": {"skus": many}})
    assert len(read.selection.skus) == len(many)
    with pytest.raises(InvalidInput):
        parse_promotion(LEAST | {"selection": {"skus": [*many, *many, "x"]}})
