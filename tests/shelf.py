"""A whole shelf for stories: a controller process, a simulated shop, and the comparison."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from api.client import Client
from api.clock import MachineClock
from api.demo.controller import ControllerProcess
from api.demo.sample_shop import Place
from api.demo.shop import Demo
from api.private_files import make_data_folder
from esl.domain.panel import Panel
from gateway.wire.enrolment import Enrolment, from_json
from simulator.gateway import GatewayOptions
from simulator.shop import Shop


@contextlib.asynccontextmanager
async def controller_on(
    folder: Path, *arguments: str
) -> AsyncIterator[tuple[ControllerProcess, Client]]:
    """Run ``esl serve`` as a process of its own, and give a client with every right."""
    make_data_folder(folder)
    controller = ControllerProcess(folder, arguments=("--patience", "1.5", *arguments))
    runtime = await asyncio.to_thread(controller.start)
    try:
        with Client(runtime.url, runtime.token) as client:
            yield controller, client
    finally:
        await asyncio.to_thread(controller.stop)


async def until(true: Callable[[], bool], longest_s: float, what: str) -> None:
    """Wait for something that another process or thread brings about."""
    deadline = time.monotonic() + longest_s
    while not await asyncio.to_thread(true):
        assert time.monotonic() < deadline, f"{what} did not come within {longest_s} s"
        await asyncio.sleep(0.02)


def count_shown(demo: Demo) -> int:
    """Count the labels whose glass shows something of ours."""
    return sum(label.shown_rev > 0 for label in demo.shop.labels.values())


async def until_settled(demo: Demo, longest_s: float = 60) -> None:
    """Wait until the controller holds every label to be right."""
    everyone = len(demo.places)
    await until(lambda: demo.settled() == everyone, longest_s, "every label being settled")


def places_for(skus: list[str], panel_id: str, gateways: list[str]) -> list[Place]:
    """Make one label for each product, spread over gateways."""
    return [
        Place(
            label_id=f"l-{number:05d}",
            panel_id=panel_id,
            gateway_id=gateways[number % len(gateways)],
            sku=sku,
        )
        for number, sku in enumerate(skus)
    ]


MAIN = "/api/v1/stores/main"
UNGUARDED = {
    "name": "Vrsar",
    "currency": "EUR",
    "locale": "hr_HR",
    "timezone": "Europe/Zagreb",
    "guards": {"on": False, "reason": "tests invent prices"},
}


def stock_main(client: Client, labels: list[str], panel_id: str) -> Enrolment:
    """Make the store ``main`` with one gateway, and a product at 1.29 for each label, paired."""
    client.put(MAIN, UNGUARDED)
    enrolment = from_json(client.put_text(f"{MAIN}/gateways/gw-1", {}))
    client.post(
        f"{MAIN}/products", [{"sku": x, "name": f"Kruh {x}", "price": "1.29"} for x in labels]
    )
    client.post(
        f"{MAIN}/labels", [{"label": x, "panel": panel_id, "gateway": "gw-1"} for x in labels]
    )
    client.post(f"{MAIN}/pairings", [{"label": x, "sku": x} for x in labels])
    return enrolment


def lively_shop(enrolment: Enrolment, labels: list[str], panel: Panel) -> Shop:
    """Simulate one gateway with these labels, in real time, that speaks often."""
    return Shop(
        [(enrolment, [(x, panel) for x in labels])],
        clock=MachineClock(),
        sleep=asyncio.sleep,
        options=GatewayOptions(beacon_s=2.0, heartbeat_s=1.0),
    )
