"""Which goods of the law a product is of: by the words that its store has for categories."""

import json

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.law import load_profile
from esl.domain.law.goods import Goods, anchor_codes, exemptions_of, goods_of, is_exempt
from esl.intake.law_goods_json import law_goods_view, parse_law_goods

KEPT = json.dumps({"perfume": ["Parfümerie"], "food": ["HRANA", "Deli  katesa"]})
ANCHORS = {each.code for each in load_profile("hr").anchor.categories}


@pytest.mark.parametrize(
    ("category", "codes"),
    [
        ("parfümerie", {"perfume"}),
        ("Hrana", {"food"}),
        ("deli katesa", {"food"}),
        ("Werkzeug", set()),
    ],
)
def test_a_category_is_found_whatever_its_capitals_and_blanks(
    category: str, codes: set[str]
) -> None:
    found = goods_of(KEPT, category)
    assert (found.codes, found.is_told) == (codes, True)
    assert set(exemptions_of(KEPT, category)) == codes


def test_without_a_category_or_without_words_nothing_is_known() -> None:
    assert goods_of(KEPT, None) == Goods(frozenset(), frozenset({"perfume", "food"}), is_told=False)
    assert not exemptions_of(None, "HRANA")


def test_goods_are_exempt_where_the_law_says_so() -> None:
    assert is_exempt(load_profile("de"), {"perfume"})
    assert not is_exempt(load_profile("hr"), {"perfume"})


def test_a_store_that_names_its_food_says_which_products_need_the_price_of_the_day() -> None:
    hr = load_profile("hr")
    assert anchor_codes(hr, goods_of(KEPT, "HRANA")) == {"food"}
    assert anchor_codes(hr, goods_of(KEPT, "Werkzeug")) == set()


def test_where_the_store_does_not_say_whoever_sends_the_price_of_the_day_does() -> None:
    hr = load_profile("hr")
    assert anchor_codes(hr, None) == ANCHORS
    assert anchor_codes(hr, goods_of(KEPT, None)) == ANCHORS
    assert anchor_codes(hr, goods_of('{"perfume": ["A"]}', "B")) == ANCHORS


@pytest.mark.parametrize(
    ("sent", "path", "fix"),
    [
        ([], "/law_goods", "Send {"),
        ({"caviar": ["HRANA"]}, "/law_goods/caviar", "cleaning, drinks, food, household"),
        ({"food": "HRANA"}, "/law_goods/food", "in a list"),
        ({"food": [" "]}, "/law_goods/food", "in a list"),
        ({"food": [7]}, "/law_goods/food", "in a list"),
        ({"food": ["x" * 121]}, "/law_goods/food", "in a list"),
        ({"food": [str(n) for n in range(501)]}, "/law_goods", "500 at most"),
    ],
)
def test_words_that_are_none_are_refused(sent: object, path: str, fix: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_law_goods(sent, "/law_goods", law=None, locale="hr_HR")
    [problem] = refused.value.problems
    assert problem.path == path
    assert fix in (problem.fix or "")


def test_a_law_that_names_no_goods_says_so() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_law_goods({"caviar": ["A"]}, "/law_goods", law="us", locale="en_US")
    assert "names none" in (refused.value.problems[0].fix or "")


def test_words_are_kept_once_and_read_as_they_were_sent() -> None:
    sent = {"food": ["HRANA", "HRANA ", "Pića"], "perfume": []}
    kept = parse_law_goods(sent, "/law_goods", law="hr", locale="hr_HR")
    assert law_goods_view(kept) == {"food": ["HRANA", "Pića"]}
    assert parse_law_goods({}, "/law_goods", law=None, locale="hr_HR") is None
    assert law_goods_view(None) == {}
