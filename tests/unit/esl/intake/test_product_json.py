from typing import Any

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.face import Unit
from esl.domain.ids import Sku
from esl.domain.product import NetContent, Product
from esl.intake.product_json import ProductPut, parse_net_content, parse_product
from esl.intake.strict_json import JsonFraction
from tests.builders import STORE, a_change

GOOD = {"name": "Jogurt"}


def parse(value: Any, sku: str | None = "sku-0", path: str = "") -> ProductPut:
    own = Sku(sku) if sku is not None else None
    return parse_product(value, store_id=STORE, sku=own, currency="EUR", path=path)


def problems(value: Any, sku: str | None = "sku-0", path: str = "") -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        parse(value, sku, path)
    return [(p.path, p.detail) for p in refused.value.problems]


def test_a_product_needs_only_its_name() -> None:
    bare = Product(store_id=STORE, sku=Sku("sku-0"), name="Jogurt")
    assert parse(GOOD) == ProductPut(product=bare, price=None)
    names = ["brand", "category", "gtin", "net_content", "priced_per", "link"]
    nulls = dict.fromkeys([*names, "origin", "stock", "deposit"])
    assert parse(GOOD | nulls) == ProductPut(product=bare, price=None)


def test_a_product_may_say_everything_and_bring_its_price() -> None:
    put = parse(
        {
            "sku": "4711",
            "name": " Kava mljevena ",
            "brand": "Franck",
            "category": "kava",
            "gtin": "9520123456788",
            "net_content": "250 g",
            "priced_per": "kg",
            "link": "https://shop.example/p/4711?x=1#top",
            "origin": " Brazil ",
            "stock": -3,
            "deposit": "0.07",
            "price": "3.49",
            "was": "4.69",
            "badge": "AKCIJA",
        },
        sku=None,
        path="/2",
    )
    assert put.product == Product(
        store_id=STORE,
        sku=Sku("4711"),
        name="Kava mljevena",
        brand="Franck",
        category="kava",
        gtin="9520123456788",
        net_content=NetContent(milli=250, unit=Unit.KILOGRAM),
        priced_per=Unit.KILOGRAM,
        link="https://shop.example/p/4711?x=1#top",
        origin="Brazil",
        stock=-3,
        deposit_minor=7,
    )
    assert put.currency == "EUR", "what the deposit is in"
    assert put.price == a_change("4711", 349, was_minor=469, badge="AKCIJA", path="/2")


BAD = [
    ({"name": None}, "name", "null, and a value is needed"),
    ({"name": ""}, "name", "empty"),
    ({"name": "x" * 201}, "name", "longer than 200 characters"),
    ({"brand": 5}, "brand", "a number, and a string is wanted"),
    ({"brand": "x" * 81}, "brand", "longer than 80 characters"),
    ({"category": "x" * 121}, "category", "longer than 120 characters"),
    ({"gtin": "9520123456789"}, "gtin", "not a GTIN with a right check digit"),
    ({"gtin": 9520123456788}, "gtin", "a number, and a string is wanted"),
    ({"net_content": "a lot"}, "net_content", "not a net content"),
    ({"net_content": 400}, "net_content", "a number, and a string is wanted"),
    ({"priced_per": "pound"}, "priced_per", "not a unit"),
    ({"link": "http://shop.example"}, "link", "not an https address of printable ASCII characters"),
    ({"link": "https://šop.example"}, "link", "not an https address of printable ASCII characters"),
    ({"link": "https://a/" + "x" * 191}, "link",
     "not an https address of printable ASCII characters"),
    ({"link": "https://a/ b"}, "link", "not an https address of printable ASCII characters"),
    ({"link": "https://a@b/"}, "link", "not an https address of printable ASCII characters"),
    ({"link": "javascript:alert(1)"}, "link",
     "not an https address of printable ASCII characters"),
    ({"origin": "x" * 81}, "origin", "longer than 80 characters"),
    ({"stock": "12"}, "stock", "not an integer"),
    ({"stock": JsonFraction("1.5")}, "stock", "not an integer"),
    ({"stock": 10_000_001}, "stock", "not within -10000000 to 10000000"),
    ({"deposit": "0.005"}, "deposit", "3 decimals, and EUR has 2"),
    ({"deposit": 7}, "deposit", "a number, and a string is wanted"),
    ({"price": "free"}, "price", "not a price"),
    ({"price": JsonFraction("1.29")}, "price", "a number, and a string is wanted"),
    ({"was": "1.79"}, "was", "sent without a price"),
    ({"unit_price": "1.79"}, "unit_price", "sent without a price"),
    ({"badge": "NEW"}, "badge", "sent without a price"),
    ({"price": "1.29", "was": "x"}, "was", "not a price"),
    ({"source": "till-3"}, "source", "unknown field"),
    ({"sku": "other"}, "sku", "unknown field"),  # the URL names it
    ({"colour": "red"}, "colour", "unknown field"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "name", "detail"), BAD)
def test_a_bad_field_is_named_by_its_pointer(
    changes: dict[str, object], name: str, detail: str
) -> None:
    assert problems(GOOD | changes) == [(f"/{name}", detail)]
    assert problems(GOOD | changes, path="/4") == [(f"/4/{name}", detail)]


@pytest.mark.parametrize(
    ("value", "detail"),
    [({}, "missing"), ({"sku": 7}, "a number, and a string is wanted"),
     ({"sku": ""}, "not a valid SKU")],
)  # fmt: skip
def test_an_item_of_a_bulk_request_must_name_its_sku(value: dict[str, Any], detail: str) -> None:
    assert problems(GOOD | value, sku=None, path="/0") == [("/0/sku", detail)]


def test_what_is_no_object_is_refused() -> None:
    assert problems([], path="/1") == [("/1", "not a JSON object")]


@pytest.mark.parametrize(
    ("text", "milli", "unit"),
    [
        ("400 g", 400, Unit.KILOGRAM),
        ("400g", 400, Unit.KILOGRAM),
        ("0.4 kg", 400, Unit.KILOGRAM),
        ("1.5 l", 1500, Unit.LITRE),
        ("75 cl", 750, Unit.LITRE),
        ("5 dl", 500, Unit.LITRE),
        ("330 ml", 330, Unit.LITRE),
        ("6 piece", 6000, Unit.PIECE),
        ("2.5 m", 2500, Unit.METRE),
        ("12 m2", 12_000, Unit.SQUARE_METRE),
        ("0.001 kg", 1, Unit.KILOGRAM),
        ("0.1 cl", 1, Unit.LITRE),
        ("999999 kg", 999_999_000, Unit.KILOGRAM),
        ("007 g", 7, Unit.KILOGRAM),
    ],
)
def test_a_net_content_is_read_in_thousandths(text: str, milli: int, unit: Unit) -> None:
    assert parse_net_content(text, "/net_content") == NetContent(milli=milli, unit=unit)


@pytest.mark.parametrize(
    "text",
    [
        *("", "g", "400", "400 G", "400 gr", "400  g", " 400 g", "400 g ", "-1 g", "+1 g", "1,5 l"),
        *("0 g", "0.000 kg", "0.5 g", "0.01 cl", "1.0001 kg", "1000000 g", "1e3 g", "４００ g"),
        *("1. l", ".5 l", "4 x 100 g", "1.5.5 l", "400 g\n", "NaN g"),
    ],
)
def test_what_is_no_net_content_is_refused_at_its_path(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_net_content(text, "/3/net_content")
    assert refused.value.problems[0].path == "/3/net_content"


def test_tags_are_a_list_and_each_counts_once() -> None:
    said = parse(GOOD | {"tags": ["Bio", "aus der Region", "Bio"]})
    assert said.product.tags == {"Bio", "aus der Region"}
    assert parse(GOOD | {"tags": None}).product.tags == frozenset()


@pytest.mark.parametrize(
    ("tags", "path"),
    [
        ("Bio", "/tags"),
        ([1], "/tags/0"),
        (["Bio", ""], "/tags/1"),
        (["x" * 121], "/tags/0"),
        (["a\nb"], "/tags/0"),
        ([f"t{n}" for n in range(51)], "/tags"),
    ],
)
def test_what_are_no_tags_is_refused_at_its_path(tags: Any, path: str) -> None:
    assert [at for at, _ in problems(GOOD | {"tags": tags})] == [path]
