"""Shelf = till: how prices compare, and which items are inspected."""

from collections import Counter
from random import Random

import pytest

from esl.domain.ids import LabelId, Sku
from esl.domain.shelf_report import Comparison, ShelfItem, inspection_sample, summarise


def an_item(number: int, shelf: int | None, till: int | None, category: str = "a") -> ShelfItem:
    return ShelfItem(
        label_id=LabelId(f"l-{number:05}"),
        sku=Sku(f"s{number}"),
        name="n",
        category=category,
        place=None,
        shelf_minor=shelf,
        till_minor=till,
        shown_rev=1,
        heard_at=None,
    )


@pytest.mark.parametrize(
    ("shelf", "till", "comparison"),
    [
        (129, 129, Comparison.RIGHT),
        (129, 130, Comparison.OVERCHARGE),
        (129, 128, Comparison.UNDERCHARGE),
        (None, 129, Comparison.UNVERIFIED),
        (129, None, Comparison.UNVERIFIED),
    ],
)
def test_who_pays_more_than_the_shelf_says_is_overcharged(
    shelf: int | None, till: int | None, comparison: Comparison
) -> None:
    assert an_item(1, shelf, till).comparison is comparison


@pytest.mark.parametrize(("wrong", "passes"), [(0, True), (2, True), (3, False)])
def test_of_a_hundred_two_may_be_wrong(wrong: int, passes: bool) -> None:  # noqa: FBT001
    items = [an_item(n, 100, 101 if n < wrong else 100) for n in range(100)]
    summary = summarise([*items, an_item(999, None, 1)])
    assert (summary.checked, summary.overcharges, summary.unverified) == (100, wrong, 1)
    assert summary.right_hundredths == (100 - wrong) * 100
    assert summary.passes is passes
    assert summarise([]).passes is None


def test_a_sample_takes_of_each_category_its_part() -> None:
    items = [
        an_item(n, 1, 1, category)
        for n, category in enumerate(["a"] * 600 + ["b"] * 300 + ["c"] * 90 + ["d"] * 10)
    ]
    for seed in range(20):
        for size, parts in ((50, (30, 15, 4.5, 0.5)), (100, (60, 30, 9, 1))):
            drawn = inspection_sample(items, size, Random(seed))
            assert len({item.label_id for item in drawn}) == size
            counts = Counter(item.category for item in drawn)
            for category, part in zip("abcd", parts, strict=True):
                assert abs(counts[category] - part) <= 2


def test_a_second_stage_begins_with_the_first_and_a_seed_draws_the_same_again() -> None:
    items = [an_item(n, 1, 1, f"c{n % 7}") for n in range(500)]
    whole = inspection_sample(items, 100, Random(7))
    assert inspection_sample(items, 50, Random(7)) == whole[:50]
    assert inspection_sample(items[::-1], 100, Random(7)) == whole
    assert inspection_sample(items, 100, Random(8)) != whole
    assert len(inspection_sample(items[:3], 50, Random(1))) == 3


def test_every_item_has_its_chance() -> None:
    items = [an_item(n, 1, 1, f"c{n % 3}") for n in range(60)]
    drawn = {item.sku for seed in range(60) for item in inspection_sample(items, 10, Random(seed))}
    assert len(drawn) == 60
