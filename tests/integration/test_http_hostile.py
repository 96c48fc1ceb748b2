"""Hundreds of generated bodies against every changing endpoint: no fault, and no wrong price."""

import copy
import itertools
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any
from urllib.parse import quote

import pytest

from api.openapi import describe
from tests.running_house import PROBLEM, RunningHouse

pytest_plugins = ["tests.shop_over_http"]

BODIES_LEAST = 300
RANDOM_BODIES_LEAST = 100
SEED = 20_260_301
ENDPOINTS = 106  # that take JSON
PRODUCTS = "/api/v1/stores/main/products"
BATCH_ONE = {"1001": "1.29", "1002": "0.99"}
"""Prices that the shop began with, in one request, which is a batch."""
ADDRESS = {
    "store": "main",
    "sku": "1001",
    "gateway": "gw-1",
    "template": "own",
    "label": "gw-1-0001",
    "task": "1",
    "flip": "1",
    "command": "1",
    "picture": "logo",
    "source": "till",
    "mapping": "till",
    "group": "north",
    "zone": "coast",
    "batch": "1",
    "promotion": "hostile",
    "import_id": "9f86d081884c7d65",
    "subscription": "erp",
    "person": "0a1b2c3d4e5f",
    "client": "0a1b2c3d4e5f",
    "delivery": "1",
    "step": "1",
    "inspection": "1",
    "item": "1",
    "ticket": "1",
}

HOSTILE_VALUES = [
    None,
    True,
    False,
    0,
    -1,
    7,
    2**31,
    2**53,
    2**63,
    10**30,
    1.5,
    1e308,
    float("inf"),
    float("-inf"),
    float("nan"),
    "",
    " ",
    "0",
    "-1",
    "1_000",
    "１２",
    "١٢",
    "1e999",
    "NaN",
    "1.299",
    "99999999999999999999",
    "a" * 70,
    "a" * 5000,
    "\0",
    "a\0b",
    "\ud800",
    "\udfff",
    "\u202eabc",
    "\ufeff",
    "\u2028",
    "../../etc/passwd",
    "%00",
    "' OR 1=1 --",
    '"; DROP TABLE price; --',
    "{{7*7}}",
    "${jndi:ldap://x}",
    "<script>alert(1)</script>",
    "🥖" * 30,
    "e\u0301" * 50,
    "*",
    "#",
    "+/#",
    [],
    {},
    [[]],
    ["a"],
    [None] * 50,
    {"": ""},
    {"a": {"b": {"c": []}}},
    {"__proto__": {}},
]

Place = tuple[Any, Any]  # a container and a key or index into it


def _endpoints(shop: RunningHouse) -> Iterator[tuple[str, str, Any]]:
    """Yield every endpoint that takes JSON, with the example of its description."""
    for path, methods in describe(shop.app)["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                example = content["application/json"]["example"]
                yield method.upper(), path.format(**ADDRESS), example


def _places(value: Any) -> list[Place]:
    inner = (
        list(value.items())
        if isinstance(value, dict)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    return [place for key, part in inner for place in ((value, key), *_places(part))]


def _hostile(random: Random) -> Any:
    return copy.deepcopy(random.choice(HOSTILE_VALUES))


def _bodies(example: Any, random: Random) -> Iterator[bytes]:
    """Yield every hostile value in every place, one at a time; then whatever chance brings."""
    everywhere = list(itertools.product(range(len(_places(example))), HOSTILE_VALUES))
    for number, hostile in everywhere:
        value = copy.deepcopy(example)
        container, key = _places(value)[number]
        container[key] = copy.deepcopy(hostile)
        yield json.dumps(value).encode()
    text = json.dumps(example)
    yield text.replace('"price":', '"price": "1.11", "price":').encode()
    for _ in range(max(RANDOM_BODIES_LEAST, BODIES_LEAST - len(everywhere))):
        yield _spoil(example, random)


def _spoil(example: Any, random: Random) -> bytes:
    """Make a hostile body of a good one: by its values, its shape, its text or its bytes."""
    value = json.loads(json.dumps(example))
    for _ in range(random.randint(1, 3)):
        places = _places(value)
        if not places or random.random() < 0.05:
            value = _hostile(random)
            continue
        container, key = random.choice(places)
        match random.randrange(6):
            case 0 | 1 | 2:
                container[key] = _hostile(random)
            case 3:
                del container[key]
            case 4 if isinstance(container, dict):
                container[str(_hostile(random))[:200]] = _hostile(random)
            case _:
                container[key] = [container[key]] * random.randint(1, 40)
    return _spoil_text(json.dumps(value, ensure_ascii=random.random() < 0.5), random)


def _spoil_text(text: str, random: Random) -> bytes:
    body = text.encode("utf-8", "surrogatepass")
    match random.randrange(8):
        case 0:
            spoiled = bytearray(body)
            for _ in range(random.randint(1, 8)):
                spoiled[random.randrange(len(spoiled))] = random.randrange(256)
            return bytes(spoiled)
        case 1:
            return body[: random.randrange(len(body) + 1)]
        case 2:
            return text.encode(random.choice(["utf-16", "utf-32", "utf-8-sig"]), "surrogatepass")
        case 3:
            return b"[" * random.randint(1, 3000) + body
        case 4:
            return body.replace(b'"price":', b'"price": "1.11", "price":')
        case _:
            return body


@pytest.fixture(scope="module")
def prices(shop: RunningHouse) -> dict[str, str]:
    """What each product costs, as this test believes it by what was answered."""
    return dict(_prices_of(shop))


def _prices_of(shop: RunningHouse) -> Iterator[tuple[str, str]]:
    for sku, minor in shop.read("SELECT sku, price_minor FROM price WHERE store_id = 'main'"):
        yield sku, str(Decimal(minor).scaleb(-2))


def _note_accepted(prices: dict[str, str], path: str, body: bytes, answer: Any) -> None:
    """Believe an accepted body, if its prices are beyond doubt what its sender wrote."""
    value = json.loads(body, object_pairs_hook=_without_doubt, parse_float=lambda _: None)
    items = value if isinstance(value, list) else [value]
    results = answer.get("results", [{"decision": "accepted"}] * len(items))
    for item, result in zip(items, results, strict=True):
        if "price" in item and result["decision"] != "superseded":
            price = item["price"]
            assert isinstance(price, str), body[:300]
            assert re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,2})?", price, re.ASCII), body[:300]
            sku = item.get("sku", path.rpartition("/")[2])
            prices[sku] = str(Decimal(price).quantize(Decimal("0.01")))


def _without_doubt(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), f"accepted, and it says two things: {pairs}"
    return dict(pairs)


@pytest.mark.parametrize("number", range(ENDPOINTS))
@pytest.mark.asvs("1.2.4", "2.2.1", "2.2.2")
def test_no_generated_body_makes_a_fault_or_a_wrong_price(
    shop: RunningHouse, prices: dict[str, str], number: int
) -> None:
    endpoints = list(_endpoints(shop))
    assert len(endpoints) == ENDPOINTS, "say how many endpoints take JSON"
    method, path, example = endpoints[number]
    random = Random(SEED + number)
    sent = refused = 0
    for body in _bodies(example, random):
        sent += 1
        answer = shop.ask(method, path, content=body, headers={"If-Match": "*"})
        where = f"{method} {path} {body[:300]!r}: {answer.text[:300]}"
        assert answer.status_code < 500, where
        assert "Traceback" not in answer.text, where
        if answer.is_success:
            if path.endswith("/planograms"):  # each row is refused by itself
                told = answer.json()
                refused += told["rejected"] == told["rows"]
            if "/price-changes" in path or "/products" in path:
                _note_accepted(prices, path, body, answer.json())
            if path.endswith("/hand-prices"):
                _note_accepted(prices, path, body, {"results": [answer.json()]})
            if path.endswith("/withdrawals"):
                for sku in json.loads(body)["skus"]:
                    prices.pop(sku, None)
            if path.endswith("/batches/1/roll-back"):  # with which the shop's products came
                for sku, price in BATCH_ONE.items():
                    if prices.get(sku) == price:  # there was none before; a newer one stays
                        del prices[sku]
            continue
        refused += 1
        assert answer.headers["content-type"] == PROBLEM, where
        assert all("pointer" in e for e in answer.json().get("errors", ())), where
    assert sent >= BODIES_LEAST
    assert refused >= sent // 2, "the bodies are not hostile enough to prove anything"
    assert dict(_prices_of(shop)) == prices


def test_after_all_that_the_books_are_in_order(shop: RunningHouse, prices: dict[str, str]) -> None:
    assert shop.read("PRAGMA integrity_check") == [("ok",)]
    assert shop.read("PRAGMA foreign_key_check") == []
    for sku, price in prices.items():
        assert shop.done("GET", f"{PRODUCTS}/{quote(sku, safe='')}")["price"] == price
    events = shop.read(
        "SELECT count(*) FROM price_event WHERE price_minor NOT BETWEEN 1 AND 999999999"
    )
    assert events == [(0,)]
