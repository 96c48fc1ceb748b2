"""When a row holds, in the store's zone; and the till's own promotions."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from esl.domain.entry import DatedPrice, PromotionKind, StatedPromotion
from esl.domain.pricing import KEEP
from esl.intake.mapping.model import TARGETS, Format, Mapping, Value
from esl.intake.mapping.store_context import StoreContext
from tests.mapping_files import ZAGREB, read

DATED = """
name: d
format: csv
delimiter: ";"
fields:
  sku: sku
  price: price
  promotion_price: promo
  valid_from: {from: from, format: "%d.%m.%Y %H:%M"}
  valid_to: to
"""
HEAD = b"sku;price;promo;from;to\n"


def test_a_price_for_six_tomorrow_holds_from_six_in_the_stores_zone() -> None:
    body = HEAD + b"1;1.29;;02.03.2026 06:00;\n"
    [entry] = read(body, DATED).entries
    assert entry.valid_from == datetime(2026, 3, 2, 5, tzinfo=UTC)
    tokyo = StoreContext(place=replace(ZAGREB, timezone=ZoneInfo("Asia/Tokyo")))
    [entry] = read(body, DATED, store=tokyo).entries
    assert entry.valid_from == datetime(2026, 3, 1, 21, tzinfo=UTC)


def test_an_end_by_day_is_the_first_instant_after_it() -> None:
    found = read(
        HEAD + b"1;1.29;0.99;;2026-03-28\n2;2.00;;;2026-03-28\n3;1.00;;;2026-03-28T22:00:00Z\n",
        DATED,
    )
    first, second, third = found.entries
    end = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert first.promotion == StatedPromotion(price_minor=99, valid_to=end)
    assert (first.valid_to, second.valid_to) == (None, end)
    assert third.valid_to == datetime(2026, 3, 28, 22, tzinfo=UTC)


def test_a_begin_holds_for_price_and_promotion() -> None:
    [entry] = read(HEAD + b"1;1.29;0.99;01.07.2026 00:00;2026-07-05\n", DATED).entries
    begin = datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert entry.valid_from == begin
    assert entry.promotion == StatedPromotion(
        price_minor=99, valid_from=begin, valid_to=datetime(2026, 7, 5, 22, tzinfo=UTC)
    )


def test_the_hour_that_comes_twice_and_the_one_that_never_comes() -> None:
    mapping = DATED.replace("valid_to: to", 'valid_to: {from: to, format: "%d.%m.%Y %H:%M"}')
    found = read(
        HEAD + b"1;1;;25.10.2026 02:30;25.10.2026 02:30\n2;1;;29.03.2026 02:30;\n", mapping
    )
    twice, never = found.entries
    assert twice.valid_from == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert twice.valid_to == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert never.valid_from == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01",
        "01.13.2026 06:00",
        "31.02.2026 06:00",
        "01.03.2026",
        "01.03.1900 06:00",
        "01.03.9999 06:00",
        "tomorrow",
        "０1.03.2026 06:00",
        "0",
        "46082",
    ],
)
def test_a_date_that_is_none_costs_its_row(text: str) -> None:
    found = read(HEAD + f"1;1.29;;{text};\n2;2.00;;;\n".encode(), DATED)
    assert found.prices == {"2": 200}
    assert found.rejected == [(2, "valid_from")]


PROMOTIONS = """
name: p
format: csv
fields:
  sku: sku
  promotion_price: {from: promo, clears: true}
  promotion_id: id
  promotion_kind: {from: kind, map: {A: price, C: member, M: multibuy}}
  promotion_quantity: quantity
  club: club
  promotion_to: to
"""


def promotion_of(row: str) -> object:
    found = read(f"sku,promo,id,kind,quantity,club,to\n{row}\n".encode(), PROMOTIONS)
    return found.entries[0].promotion if found.entries else found.problems[0].reason


def test_promotions_of_the_till() -> None:
    assert promotion_of("1,0.99,P7,A,,,") == StatedPromotion(price_minor=99, promotion_id="P7")
    assert promotion_of("1,,P7,A,,,") is None
    assert promotion_of("1,3.50,,,2,,") == StatedPromotion(
        price_minor=350, kind=PromotionKind.MULTIBUY, quantity=2
    )
    assert promotion_of("1,0.89,,,,Gold,2026-03-01") == StatedPromotion(
        price_minor=89,
        kind=PromotionKind.MEMBER,
        club="Gold",
        valid_to=datetime(2026, 3, 1, 23, tzinfo=UTC),
    )


@pytest.mark.asvs("2.2.3")
def test_promotions_that_contradict_themselves() -> None:
    assert promotion_of("1,1,,M,,,") == "a multibuy of one piece"
    assert promotion_of("1,1,,A,3,,") == "3 pieces, and the promotion is no multibuy"
    assert "none of price, multibuy, member" in str(promotion_of("1,1,,X,,,"))
    assert "not within 1 to 1000" in str(promotion_of("1,1,,,0,,"))
    body = HEAD + b"1;1.29;0.99;02.03.2026 06:00;2026-03-01\n"
    assert read(body, DATED).problems[0].reason == "the promotion ends before it begins"


def test_a_constant_holds_for_every_row() -> None:
    mapping = """
name: c
format: csv
fields:
  sku: sku
  promotion_price: p
  club: {default: Gold}
  promotion_kind: {default: member}
"""
    [entry] = read(b"sku,p\n1,0.50\n", mapping).entries
    assert entry.promotion == StatedPromotion(
        price_minor=50, kind=PromotionKind.MEMBER, club="Gold"
    )


def test_dated_prices_of_several_rows_are_the_history_of_one_product() -> None:
    mapping = """
name: h
format: csv
fields: {sku: sku, price: price, history: {from: day, format: "%d.%m.%Y"}}
"""
    body = (
        b"sku,price,day\n1,1.29,03.01.2026\n2,5.00,\n1,1.19,01.01.2026\n1,1.29,03.01.2026\n"
        b"3,,01.01.2026\n4,1.00,01.01.2026\n4,2.00,01.01.2026\n"
    )
    found = read(body, mapping)
    assert found.by_sku["1"].history == (
        DatedPrice(day=date(2026, 1, 1), price_minor=119),
        DatedPrice(day=date(2026, 1, 3), price_minor=129),
    )
    assert found.prices == {"1": KEEP, "2": 500}
    assert sorted(found.rejected) == [(6, "history"), (7, "history"), (8, "history")]


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_target_can_be_read_on_its_own(target: str) -> None:
    """No target alone may break a row, whatever its cell holds."""
    fields = {"sku": Value(number=1)} | {target: Value(number=1 if target == "sku" else 2)}
    mapping = Mapping(name="t", format=Format.CSV, header_row=None, currency="EUR", fields=fields)
    store = StoreContext(place=ZAGREB, route=lambda _: ZAGREB)
    for cell in (
        "1",
        "1.00",
        "2026-03-01",
        "kg",
        "price",
        "400 g",
        "https://a.eu/x",
        "",
        "?",
        "3859888152014",
    ):
        found = read(f"1,{cell}\n".encode(), mapping, store=store)
        assert len(found.entries) + len(found.rejected) == 1
