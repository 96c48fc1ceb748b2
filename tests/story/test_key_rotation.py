"""The signing key is rotated by enrolment files, step by step, with a gateway that obeys it."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from api.client import Client
from api.clock import MachineClock
from gateway.wire.enrolment import Enrolment, from_json
from simulator.gateway import GatewayOptions
from simulator.shop import Shop
from tests.panels import PANELS
from tests.shelf import MAIN, UNGUARDED, controller_on, until

PANEL = PANELS.named("bwry-296x128")


def esl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def rotate(folder: Path) -> subprocess.CompletedProcess[str]:
    return esl("keys", "rotate", "--data", str(folder))


def enrol(client: Client) -> Enrolment:
    return from_json(client.put_text(f"{MAIN}/gateways/gw-1", {}))


@contextlib.asynccontextmanager
async def gateway_with(enrolment: Enrolment) -> AsyncIterator[Shop]:
    """A simulated gateway that believes the keys of this file, with a blank label."""
    options = GatewayOptions(beacon_s=1.0, heartbeat_s=1.0)
    shop = Shop(
        [(enrolment, [("l-1", PANEL)])],
        clock=MachineClock(),
        sleep=asyncio.sleep,
        options=options,
    )
    async with shop:
        await shop.connected()
        yield shop


async def paints(shop: Shop) -> None:
    label = shop.label("l-1")
    await until(lambda: label.shown_rev > 0, 30, "the label painting")


def set_up(client: Client) -> None:
    client.put(MAIN, UNGUARDED)
    enrol(client)
    client.post(f"{MAIN}/products", [{"sku": "1", "name": "Kruh", "price": "1.29"}])
    label = {"label": "l-1", "panel": PANEL.panel_id, "gateway": "gw-1"}
    client.post(f"{MAIN}/labels", label)
    client.post(f"{MAIN}/pairings", {"label": "l-1", "sku": "1"})


async def test_a_key_is_rotated_while_gateways_go_on_obeying(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with controller_on(folder) as (_, client):
        await asyncio.to_thread(set_up, client)
        first = await asyncio.to_thread(enrol, client)
        async with gateway_with(first) as shop:
            await paints(shop)

        began = await asyncio.to_thread(rotate, folder)
        assert began.returncode == 0, began.stderr
        too_soon = await asyncio.to_thread(rotate, folder)
        assert too_soon.returncode == 1
        assert "gw-1" in too_soon.stderr, "it names who does not have the next key"
        both = await asyncio.to_thread(enrol, client)
        assert set(first.keys) < set(both.keys)
        async with gateway_with(both) as shop:
            await paints(shop)
        switched = await asyncio.to_thread(rotate, folder)
        assert switched.returncode == 0, switched.stderr

    async with controller_on(folder) as (_, client):
        shown: Any = await asyncio.to_thread(esl, "keys", "show", "--data", str(folder))
        [new] = set(both.keys) - set(first.keys)
        assert f"signs: {new}" in shown.stdout
        async with gateway_with(both) as shop:
            await paints(shop)
        async with gateway_with(first) as shop:
            # Who was not enrolled anew obeys nobody: that is what the key is for.
            dropped = shop.gateway("gw-1").dropped
            await until(lambda: dropped["BadSignature"] > 0, 30, "the old gateway refusing")
            assert shop.label("l-1").shown_rev == 0
        ended = await asyncio.to_thread(rotate, folder)
        assert ended.returncode == 0, ended.stderr
        alone = await asyncio.to_thread(enrol, client)
        assert set(alone.keys) == {new}
        async with gateway_with(alone) as shop:
            await paints(shop)
