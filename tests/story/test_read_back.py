"""What became of prices on the shelf, asked as a till would: by change, and by batch."""

import asyncio
from pathlib import Path

from api.client import Client
from tests.panels import PANELS
from tests.shelf import MAIN, controller_on, lively_shop, stock_main, until

PANEL = PANELS.named("bwry-296x128")
LABELS = [f"l-{n}" for n in range(4)]


def verdicts(client: Client, address: str) -> dict[str, str]:
    return {x["label"]: x["verdict"] for x in client.get(address)["labels"]}


async def test_a_change_is_pending_then_shown_and_then_superseded(tmp_path: Path) -> None:
    async with controller_on(tmp_path / "data") as (_, client):
        enrolment = await asyncio.to_thread(stock_main, client, LABELS, PANEL.panel_id)
        shop = lively_shop(enrolment, LABELS, PANEL)
        one = {"sku": "l-0", "price": "0.99"}
        [first] = (await asyncio.to_thread(client.post, f"{MAIN}/price-changes", one))["results"]
        by_change = f"/api/v1/price-changes/{first['rev']}"
        assert verdicts(client, by_change) == {"l-0": "pending"}, "no gateway is there yet"
        async with shop:
            await shop.connected()
            await until(
                lambda: verdicts(client, by_change) == {"l-0": "shown"}, 60, "the label showing it"
            )
            [said] = client.get(by_change)["labels"]
            assert said["at"] is not None
            assert client.get(by_change)["counts"]["shown"] == 1

            many = [{"sku": x, "price": "0.89"} for x in LABELS[:3]]
            sent = await asyncio.to_thread(client.post, f"{MAIN}/price-changes", many)
            by_batch = f"{MAIN}/batches/{sent['batch']}/labels"
            assert set(verdicts(client, by_batch)) == set(LABELS[:3])
            await until(
                lambda: set(verdicts(client, by_batch).values()) == {"shown"}, 60, "all showing it"
            )
            found = client.get(by_batch)
            assert {x["change"] for x in found["labels"]} == {sent["results"][0]["rev"]}
            assert verdicts(client, by_change) == {"l-0": "shown"}, "it was, whatever came later"
        # No gateway any more: what comes now cannot be shown, and is overtaken by what comes next.
        [lost] = client.post(f"{MAIN}/price-changes", {"sku": "l-1", "price": "0.79"})["results"]
        client.post(f"{MAIN}/price-changes", {"sku": "l-1", "price": "0.69"})
        assert verdicts(client, f"/api/v1/price-changes/{lost['rev']}") == {"l-1": "superseded"}
        assert client.get(by_batch)["counts"] == {
            "pending": 0, "shown": 3, "superseded": 0, "failed": 0,
        }  # fmt: skip
