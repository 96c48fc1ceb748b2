"""A running shelf to look at: a real controller, the sample shop on it, and simulated glass."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from api.client import Client
from api.demo.controller import ControllerProcess
from api.demo.run import Demo
from api.demo.sample_shop import shelf
from api.private_files import make_data_folder
from tests.services import free_port


@dataclass(slots=True, kw_only=True)
class Shelf:
    """A controller, and the shop that hangs on it."""

    controller: ControllerProcess
    client: Client
    demo: Demo
    url: str

    def sign_in_link(self) -> str:
        """Return a link that signs a browser in, once."""
        link: str = self.client.post("/api/v1/sign-in-links", {})["url"]
        return link


@asynccontextmanager
async def running_shelf(data_dir: Path, *, labels: int, paint_s: float) -> AsyncIterator[Shelf]:
    """Start a controller on a port of its own, fill the shop, and pair every label."""
    make_data_folder(data_dir)
    # A fixed port, so that a page finds the controller again when it has been restarted.
    controller = ControllerProcess(data_dir, port=free_port(), arguments=("--patience", "5"))
    runtime = await asyncio.to_thread(controller.start)
    try:
        with Client(runtime.url, runtime.token) as client:
            demo = await asyncio.to_thread(Demo, client, shelf(labels), paint_s=paint_s, seed=1)
            async with demo.shop:
                await demo.shop.connected()
                await asyncio.to_thread(demo.pair)
                yield Shelf(controller=controller, client=client, demo=demo, url=runtime.url)
    finally:
        await asyncio.to_thread(controller.stop)
