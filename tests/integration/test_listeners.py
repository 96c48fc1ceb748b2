"""Webhooks and connectors in a whole house, registered over HTTP, and the prices they bring."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_shops import FakeBigCommerce, FakeShopify, FakeSquare, Reply, served
from tests.running_house import STORE_BODY, RunningHouse, running_house

SECRET = "a secret of sixteen signs"
PRODUCT = {
    "id": 7,
    "title": "T-Shirt",
    "updated_at": "2026-03-01T08:00:00Z",
    "variants": [{"title": "Default Title", "sku": "T-1", "price": "29.99"}],
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("listeners"), with_worker=True) as running:
        running.done("PUT", "/api/v1/stores/main", STORE_BODY)
        yield running


def register(house: RunningHouse, source: str, settings: dict[str, str], **more: Any) -> None:
    body = {"name": source, "store": "main", "kind": "webhook", "settings": settings, **more}
    house.done("PUT", f"/api/v1/sources/{source}", body)
    for kind in ("webhook", "token"):
        put = {"kind": kind, "secret": SECRET}
        house.done("POST", f"/api/v1/sources/{source}/secrets", put)
    house.app.state.hooks.sources.forget_all()


def call(house: RunningHouse, source: str, body: Any, event: str, topic: str) -> int:
    content = json.dumps(body).encode()
    digest = hmac.new(SECRET.encode(), content, hashlib.sha256).digest()
    headers = {
        "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
        "x-shopify-webhook-id": event,
        "x-shopify-topic": topic,
    }
    answer = house.ask(
        "POST", f"/api/v1/hooks/{source}", content=content, token=None, headers=headers
    )
    assert answer.status_code == 202, answer.text
    return int(answer.json()["id"])


def until(say: Callable[[], Any], wanted: Any) -> None:
    found: Any = None
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = say()
        if found == wanted:
            return
        time.sleep(0.05)
    raise AssertionError(f"{found!r} in place of {wanted!r}")


def price(house: RunningHouse, sku: str) -> int | None:
    rows = house.read("SELECT price_minor FROM price WHERE sku = ?", sku)
    return int(rows[0][0]) if rows else None


def event_state(house: RunningHouse, number: int) -> tuple[str, str]:
    [(state, error)] = house.read("SELECT state, error FROM hook_event WHERE hook_key = ?", number)
    return state, error


def test_a_signed_product_becomes_a_price_once_and_in_order(house: RunningHouse) -> None:
    register(house, "shop-a", {"system": "shopify"})
    first = call(house, "shop-a", PRODUCT, "e1", "products/update")
    until(lambda: price(house, "T-1"), 2999)
    until(lambda: event_state(house, first), ("done", ""))
    newer = {
        **PRODUCT,
        "updated_at": "2026-03-01T09:00:00Z",
        "variants": [{"title": "Default Title", "sku": "T-1", "price": "27.50"}],
    }
    second = call(house, "shop-a", newer, "e2", "products/update")
    until(lambda: event_state(house, second), ("done", ""))
    assert price(house, "T-1") == 2750
    assert call(house, "shop-a", PRODUCT, "e1", "products/update") == first
    late = call(house, "shop-a", PRODUCT, "e3", "products/update")
    until(lambda: event_state(house, late), ("done", ""))
    assert price(house, "T-1") == 2750, "an older time is superseded, whatever its event is called"


def test_a_stock_event_changes_nothing(house: RunningHouse) -> None:
    register(house, "shop-b", {"system": "shopify"})
    first = call(
        house,
        "shop-b",
        {
            **PRODUCT,
            "variants": [
                {"title": "Default Title", "sku": "B-1", "price": "5.00", "inventory_quantity": 9}
            ],
        },
        "e1",
        "products/update",
    )
    until(lambda: event_state(house, first)[0], "done")
    events = "SELECT count(*) FROM price_event WHERE sku = 'B-1'"
    before = house.read(events), house.read("SELECT rev FROM product WHERE sku = 'B-1'")
    again = call(
        house,
        "shop-b",
        {
            **PRODUCT,
            "updated_at": "2026-03-01T10:00:00Z",
            "variants": [
                {"title": "Default Title", "sku": "B-1", "price": "5.00", "inventory_quantity": 8}
            ],
        },
        "e2",
        "products/update",
    )
    until(lambda: event_state(house, again)[0], "done")
    after = house.read(events), house.read("SELECT rev FROM product WHERE sku = 'B-1'")
    assert after == before
    level = call(house, "shop-b", {"available": 5}, "e3", "inventory_levels/update")
    until(lambda: event_state(house, level)[0], "noise")


def test_what_cannot_be_read_is_poisoned_and_holds_nothing_up(house: RunningHouse) -> None:
    register(house, "shop-c", {"system": "shopify"})
    bad = call(house, "shop-c", ["not", "a", "product"], "e1", "products/update")
    partial = call(house, "shop-c", {"id": 7}, "e2", "products/update")
    good = {**PRODUCT, "variants": [{"title": "Default Title", "sku": "C-1", "price": "1.00"}]}
    last = call(house, "shop-c", good, "e3", "products/update")
    until(lambda: price(house, "C-1"), 100)
    until(lambda: event_state(house, last)[0], "done")
    assert event_state(house, bad)[0] == "poisoned"
    assert "connector" in event_state(house, partial)[1]


def test_a_shop_is_asked_and_a_thin_event_asks_at_once(house: RunningHouse) -> None:
    fake = FakeShopify()
    fake.secret_header = ("x-shopify-access-token", SECRET)  # type: ignore[misc]
    for cents in (100, 200, 300):
        fake.add(cents)
    with served(fake):
        settings = {"system": "shopify", "address": fake.url, "every_s": "3600"}
        register(house, "shop-d", {**settings, "allow_private": "127.0.0.1"}, kind="poll")
        until(lambda: price(house, "S3"), 300)
        fake.change(2, 222)
        thin = call(house, "shop-d", {"id": 2}, "e1", "products/update")
        until(lambda: price(house, "S2"), 222)
        assert event_state(house, thin)[0] == "done"
        heard = house.read("SELECT heard_at FROM source WHERE source_id = 'shop-d'")
        assert heard != [(None,)]
        house.done("DELETE", "/api/v1/sources/shop-d")


def test_square_tells_that_something_changed_and_is_asked_what(house: RunningHouse) -> None:
    fake = FakeSquare()
    fake.secret_header = ("authorization", f"Bearer {SECRET}")  # type: ignore[misc]
    fake.add(100)
    fake.add(200)
    address = "https://labels.shop.example/api/v1/hooks/shop-s"
    with served(fake):
        settings = {
            "system": "square", "address": fake.url, "every_s": "3600", "hook_url": address,
        }  # fmt: skip
        register(house, "shop-s", {**settings, "allow_private": "127.0.0.1"}, kind="poll")
        until(lambda: price(house, "S2"), 200)
        fake.change(2, 222)
        said = {
            "type": "catalog.version.updated",
            "event_id": "e1",
            "data": {"object": {"catalog_version": {"updated_at": "2026-03-01T06:00:03Z"}}},
        }
        content = json.dumps(said).encode()

        def tell(signed: bytes) -> int:
            digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
            header = {"x-square-hmacsha256-signature": base64.b64encode(digest).decode()}
            path = "/api/v1/hooks/shop-s"
            return house.ask("POST", path, content=content, token=None, headers=header).status_code

        assert tell(content) == 401, "Square signs the address, too"
        assert tell(address.encode() + content) == 202
        until(lambda: price(house, "S2"), 222)
        house.done("DELETE", "/api/v1/sources/shop-s")


def test_a_private_address_that_nobody_named_is_not_asked(house: RunningHouse) -> None:
    fake = FakeBigCommerce()
    with served(fake):
        address = fake.url.replace("http:", "https:")
        register(house, "shop-e", {"system": "bigcommerce", "address": address}, kind="poll")

        def problem() -> str:
            found = house.read("SELECT problem FROM connector WHERE source = 'shop-e'")
            return str(found[0][0]) if found else ""

        until(lambda: "allow_private" in problem(), wanted=True)
        house.done("DELETE", "/api/v1/sources/shop-e")
    assert fake.asked == []


def test_a_source_that_is_switched_off_is_unknown_to_callers(house: RunningHouse) -> None:
    register(house, "shop-f", {"system": "shopify"}, disabled=True)
    answer = house.ask("POST", "/api/v1/hooks/shop-f", content=b"{}", token=None)
    assert answer.status_code == 404


def test_a_house_ends_at_once_while_a_shop_takes_its_time(tmp_path: Path) -> None:
    fake = FakeShopify()
    fake.secret_header = ("x-shopify-access-token", SECRET)  # type: ignore[misc]
    fake.before = lambda _shop, _asked: time.sleep(8)
    fake.replies = [Reply({}, status=500)]
    with served(fake):
        with running_house(tmp_path, with_worker=True) as house:
            house.done("PUT", "/api/v1/stores/main", STORE_BODY)
            settings = {"system": "shopify", "address": fake.url, "allow_private": "127.0.0.1"}
            register(house, "shop", settings, kind="poll")
            until(lambda: len(fake.asked), 1)
            began = time.monotonic()
        assert time.monotonic() - began < 6
        for thread in threading.enumerate():
            if thread.name == "connector":
                thread.join(20)
