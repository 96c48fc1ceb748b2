"""Whatever is wrong with a request, a problem says where, and nothing is stored."""

import json
from typing import Any

import pytest

from tests.running_house import RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

CANARY = "canary-Zq7"
CHANGES = "/api/v1/stores/main/price-changes"
PRODUCT = "/api/v1/stores/main/products/1001"
PRODUCTS = "/api/v1/stores/main/products"
LABELS = "/api/v1/stores/main/labels"
PAIRINGS = "/api/v1/stores/main/pairings"
STORE = "/api/v1/stores/main"
TOKENS = "/api/v1/tokens"
LINKS = "/api/v1/sign-in-links"
GATEWAY = "/api/v1/stores/main/gateways/gw-1"

CHANGING = (
    ("POST", CHANGES),
    ("PUT", PRODUCT),
    ("POST", PRODUCTS),
    ("POST", LABELS),
    ("POST", PAIRINGS),
    ("PUT", STORE),
    ("POST", TOKENS),
    ("POST", LINKS),
    ("PUT", GATEWAY),
)
"""Every endpoint that takes a body."""


BAD_PRICES = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "1e3",
    "1.29",
    "0.1",
    "-1.29",
    "129",
    "-1",
    "9" * 400,
    "18446744073709551616",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    '["1.29"]',
    '""',
    '" "',
    '"NaN"',
    '"Infinity"',
    '"inf"',
    '"1e999"',
    '"1e2"',
    '"1_000"',
    '"1,29"',
    '"1.000,00"',
    '"1,000.00"',
    '"１２"',
    '"١٢"',
    '"१२"',
    '"1٫29"',
    '"²"',
    '"½"',
    '"-1.29"',
    '"+1.29"',
    '"−1.29"',
    '"0"',
    '"0.00"',
    '"-0"',
    '"00"',
    '"01.29"',
    '"1.290"',
    '"1.299"',
    '"1."',
    '".99"',
    '"1.2.3"',
    '"0x1F"',
    '"1.29 "',
    '" 1.29"',
    '"1.29\\n"',
    '"1 29"',
    '"1\\u00a0000"',
    '"1.29\\u200b"',
    '"1.29€"',
    '"$1.29"',
    '"10000000.00"',
    '"9999999999999999999999"',
    '"' + "9" * 5000 + '"',
    '"1' + "0" * 100_000 + '"',
    f'"{CANARY}"',
]


@pytest.mark.parametrize("price", BAD_PRICES, ids=lambda text: text[:20])
@pytest.mark.asvs("1.4.2", "2.2.1", "15.3.5")
def test_a_bad_price_is_refused_with_its_path(untouched: RunningHouse, price: str) -> None:
    single = f'{{"sku": "1001", "price": {price}}}'
    good = '{"sku": "1001", "price": "7.77"}'
    for method, path, body, pointer in (
        ("POST", CHANGES, single, "/price"),
        ("POST", CHANGES, f"[{good}, {single}]", "/1/price"),
        ("PUT", PRODUCT, f'{{"name": "Kruh", "price": {price}}}', "/price"),
        ("POST", PRODUCTS, f'[{{"sku": "1001", "name": "x", "price": {price}}}]', "/0/price"),
    ):
        answer = untouched.ask(method, path, content=body.encode())
        check_problem(answer, 422, pointer)
        assert CANARY not in answer.text


@pytest.mark.parametrize("field", ["was", "unit_price"])
@pytest.mark.parametrize("value", ["NaN", "1.29", '"1_000"', '"１２"', '"-1"', '"0"', "true"])
def test_the_other_prices_are_read_as_strictly(
    untouched: RunningHouse, field: str, value: str
) -> None:
    body = f'{{"sku": "1001", "price": "7.77", "{field}": {value}}}'
    check_problem(untouched.ask("POST", CHANGES, content=body.encode()), 422, f"/{field}")


def _change(**fields: Any) -> dict[str, Any]:
    return {"sku": "1001", "price": "7.77", **fields}


BAD_FIELDS: list[tuple[str, str, Any, tuple[str, ...]]] = [
    ("POST", CHANGES, {"sku": "1001"}, ("/price",)),
    ("POST", CHANGES, {"price": "7.77"}, ("/sku",)),
    ("POST", CHANGES, {}, ("/sku", "/price")),
    ("POST", CHANGES, [], ("",)),
    ("POST", CHANGES, None, ("",)),
    ("POST", CHANGES, "7.77", ("",)),
    ("POST", CHANGES, 7, ("",)),
    ("POST", CHANGES, [None], ("/0",)),
    ("POST", CHANGES, [_change(), []], ("/1",)),
    ("POST", CHANGES, _change(colour="red"), ("/colour",)),
    ("POST", CHANGES, [_change(), _change(**{"a/b~c": 1})], ("/1/a~1b~0c",)),
    ("POST", CHANGES, _change(**{"x" * 300_000: 1}), ("",)),
    ("POST", CHANGES, _change(sku="9999"), ("/sku",)),
    ("POST", CHANGES, [_change()] * 3 + [_change(sku="")], ("/3/sku",)),
    ("POST", CHANGES, _change(sku=""), ("/sku",)),
    ("POST", CHANGES, _change(sku=" 1001"), ("/sku",)),
    ("POST", CHANGES, _change(sku="x" * 65), ("/sku",)),
    ("POST", CHANGES, _change(sku="10\u200b01"), ("/sku",)),
    ("POST", CHANGES, _change(sku="1001\n"), ("/sku",)),
    ("POST", CHANGES, _change(sku=1001), ("/sku",)),
    ("POST", CHANGES, _change(currency="HRK"), ("/currency",)),
    ("POST", CHANGES, _change(currency="eur"), ("/currency",)),
    ("POST", CHANGES, _change(currency=978), ("/currency",)),
    ("POST", CHANGES, _change(currency=None), ("/currency",)),
    ("POST", CHANGES, _change(badge=""), ("/badge",)),
    ("POST", CHANGES, _change(badge="x" * 41), ("/badge",)),
    ("POST", CHANGES, _change(badge="a\ue000b"), ("/badge",)),
    ("POST", CHANGES, _change(badge=1), ("/badge",)),
    ("POST", CHANGES, _change(source="Till 3"), ("/source",)),
    ("POST", CHANGES, _change(source=3), ("/source",)),
    ("POST", CHANGES, _change(source_seq=-1), ("/source_seq",)),
    ("POST", CHANGES, _change(source_seq=2**53), ("/source_seq",)),
    ("POST", CHANGES, _change(source_seq=2**64), ("/source_seq",)),
    ("POST", CHANGES, _change(source_seq=1.0), ("/source_seq",)),
    ("POST", CHANGES, _change(source_seq="1"), ("/source_seq",)),
    ("POST", CHANGES, _change(source_seq=True), ("/source_seq",)),
    ("POST", CHANGES, _change(source_time="yesterday"), ("/source_time",)),
    ("POST", CHANGES, _change(source_time="2026-03-01T06:00:00"), ("/source_time",)),
    ("POST", CHANGES, _change(source_time="0001-01-01T00:00:00+14:00"), ("/source_time",)),
    ("POST", CHANGES, _change(source_time="1999-12-31T23:59:59Z"), ("/source_time",)),
    ("POST", CHANGES, _change(source_time="2100-01-01T00:00:00Z"), ("/source_time",)),
    ("POST", CHANGES, _change(source_time="9999-12-31T23:59:59Z"), ("/source_time",)),
    ("POST", CHANGES, _change(source_time="２026-03-01T06:00:00Z"), ("/source_time",)),
    ("POST", CHANGES, _change(source_time=1_772_344_800), ("/source_time",)),
    ("PUT", PRODUCT, {}, ("/name",)),
    ("PUT", PRODUCT, {"name": None}, ("/name",)),
    ("PUT", PRODUCT, {"name": "  "}, ("/name",)),
    ("PUT", PRODUCT, {"name": "x" * 201}, ("/name",)),
    ("PUT", PRODUCT, {"name": "a\ue000b"}, ("/name",)),
    ("PUT", PRODUCT, {"name": "Kruh", "sku": "1001"}, ("/sku",)),
    ("PUT", PRODUCT, {"name": "Kruh", "was": "2.00"}, ("/was",)),
    ("PUT", PRODUCT, {"name": "Kruh", "gtin": "3850104008307"}, ("/gtin",)),
    ("PUT", PRODUCT, {"name": "Kruh", "gtin": 3850104008306}, ("/gtin",)),
    ("PUT", PRODUCT, {"name": "Kruh", "net_content": "0 g"}, ("/net_content",)),
    ("PUT", PRODUCT, {"name": "Kruh", "net_content": "１ kg"}, ("/net_content",)),
    ("PUT", PRODUCT, {"name": "Kruh", "priced_per": "stone"}, ("/priced_per",)),
    ("PUT", PRODUCT, {"name": "Kruh", "link": "http://shop.example"}, ("/link",)),
    ("PUT", PRODUCT, {"name": "Kruh", "link": "javascript:alert(1)"}, ("/link",)),
    ("PUT", PRODUCT, {"name": "Kruh", "link": "https://a@b.example/"}, ("/link",)),
    ("POST", PRODUCTS, {"sku": "1", "name": "Kruh"}, ("",)),
    ("POST", PRODUCTS, [{"name": "Kruh"}], ("/0/sku",)),
    ("POST", PRODUCTS, [{"sku": "1", "name": "a"}, {"sku": "2"}], ("/1/name",)),
    ("POST", LABELS, {"label": "l-9"}, ("/panel",)),
    ("POST", LABELS, {"label": "L-9", "panel": "bwry-296x128"}, ("/label",)),
    ("POST", LABELS, {"label": "a/b", "panel": "bwry-296x128"}, ("/label",)),
    ("POST", LABELS, {"label": "l-9", "panel": "glass-1x1"}, ("/panel",)),
    ("POST", LABELS, {"label": "l-9", "panel": 1}, ("/panel",)),
    ("POST", LABELS, {"label": "l-9", "panel": "bwry-296x128", "gateway": "#"}, ("/gateway",)),
    ("POST", LABELS, [{"label": "l-9", "panel": "bwry-296x128"}] * 2, ("/1/label",)),
    ("POST", PAIRINGS, {"label": "l-1"}, ("/sku",)),
    ("POST", PAIRINGS, {"label": "l-1", "sku": "9999"}, ("/sku",)),
    (
        "POST",
        PAIRINGS,
        [{"label": "l-1", "sku": "1001"}] * 3 + [{"label": "l-1", "sku": "9"}],
        ("/3/sku",),
    ),
    ("PUT", STORE, {}, ("/name", "/currency", "/locale", "/timezone")),
    (
        "PUT",
        STORE,
        {"name": "x", "currency": "XXX", "locale": "hr_HR", "timezone": "UTC"},
        ("/currency",),
    ),
    (
        "PUT",
        STORE,
        {"name": "x", "currency": "EUR", "locale": "../hr", "timezone": "UTC"},
        ("/locale",),
    ),
    ("POST", TOKENS, {"name": "t", "scopes": ["price:write"]}, ("/stores",)),
    ("POST", TOKENS, {"name": "t", "scopes": [], "stores": ["*"]}, ("/scopes",)),
    ("POST", TOKENS, {"name": "t", "scopes": ["*"], "stores": ["*"]}, ("/scopes/0",)),
    (
        "POST",
        TOKENS,
        {"name": "t", "scopes": ["price:read", "root"], "stores": ["*"]},
        ("/scopes/1",),
    ),
    ("POST", TOKENS, {"name": "t", "scopes": "price:write", "stores": ["*"]}, ("/scopes",)),
    ("POST", TOKENS, {"name": "t", "scopes": [1], "stores": ["*"]}, ("/scopes",)),
    (
        "POST",
        TOKENS,
        {"name": "t", "scopes": ["price:read"], "stores": ["main", "a b"]},
        ("/stores/1",),
    ),
    ("POST", TOKENS, {"name": "t", "scopes": ["price:read"], "stores": ["nowhere"]}, ("/stores",)),
    ("POST", TOKENS, {"scopes": ["price:read"], "stores": ["*"]}, ("/name",)),
    ("POST", TOKENS, {"name": "", "scopes": ["price:read"], "stores": ["*"]}, ("/name",)),
    ("POST", LINKS, {"uses": 0}, ("/uses",)),
    ("POST", LINKS, {"uses": 1001}, ("/uses",)),
    ("POST", LINKS, {"uses": "2"}, ("/uses",)),
    ("POST", LINKS, [], ("",)),
    ("PUT", GATEWAY, {"password": "x"}, ("/password",)),
    ("PUT", GATEWAY, [], ("",)),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "pointers"),
    BAD_FIELDS,
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict | list) else None,
)
@pytest.mark.asvs("15.3.3")
def test_a_bad_field_is_refused_with_its_path(
    untouched: RunningHouse, method: str, path: str, body: Any, pointers: tuple[str, ...]
) -> None:
    check_problem(untouched.ask(method, path, content=json.dumps(body)), 422, *pointers)


@pytest.mark.parametrize(
    "timezone",
    ["", "Europe", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Europe/Zagreb/", "zone.tab",
     "a" * 5000, "é", "Europe\\Zagreb", "europe/zagreb/../zagreb", "."],
    ids=lambda text: text[:16],
)  # fmt: skip
def test_a_bad_time_zone_is_refused_with_its_path(untouched: RunningHouse, timezone: str) -> None:
    body = {"name": "x", "currency": "EUR", "locale": "hr_HR", "timezone": timezone}
    check_problem(untouched.ask("PUT", STORE, json=body), 422, "/timezone")


@pytest.mark.parametrize(
    "base", ["http://a.example", "https://", "https://a.example/x", "https://a@b"]
)
def test_a_bad_link_base_is_refused_with_its_path(untouched: RunningHouse, base: str) -> None:
    body = {"name": "x", "currency": "EUR", "locale": "hr_HR", "timezone": "UTC", "link_base": base}
    check_problem(untouched.ask("PUT", STORE, json=body), 422, "/link_base")


NOT_JSON: dict[str, bytes] = {
    "empty": b"",
    "blanks": b"  \n",
    "text": CANARY.encode(),
    "half": b'{"sku": "1001", "price": "1.2',
    "two": b'{"sku": "1001", "price": "1.29"}{}',
    "comma": b'{"sku": "1001", "price": "1.29",}',
    "comment": b'{"sku": "1001", "price": "1.29"} // x',
    "single quotes": b"{'sku': '1001'}",
    "form": b"sku=1001&price=1.29",
    "xml": b"<price>1.29</price>",
    "utf-8 mark": b'\xef\xbb\xbf{"sku": "1001", "price": "1.29"}',
    "utf-16": '{"sku": "1001", "price": "1.29"}'.encode("utf-16"),
    "utf-16-le": '{"sku": "1001", "price": "1.29"}'.encode("utf-16-le"),
    "utf-32": '{"sku": "1001", "price": "1.29"}'.encode("utf-32"),
    "latin-1": '{"sku": "č", "price": "1.29"}'.encode("iso-8859-2"),
    "overlong": b'{"sku": "\xc0\xaf", "price": "1.29"}',
    "raw surrogate": b'{"sku": "\xed\xa0\x80", "price": "1.29"}',
    "raw NUL": b'{"sku": "10\x0001", "price": "1.29"}',
    "NULs": b"\0" * 1000,
    "gzip": b"\x1f\x8b\x08\x00" + b"\0" * 40,
    "nested": b"[" * 100_000,
    "nested objects": b'{"a":' * 50_000,
    "nested and closed": b"[" * 5000 + b"]" * 5000,
    "huge number": b"9" * 500_000,
    "leading zeros": b'{"sku": "1001", "price": 001}',
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_not_json_is_refused_everywhere(untouched: RunningHouse, name: str) -> None:
    for method, path in CHANGING:
        if name == "empty" and path in (GATEWAY, LINKS):
            continue  # nothing has to be said about a gateway or a link
        answer = untouched.ask(method, path, content=NOT_JSON[name])
        problem = check_problem(answer, 422)
        assert {error["pointer"] for error in problem["errors"]} == {""}
        assert CANARY not in answer.text


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (rb'{"sku": "10\u000001", "price": "1.29"}', ("/sku",)),
        (rb'{"sku": "\ud800", "price": "1.29"}', ("/sku",)),
        (rb'[{"sku": "1001", "price": "\udc00"}]', ("/0/price",)),
        (rb'{"sku": "1001", "price": "1.29", "badge": "\ud83d"}', ("/badge",)),
        (rb'{"\ud800": 1, "sku": "1001", "price": "1.29"}', ("",)),
        (rb'{"\u0000": 1, "sku": "1001", "price": "1.29"}', ("",)),
        (b'{"sku": "1001", "price": "1.29", "price": "1.39"}', ("/price",)),
        (b'{"sku": "1001", "sku": "1002", "price": "1.29"}', ("/sku",)),
        (b'[{"sku": "1001", "price": "1"}, {"sku": "1", "price": "2", "price": "3"}]',
         ("/1/price",)),
        (b'{"sku": "1001", "price": "1.29", "source_seq": 9007199254740993}', ("/source_seq",)),
        (b'{"sku": "1001", "price": "1.29", "a": ' + b"[" * 40 + b"]" * 40 + b"}",
         ("/a" + "/0" * 31,)),
    ],
)  # fmt: skip
def test_json_that_readers_disagree_on_is_refused_with_its_path(
    untouched: RunningHouse, body: bytes, pointers: tuple[str, ...]
) -> None:
    problem = check_problem(untouched.ask("POST", CHANGES, content=body), 422)
    found = tuple(error["pointer"] for error in problem["errors"])
    assert found == pointers or (pointers[0].startswith("/a/") and found[0].startswith("/a/0"))


def test_ten_thousand_and_one_items_are_refused_and_ten_thousand_bad_ones_answered_briefly(
    untouched: RunningHouse,
) -> None:
    small = {"sku": "1", "price": "1"}
    check_problem(untouched.ask("POST", CHANGES, json=[small] * 10_001), 422, "")
    problem = check_problem(untouched.ask("POST", CHANGES, json=[{"sku": ""}] * 10_000), 422)
    assert len(problem["errors"]) <= 50


def test_several_problems_are_all_told_at_once(untouched: RunningHouse) -> None:
    body = [{"sku": "", "price": 1.5, "x": 1}, {"sku": "1001", "price": "0", "badge": ""}]
    problem = check_problem(untouched.ask("POST", CHANGES, json=body), 422)
    pointers = {error["pointer"] for error in problem["errors"]}
    assert pointers == {"/0/sku", "/0/price", "/0/x", "/1/price", "/1/badge"}
    assert problem["detail"].startswith("5 fields")
