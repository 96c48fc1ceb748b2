"""A running shelf to look at: a real controller, the sample shop on it, and simulated glass."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from playwright.async_api import Page

from api.client import Client
from api.demo.control import serve_control
from api.demo.controller import ControllerProcess
from api.demo.sample_shop import shelf
from api.demo.shop import Demo
from api.private_files import make_data_folder
from simulator.faults import Faults
from tests.services import free_port


@dataclass(slots=True, kw_only=True)
class Shelf:
    """A controller, and the shop that hangs on it."""

    controller: ControllerProcess
    client: Client
    demo: Demo
    url: str

    async def sign_in_link(self) -> str:
        """Return a link that signs a browser in, once."""
        made = await asyncio.to_thread(self.client.post, "/api/v1/sign-in-links", {})
        return str(made["url"])

    async def open_wall(self, page: Page) -> None:
        """Sign a browser in and look at the wall."""
        await page.goto(await self.sign_in_link())
        await page.goto(f"{self.url}/wall")

    async def change_price(self, number: int, price: str) -> None:
        """Change the price of the product on label ``number``, over HTTP."""
        sku = self.demo.places[number].sku
        await asyncio.to_thread(self.demo.change_price, sku, price, was=None, badge=None)

    def shown_by(self, label_id: str) -> str:
        """Return the digest of what a label's glass really holds."""
        return self.demo.shop.labels[label_id].shown_digest.hex()

    async def restart(self) -> None:
        """Kill the controller as a power cut would, and start it again at the same address."""
        await asyncio.to_thread(self.controller.kill)
        await self.start_again()

    async def start_again(self) -> None:
        """Start a controller that was stopped; commands get a new token."""
        runtime = await asyncio.to_thread(self.controller.start)
        assert runtime.url == self.url
        self.client.__exit__(None, None, None)
        self.client = self.demo.client = Client(runtime.url, runtime.token)


@asynccontextmanager
async def running_shelf(
    data_dir: Path, *, labels: int, paint_s: float, control: Path | None = None
) -> AsyncIterator[Shelf]:
    """Start a controller on a port of its own, fill the shop, and pair every label.

    With ``control``, a file to be made, the wall offers the fault buttons of the shop.
    """
    make_data_folder(data_dir)
    # A fixed port, so that a page finds the controller again when it has been restarted.
    arguments: tuple[str, ...] = ("--patience", "5")
    if control is not None:
        arguments = (*arguments, "--simulator", str(control))
    controller = ControllerProcess(data_dir, port=free_port(), arguments=arguments)
    runtime = await asyncio.to_thread(controller.start)
    running: Shelf | None = None
    try:
        client = Client(runtime.url, runtime.token)
        demo = await asyncio.to_thread(
            lambda: Demo(
                client,
                shelf(labels),
                paint_s=paint_s,
                seed=1,
                beacon_s=2.0,
                faults=Faults(Random(1), lose=0.0, duplicate=0.0),
            )
        )
        running = Shelf(controller=controller, client=client, demo=demo, url=runtime.url)
        async with demo.shop, contextlib.AsyncExitStack() as more:
            if control is not None:
                await more.enter_async_context(serve_control(demo.shop, control))
            await demo.shop.connected()
            await asyncio.to_thread(demo.pair)
            yield running
    finally:
        await asyncio.to_thread(controller.stop)
        if running is not None:
            running.client.__exit__(None, None, None)
