"""A promotion on real processes: it begins by itself, and ends though nobody was there."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api.client import Client
from tests.panels import PANELS
from tests.shelf import MAIN, controller_on, lively_shop, stock_main, until

PANEL = PANELS.named("bwry-296x128")
LABELS = [f"l-{n:03}" for n in range(200)]
PROMOTED = LABELS[:150]
HERE = "/api/v1/promotions"


def unsettled(client: Client) -> int:
    return int(client.get(f"{MAIN}/summary")["unsettled"])


def local(moment: datetime) -> str:
    there = moment.astimezone(ZoneInfo("Europe/Zagreb"))
    return there.replace(tzinfo=None, microsecond=0).isoformat()


def plan(client: Client, begins: datetime, ends: datetime) -> Any:
    client.put(f"{MAIN}/till", {"channel": "own"})
    client.post(
        HERE,
        {
            "id": "weekend",
            "name": "Weekend",
            "gives": {"percent": 25},
            "selection": {"skus": PROMOTED},
            "window": {"begins": local(begins), "ends": local(ends)},
        },
    )
    return client.post(f"{HERE}/weekend/schedule", {})


async def test_a_promotion_begins_by_itself_and_ends_though_the_controller_was_down(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    async with controller_on(folder) as (_, client):
        enrolment = await asyncio.to_thread(stock_main, client, LABELS, PANEL.panel_id)
        shop = lively_shop(enrolment, LABELS, PANEL)
        async with shop:
            await shop.connected()
            await until(lambda: unsettled(client) == 0, 60, "the shelf being settled")
            before = {x: shop.label(x).shown_digest for x in LABELS}

            begins = datetime.now(UTC) + timedelta(seconds=3)
            ends = begins + timedelta(seconds=8)
            await asyncio.to_thread(plan, client, begins, ends)
            await until(
                lambda: client.get(f"{HERE}/weekend")["state"] == "active", 20, "its beginning"
            )
            await until(
                lambda: all(shop.label(x).shown_digest != before[x] for x in PROMOTED),
                30,
                "the promotion on every label",
            )
            assert all(shop.label(x).shown_digest == before[x] for x in LABELS[150:])
            progress = await asyncio.to_thread(client.get, f"{HERE}/weekend/progress")
            assert progress["labels"] == len(PROMOTED)
            during = {x: shop.label(x).paints for x in LABELS}
    await asyncio.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds() + 1.0))
    async with controller_on(folder) as (_, client):
        shop = lively_shop(enrolment, LABELS, PANEL)
        async with shop:
            await shop.connected()
            await until(lambda: client.get(f"{HERE}/weekend")["state"] == "ended", 20, "its end")
            await until(
                lambda: all(shop.label(x).shown_digest == before[x] for x in LABELS),
                40,
                "the price without it on every label",
            )
            await until(lambda: unsettled(client) == 0, 30, "the shelf being settled")
            product = await asyncio.to_thread(client.get, f"{MAIN}/products/l-000")
            assert (product["price"], "offer" in product) == ("1.29", False)
            why = await asyncio.to_thread(client.get, "/api/v1/labels/l-000/explain")
            assert why["products"][0]["price"] == "1.29"
    assert all(during.values())
