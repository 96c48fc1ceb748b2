"""JSON, streamed or as a whole: paths, JMESPath over item and root, null against nothing."""

import json
from datetime import date

import pytest

from esl.domain.entry import DatedPrice
from esl.domain.pricing import KEEP
from tests.mapping_files import read, refusal

PLAIN = """
name: j
format: json
items: data.products
fields:
  sku: item.sku
  gtin: item.codes
  name: item.title
  price: item.price
  promotion_price: item.sale
  brand: "item.brand || item.maker"
"""


def products(*items: object) -> bytes:
    return json.dumps(
        {"v": [1, {"x": "]}"}], "data": {"n": 2, "products": items, "z": {}}, "e": 1}
    ).encode()


def test_items_are_streamed_from_a_path_and_numbers_are_exact() -> None:
    found = read(
        products(
            {"sku": "A", "price": 1.1, "title": "a", "codes": ["3859888152014", "3830000620871"]},
            {"sku": "B", "price": "2.20", "brand": None, "maker": "M", "codes": "3859888152014"},
            {"sku": "C", "price": 3, "sale": None, "title": None, "codes": None},
            {"sku": 17, "price": 0.3000, "codes": []},
        ),
        PLAIN,
    )
    assert found.prices == {"A": 110, "B": 220, "C": 300, "17": 30}
    assert found.by_sku["A"].gtins == ("3859888152014", "3830000620871")
    assert (found.by_sku["B"].brand, found.by_sku["A"].brand) == ("M", KEEP)
    third = found.by_sku["C"]
    assert (third.promotion, third.gtins, third.name) == (None, None, KEEP)
    assert found.by_sku["A"].promotion is KEEP
    assert found.by_sku["17"].gtins is KEEP
    assert [entry.rows for entry in found.entries] == [(1,), (2,), (3,), (4,)]
    assert found.problems == []


def test_numbers_keep_their_point_whatever_the_decimal_sign_of_texts() -> None:
    mapping = PLAIN.replace("items:", 'decimal: ","\nitems:')
    found = read(
        products(
            {"sku": "A", "price": 1.5}, {"sku": "B", "price": "1,50"}, {"sku": "C", "price": "1.50"}
        ),
        mapping,
    )
    assert found.prices == {"A": 150, "B": 150}
    assert found.rejected == [(3, "price")]


@pytest.mark.parametrize(
    "price",
    [
        "1e2",
        "NaN",
        "Infinity",
        "1E400",
        "-1.5",
        "true",
        "[1]",
        "{}",
        "12345678901234567890123456789",
        '"1_000"',
        '"１２"',
    ],
)
def test_no_other_number_is_a_price(price: str) -> None:
    found = read(f'{{"data":{{"products":[{{"sku":"A","price":{price}}}]}}}}'.encode(), PLAIN)
    assert found.entries == []
    assert found.rejected == [(1, "price")]


def test_an_array_and_a_single_object_need_no_items() -> None:
    mapping = "name: j\nformat: json\nfields: {sku: item.sku, price: item.price}"
    assert read(b' [ {"sku":"A","price":1} , {"sku":"B","price":2} ] ', mapping).prices == {
        "A": 100,
        "B": 200,
    }
    assert read(b'\xef\xbb\xbf{"sku":"A","price":1}', mapping).prices == {"A": 100}
    assert read(b"[]", mapping).entries == []
    assert read(b'[1,{"sku":"A","price":1}]', mapping).rejected == [(1, "")]


def test_jmespath_over_item_and_root() -> None:
    mapping = """
name: shop
format: json
items: "variants[?price]"
minor_units: true
fields:
  sku: item.sku
  name: "join(' ', [root.title, item.option])"
  price: item.price.amount
  brand: root.vendor
  history: "item.log[].{day: at, price: amount}"
"""
    body = {
        "title": "Čaj",
        "vendor": "V",
        "variants": [
            {
                "sku": "1",
                "option": "zeleni",
                "price": {"amount": 315},
                "log": [{"at": "2026-01-02", "amount": "300"}],
            },
            {"sku": "2"},
        ],
    }
    found = read(json.dumps(body).encode(), mapping)
    assert found.prices == {"1": 315}
    entry = found.by_sku["1"]
    assert (entry.name, entry.brand) == ("Čaj zeleni", "V")
    assert entry.history == (DatedPrice(day=date(2026, 1, 2), price_minor=300),)
    assert "finds nothing" in refusal(b"{}", mapping)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"data":{"products":[{"sku":"A","price":1},{"sku":"B","pri', "cut off"),
        (b'{"data":{"products":[{"sku":"A","price":1}', "cut off"),
        (b'{"data":{"products":[{"sku":"A","price":1}]}', "cut off"),
        (b'{"data":{"products":[{"sku":"A","price":1}]}} x', "follows the text"),
        (b'{"data":{"products":[{"sku":"A","sku":"B","price":1}]}}', "key twice"),
        (b'{"data":{"items":[]}}', "no 'products'"),
        (b'{"data":[]}', "no object"),
        (b'{"data":{"products":5}}', "neither an array nor an object"),
        (b"", "no object"),
        (b'{"data":{"products":[' + b"[" * 100_000, "nested deeper"),
        (b'{"data":{"products":["' + b"x" * 3_000_000 + b'"]}}', "too long"),
        (b'{"data":{"products":[{"sku":"\xff"}]}}', "row 1, byte 30 from the start: 0xff"),
        ('{"data":1}'.encode("utf-16"), "mark of utf-16"),
    ],
)
def test_what_is_cut_off_or_no_json_is_refused_as_a_whole(body: bytes, said: str) -> None:
    assert said in refusal(body, PLAIN)


def test_items_longer_than_a_chunk_are_whole() -> None:
    body = products(
        *(
            {"sku": f"S{n}", "price": "1.00", "title": "x" * (n % 200), "pad": "ž" * 5_000}
            for n in range(100)
        )
    )
    assert len(read(body, PLAIN).entries) == 100


def test_a_text_that_needs_all_of_itself_has_a_bound() -> None:
    mapping = "name: j\nformat: json\nfields: {sku: root.sku}"
    assert "MiB" in refusal(b'{"sku":"' + b"x" * 17_000_000 + b'"}', mapping)
