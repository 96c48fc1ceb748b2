"""A driver written for another maker's controller, only its address changed, and the glass."""

import asyncio
import base64
import contextlib
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from api.client import Client
from api.demo.sample_shop import STORE, shelf
from api.demo.shop import Demo
from tests.shelf import controller_on, until

SCOPES = ["price:write", "price:read", "label:read", "label:pair"]
COMMON = "/common/api/v2/common"


class SolumDriver:
    """Logs in, sends articles, links labels, polls until they are shown."""

    def __init__(self, url: str, secret: str) -> None:
        self._http = httpx2.Client(base_url=f"{url}/compat/solum", trust_env=False, timeout=30)
        login = {"username": "till", "password": secret}
        message = self._http.post("/common/api/v2/token", json=login).json()["responseMessage"]
        self._http.headers["Authorization"] = f"Bearer {message['access_token']}"
        self._query = {"company": "ACME", "store": STORE}

    def put_price(self, sku: str, price: str) -> None:
        data = {"SALE_PRICE": price, "LIST_PRICE": price}
        self._send("PUT", "articles", [{"articleId": sku, "articleName": "Kruh", "data": data}])

    def link(self, label: str, sku: str) -> None:
        one = {"labelCode": label, "articleIdList": [sku], "templateName": "PRICE"}
        self._send("POST", "labels/link", {"assignList": [one]})

    def is_shown(self, label: str, sku: str) -> bool:
        found = self._send("GET", "labels", None)["labelList"]
        [mine] = [one for one in found if one["labelCode"] == label]
        assert mine["articleList"][0]["articleId"] == sku
        return bool(mine["status"] == "SUCCESS")

    def close(self) -> None:
        self._http.close()

    def _send(self, method: str, path: str, body: Any) -> Any:
        answer = self._http.request(method, f"{COMMON}/{path}", json=body, params=self._query)
        answer.raise_for_status()
        return answer.json()


class PricerDriver:
    """Uses HTTP Basic on each call, as scripts on the premises do."""

    def __init__(self, url: str, secret: str) -> None:
        text = base64.b64encode(f"till:{secret}".encode()).decode()
        self._http = httpx2.Client(
            base_url=f"{url}/compat/pricer/{STORE}/api/public/core/v1",
            headers={"Authorization": f"Basic {text}"},
            trust_env=False,
            timeout=30,
        )

    def put_price(self, sku: str, price: str) -> None:
        item = {"itemId": sku, "itemName": "Kruh", "price": price, "presentation": "NORMAL"}
        number = self._send("PATCH", "items", [item])["requestId"]
        assert self._send("GET", f"items-result/{number}", None)["itemErrorCount"] == 0

    def link(self, label: str, sku: str) -> None:
        links = [{"barcode": label, "itemId": sku}]
        self._send("PATCH", "labels", [{"barcode": label, "links": links}])

    def is_shown(self, label: str, sku: str) -> bool:
        found = self._send("GET", f"labels/{label}", None)
        assert found["links"][0]["itemId"] == sku
        return bool(found["plState"] == "OK")

    def close(self) -> None:
        self._http.close()

    def _send(self, method: str, path: str, body: Any) -> Any:
        answer = self._http.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()


Driver = SolumDriver | PricerDriver


async def _tell(client: Client, make: Callable[[str, str], Driver]) -> None:
    demo = await asyncio.to_thread(lambda: Demo(client, shelf(2), paint_s=0.05, seed=1))
    token = {"name": "till", "scopes": SCOPES, "stores": [STORE]}
    secret = client.post("/api/v1/tokens", token)["token"]
    driver = await asyncio.to_thread(make, client.url, secret)
    del demo.places[1:]
    async with demo.shop:
        with contextlib.closing(driver):
            await _change_price(client, demo, driver)


async def _change_price(client: Client, demo: Demo, driver: Driver) -> None:
    [place] = demo.places
    code, glass = place.label_id.upper(), demo.shop.labels[place.label_id]
    await asyncio.to_thread(driver.put_price, "driver-1", "1.29")
    await asyncio.to_thread(driver.link, code, "driver-1")
    await until(lambda: driver.is_shown(code, "driver-1"), 30, "the linked label")
    first = glass.shown_pixels
    assert first is not None
    assert await asyncio.to_thread(demo.mismatches) == []
    await asyncio.to_thread(driver.put_price, "driver-1", "1.39")
    await until(
        lambda: glass.shown_pixels != first and driver.is_shown(code, "driver-1"),
        30,
        "the new price",
    )
    assert await asyncio.to_thread(demo.mismatches) == []
    face = client.get(f"/api/v1/labels/{place.label_id}")["face"]
    assert (face["name"], face["price"]) == ("Kruh", "1.39")


@pytest.mark.parametrize("make", [SolumDriver, PricerDriver])
async def test_a_driver_links_a_label_and_changes_its_price(tmp_path, make):
    async with controller_on(tmp_path / "data") as (_, client):
        await _tell(client, make)


async def test_the_same_holds_on_postgresql(tmp_path, fresh_postgres_url: str):
    async with controller_on(tmp_path / "data", "--database", fresh_postgres_url) as (_, client):
        await _tell(client, SolumDriver)
