"""Prices change together at a moment, on real processes: staged, armed, shown, and then true."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from api.client import Client
from tests.panels import PANELS
from tests.shelf import MAIN, controller_on, lively_shop, stock_main, until

PANEL = PANELS.named("bwry-296x128")
LABELS = [f"l-{n}" for n in range(6)]
AHEAD_S = 27.0  # staging needs 20 s before the moment


def unsettled(client: Client) -> int:
    return int(client.get(f"{MAIN}/summary")["unsettled"])


async def test_labels_flip_together_at_their_moment_and_hold_the_new_price(tmp_path: Path) -> None:
    async with controller_on(tmp_path / "data") as (_, client):
        enrolment = await asyncio.to_thread(stock_main, client, LABELS, PANEL.panel_id)
        shop = lively_shop(enrolment, LABELS, PANEL)
        async with shop:
            await shop.connected()
            await until(lambda: unsettled(client) == 0, 60, "the shelf being settled")
            before = {x: shop.label(x).shown_digest for x in LABELS}

            at = datetime.now(UTC) + timedelta(seconds=AHEAD_S)
            flipping = LABELS[:4]
            changes = [{"sku": x, "price": "0.99", "badge": "AKCIJA"} for x in flipping]
            planned = await asyncio.to_thread(
                client.post, f"{MAIN}/flips", {"at": at.isoformat(), "changes": changes}
            )
            assert planned["staged"] == len(flipping)
            flip = f"{MAIN}/flips/{planned['flip']}"
            await until(
                lambda: client.get(flip)["pictures"]["armed"] == len(flipping),
                AHEAD_S - 21,
                "every show being armed",
            )
            paints = {x: shop.label(x).paints for x in LABELS}

            await asyncio.sleep((at - datetime.now(UTC)).total_seconds() - 1.0)
            assert {x: shop.label(x).shown_digest for x in LABELS} == before, "nothing before it"
            await until(
                lambda: all(shop.label(x).shown_digest != before[x] for x in flipping),
                4,
                "the labels flipping",
            )
            assert time.time() >= at.timestamp()
            await until(lambda: client.get(flip)["state"] == "begun", 10, "the flip beginning")
            await until(lambda: unsettled(client) == 0, 30, "the shelf being settled again")

            rev = (await asyncio.to_thread(client.get, flip))["rev"]
            found = await asyncio.to_thread(client.get, f"{MAIN}/verdicts", change=rev)
            assert {v["label"]: v["verdict"] for v in found["verdicts"]} == dict.fromkeys(
                flipping, "shown"
            )
            for x in LABELS:
                painted = shop.label(x).paints - paints[x]
                assert painted == (x in flipping), "one refresh a label, and none for the others"
            price = (await asyncio.to_thread(client.get, f"{MAIN}/products/l-0"))["price"]
            assert price == "0.99"


async def test_a_light_is_accepted_and_an_unpaired_label_goes_neutral(tmp_path: Path) -> None:
    async with controller_on(tmp_path / "data") as (_, client):
        enrolment = await asyncio.to_thread(stock_main, client, LABELS, PANEL.panel_id)
        shop = lively_shop(enrolment, LABELS, PANEL)
        async with shop:
            await shop.connected()
            await until(lambda: unsettled(client) == 0, 60, "the shelf being settled")
            lit = await asyncio.to_thread(client.post, f"{MAIN}/lights", {"labels": LABELS})
            [number] = lit["commands"]
            await until(
                lambda: client.get(f"{MAIN}/commands/{number}")["state"] == "accepted",
                10,
                "the light being accepted",
            )
            before = shop.label("l-0").shown_digest
            await asyncio.to_thread(client.delete, f"{MAIN}/labels/l-0")
            await until(lambda: shop.label("l-0").shown_digest != before, 20, "the neutral face")
            label = await asyncio.to_thread(client.get, "/api/v1/labels/l-0")
            await until(
                lambda: client.get("/api/v1/labels/l-0")["state"] == "unassociated",
                20,
                "the label leaving",
            )
            assert label["template"] == "neutral"
