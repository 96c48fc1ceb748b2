"""Items of drivers become entries: exact, folded, and only what they say."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.ids import StoreId
from esl.domain.pricing import KEEP
from esl.intake.compat import PRICER, SOLUM, default_mapping
from esl.intake.compat.items import ReadItems, read_items
from esl.intake.compat.pricer_json import parse_item_ids, parse_items, parse_label_links
from esl.intake.compat.solum_json import parse_articles, parse_blinks, parse_links
from esl.intake.mapping.model import Format
from esl.intake.mapping.store_context import Place
from esl.intake.strict_json import parse_strict_json

PLACE = Place(store_id=StoreId("main"), currency="EUR", timezone=ZoneInfo("Europe/Zagreb"))


def solum(text: str, *, whole: bool = False, decimal: str = ".") -> ReadItems:
    sent = parse_articles(parse_strict_json(text.encode())).sent
    mapping = replace(default_mapping(SOLUM), decimal=decimal)
    return read_items(sent, mapping, PLACE, whole=whole)


def pricer(text: str) -> ReadItems:
    sent = parse_items(parse_strict_json(text.encode())).sent
    return read_items(sent, default_mapping(PRICER), PLACE, whole=False)


@pytest.mark.parametrize(
    ("price", "minor"),
    [("1.19", 119), ('"1.19"', 119), ("0.29", 29), ("2", 200), ("1.1", 110), ("4.35", 435)],
)
def test_a_price_is_exact_whether_it_is_a_number_or_a_text(price: str, minor: int) -> None:
    [entry] = pricer(f'{{"itemId": 7, "itemName": "a", "price": {price}}}').entries
    assert (entry.sku, entry.price_minor) == ("7", minor)


@pytest.mark.parametrize(
    "price", ["1.299", "1e2", "-1", '"1,19"', "0", '"1_0"', "true", "[1]", "{}"]
)
def test_what_is_no_price_is_a_problem_of_its_item(price: str) -> None:
    read = pricer(f'[{{"itemId": 7, "price": {price}}}, {{"itemId": 8, "price": "1"}}]')
    if price == "{}":  # empty, and so not said
        assert [entry.price_minor for entry in read.entries] == [KEEP, 100]
        return
    assert [entry.sku for entry in read.entries] == ["8"]
    assert [(problem.row, problem.field) for problem in read.problems] == [(1, "price")]


def test_numbers_are_numbers_whatever_sign_the_mapping_declares_for_texts() -> None:
    text = '[{"articleId": "1", "data": {"LIST_PRICE": 1.5, "SALE_PRICE": "1,25"}}]'
    [entry] = solum(text, decimal=",").entries
    assert entry.price_minor == 150
    assert getattr(entry.promotion, "price_minor", None) == 125


def test_items_sent_in_part_are_laid_over_each_other_and_whole_ones_replaced() -> None:
    text = (
        '[{"articleId": 1, "data": {"LIST_PRICE": "2", "BRAND": "a"}}, {"articleId": "2"},'
        ' {"articleId": "1", "data": {"LIST_PRICE": "3"}}]'
    )
    part = solum(text)
    assert part.places == (1, 2, 1)
    assert [(e.price_minor, e.brand) for e in part.entries] == [(300, "a"), (KEEP, KEEP)]
    whole = solum(text, whole=True)
    assert [(e.price_minor, e.brand) for e in whole.entries] == [(300, None), (KEEP, None)]


def test_a_mapping_for_files_is_refused() -> None:
    mapping = replace(default_mapping(SOLUM), format=Format.CSV)
    with pytest.raises(InvalidInput, match="not for JSON"):
        read_items(parse_articles([{"articleId": "1"}]).sent, mapping, PLACE, whole=False)


@pytest.mark.parametrize("value", [None, 1, "a", [], {}, [1], {"dataList": 7}, {"dataList": []}])
def test_what_is_no_list_of_articles_is_refused(value: object) -> None:
    if value == {}:  # one article, which says nothing
        assert parse_articles(value).sent[0].key == ""
        return
    with pytest.raises(InvalidInput):
        parse_articles(value)


def test_a_label_speaks_for_one_product_or_for_several_in_their_order() -> None:
    two = {"assignList": [{"labelCode": "A1", "articleIdList": ["2", "1"]}]}
    assert [pair.skus for pair in parse_links(two)] == [("2", "1")]
    as_they_stand = {"barcode": "A1", "links": [{"itemId": 2}, {"itemId": 1}]}
    by_place = [{"itemId": 1, "displayPosition": 2}, {"itemId": 2, "displayPosition": "1"}]
    for links in (as_they_stand, {"barcode": "A1", "links": by_place}):
        [pair], freed = parse_label_links(links)
        assert (pair.label_id, pair.skus, freed) == ("a1", ("2", "1"), [])
    assert parse_label_links({"barcode": "A1", "links": []}) == ([], ["a1"])


@pytest.mark.parametrize(
    "links",
    [
        [{"itemId": 1}, {"itemId": 1}],
        [{"itemId": 1, "displayPosition": 1}, {"itemId": 2, "displayPosition": 1}],
        [{"itemId": 1, "displayPosition": 2}],
        [{"itemId": 1, "displayPosition": "below"}],
        [{"itemId": 1, "displayPosition": 10**9}],
        [{"itemId": n} for n in range(17)],
    ],
)
def test_links_that_cannot_stand_on_one_label_are_refused(links: list[Any]) -> None:
    with pytest.raises(InvalidInput):
        parse_label_links({"barcode": "A1", "links": links})


def test_too_many_articles_or_one_twice_are_refused() -> None:
    for articles in (["1", "1"], [str(n) for n in range(17)], [], [None]):
        with pytest.raises(InvalidInput):
            parse_links({"assignList": [{"labelCode": "A1", "articleIdList": articles}]})


def test_items_that_name_one_label_share_it_where_they_name_places() -> None:
    def linked(*places: object) -> list[tuple[str, ...]]:
        items = [
            {"itemId": n, "links": [{"barcode": "A1"} | ({"displayPosition": at} if at else {})]}
            for n, at in enumerate(places, start=1)
        ]
        return [pair.skus for pair in parse_items(items).links]

    assert linked(2, 1) == [("2", "1")]
    assert linked(None, None) == [("2",)], "the last word counts"
    assert linked(1, None) == [("2",)]


def test_no_list_of_ids_means_no_ids() -> None:
    for value in ([], None, {}, {"itemIds": []}):
        with pytest.raises(InvalidInput):
            parse_item_ids(value)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("30s", 30), (45, 45), ("2m", 120), ("5 min", 300), ("24h", 600), (None, 30), ("0s", 0)],
)
def test_durations_are_read_and_bounded(duration: object, seconds: int) -> None:
    [blink] = parse_blinks([{"labelCode": "A1", "duration": duration, "color": "GREEN"}])
    assert (blink.label_id, blink.colour, blink.seconds) == ("a1", "green", seconds)
