"""A promotion that cannot mean anything is refused, each field named with its fix."""

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.ids import Sku, StoreId
from esl.domain.promotion import check
from esl.domain.promotion.check import check_promotion
from esl.domain.promotion.promotion import (
    Absolute,
    AmountOff,
    PayFor,
    PercentOf,
    PercentOff,
    Selection,
    Stacking,
    TotalFor,
    Where,
)
from esl.domain.promotion.rollout import RolloutStep
from esl.domain.promotion.window import Hours, Window
from tests.offers import BERLIN, local, promotion

GOOD = promotion(
    "spring-2026",
    PercentOff(permille=250),
    currency=None,
    badge="−{percent} %",
    window=Window(
        begins=local("2026-03-02 08:00"),
        ends=local("2026-03-28 20:00"),
        weekdays=frozenset({0, 4}),
        hours=(Hours(time(22), time(2)),),
    ),
    rollout=(RolloutStep(areas=frozenset({"3"})), RolloutStep(percent=10), RolloutStep(percent=50)),
)


def test_a_sound_promotion_passes() -> None:
    check_promotion(GOOD, (BERLIN,))
    check_promotion(promotion("x", TotalFor(quantity=2, total_minor=350)))
    check_promotion(promotion("x", AmountOff(amount_minor=50), stacking=Stacking.ON_TOP))


@pytest.mark.parametrize(
    "badge",
    ["WEEK", "−{percent} %", "{percent}% off", "minus {percent}", "%{percent}", "Posto!", "50"],
)
def test_badges_that_pass(badge: str) -> None:
    check_promotion(replace(GOOD, badge=badge))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"promotion_id": "Spring 2026"}, "/id"),
        ({"name": ""}, "/name"),
        ({"name": "a\u202eb"}, "/name"),
        ({"name": "x" * 81}, "/name"),
        ({"club": " Gold"}, "/club"),
        ({"badge": "−25 %"}, "/badge"),
        ({"badge": "−25％"}, "/badge"),
        ({"badge": "−{percent} % or 30 %"}, "/badge"),
        ({"badge": "{percent} or 30 %"}, "/badge"),
        ({"badge": "−25﹪"}, "/badge"),
        ({"badge": "−25 °/o"}, "/badge"),
        ({"badge": "−25 Prozent"}, "/badge"),
        ({"badge": "25 percent off"}, "/badge"),
        ({"badge": "25 posto"}, "/badge"),
        ({"badge": "{price}"}, "/badge"),
        ({"badge": "{percent} and {percent}"}, "/badge"),
        ({"badge": "x" * 41}, "/badge"),
        ({"priority": 1001}, "/priority"),
        ({"gives": PercentOff(permille=0)}, "/gives/percent"),
        ({"gives": PercentOff(permille=1000)}, "/gives/percent"),
        ({"gives": PercentOff(permille=500, of=PercentOf.LOWEST)}, "/gives/of"),
        ({"gives": Absolute(price_minor=0), "currency": "EUR"}, "/gives"),
        ({"gives": Absolute(price_minor=10**9), "currency": "EUR"}, "/gives"),
        ({"gives": Absolute(price_minor=100)}, "/currency"),
        ({"gives": AmountOff(amount_minor=100), "currency": "XXX"}, "/currency"),
        ({"gives": TotalFor(quantity=1, total_minor=5), "currency": "EUR"}, "/gives/quantity"),
        ({"gives": PayFor(quantity=100, pay_for=2)}, "/gives/quantity"),
        ({"gives": PayFor(quantity=3, pay_for=3)}, "/gives/pay_for"),
        ({"gives": PayFor(quantity=3, pay_for=2), "club": "Gold"}, "/club"),
        ({"gives": PayFor(quantity=3, pay_for=2), "is_markdown": True}, "/is_markdown"),
        ({"club": "Gold", "is_markdown": True}, "/is_markdown"),
        ({"club": "Gold", "stacking": Stacking.EXCLUSIVE}, "/stacking"),
        (
            {"gives": Absolute(price_minor=1), "currency": "EUR", "stacking": Stacking.ON_TOP},
            "/stacking",
        ),
        ({"selection": Selection()}, "/selection"),
        ({"selection": Selection(except_skus=frozenset({Sku("1")}))}, "/selection"),
        (
            {"selection": Selection(everything=True, brands=frozenset({"x"}))},
            "/selection/everything",
        ),
        ({"selection": Selection(tags=frozenset({" "}))}, "/selection/tags"),
        ({"where": Where(stores=frozenset(StoreId(str(n)) for n in range(1001)))}, "/where/stores"),
        ({"channels": frozenset()}, "/channels"),
        ({"window": Window(begins=datetime(2026, 3, 2, tzinfo=UTC))}, "/window/begins"),
        ({"window": Window(ends=local("2026-03-02 08:00:00.5"))}, "/window/ends"),
        (
            {"window": Window(begins=local("2026-03-02"), ends=local("2026-03-02"))},
            "/window/ends",
        ),
        ({"window": Window(weekdays=frozenset({7}))}, "/window/weekdays"),
        ({"window": Window(hours=(Hours(time(6, tzinfo=UTC), time(7)),))}, "/window/hours"),
        ({"window": Window(hours=(Hours(time(1), time(2)),) * 25)}, "/window/hours"),
        (
            {
                "window": Window(
                    begins=local("2026-03-03"),
                    ends=local("2026-03-04"),
                    weekdays=frozenset({0}),
                )
            },
            "/window",
        ),
        ({"rollout": (RolloutStep(percent=101),)}, "/rollout/0/percent"),
        ({"rollout": (RolloutStep(),)}, "/rollout/0"),
        ({"rollout": (RolloutStep(percent=50), RolloutStep(percent=10))}, "/rollout/1/percent"),
        ({"rollout": (RolloutStep(percent=50),) * 21}, "/rollout"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_field(change: dict, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_promotion(replace(GOOD, **change), (BERLIN,))
    assert [problem.path for problem in refused.value.problems] == [path]


def test_a_list_of_too_many_products_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "SKUS_MOST", 2)
    many = Selection(skus=frozenset({Sku("1"), Sku("2"), Sku("3")}))
    with pytest.raises(InvalidInput, match="/selection/skus: more than 2"):
        check_promotion(replace(GOOD, selection=many))


def test_all_that_is_wrong_is_named_at_once() -> None:
    wrong = replace(GOOD, name="", priority=-2000, channels=frozenset())
    with pytest.raises(InvalidInput) as refused:
        check_promotion(wrong)
    assert [p.path for p in refused.value.problems] == ["/name", "/priority", "/channels"]
