"""Kill a controller with its own broker, in the middle of a fill: the broker must die with it."""

import asyncio
import json
from pathlib import Path

import psutil

from api.client import Client
from api.demo.controller import ControllerProcess
from api.demo.sample_shop import STORE, shelf
from api.demo.shop import Demo
from api.private_files import make_data_folder
from tests.services import free_port
from tests.shelf import until, until_settled

LABELS = 40
KILLS = 5


def _children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def _new_prices(demo: Demo, number: int) -> None:
    changes = [
        {"sku": sku, "price": f"{number + 1}.{index + 10:02d}", "was": None, "badge": None}
        for index, sku in enumerate(sorted({place.sku for place in demo.places}))
    ]
    demo.client.post(f"/api/v1/stores/{STORE}/price-changes", changes)


async def test_kills_in_the_middle_of_a_fill_leave_no_orphan_and_every_label_right(tmp_path: Path):
    data = tmp_path / "data"
    make_data_folder(data)
    controller = ControllerProcess(data, port=free_port(), arguments=("--patience", "1.5"))
    runtime = await asyncio.to_thread(controller.start)
    client = Client(runtime.url, runtime.token)
    demo = await asyncio.to_thread(
        lambda: Demo(client, shelf(LABELS), paint_s=0.6, seed=1, beacon_s=2.0)
    )
    login = json.loads((data / "run" / "broker.json").read_text())
    glass = demo.shop.labels
    try:
        async with demo.shop:
            await asyncio.to_thread(demo.pair)
            await until_settled(demo)
            kills = 0
            for number in range(KILLS * 3):
                if kills == KILLS:
                    break
                before = {label_id: label.shown_digest for label_id, label in glass.items()}

                def share(before: dict[str, bytes] = before) -> float:
                    changed = sum(glass[x].shown_digest != digest for x, digest in before.items())
                    return changed / LABELS

                await asyncio.to_thread(_new_prices, demo, number)
                await until(lambda share=share: share() >= 0.2, 30, "a fifth of the labels")
                pid = controller.pid
                assert pid is not None
                children = _children(pid)
                if share() > 0.8:
                    continue  # too late to prove anything; fill again

                await asyncio.to_thread(controller.kill)
                kills += 1

                gone, alive = await asyncio.to_thread(psutil.wait_procs, children, 5)
                assert alive == [], f"orphans after kill {number}: {alive}"
                assert len(gone) >= 1, "the embedded broker was a child"
                restarted = await asyncio.to_thread(controller.start)
                assert restarted.url == runtime.url
                assert json.loads((data / "run" / "broker.json").read_text()) == login
                client.close()
                client = demo.client = Client(restarted.url, restarted.token)
            assert kills == KILLS
            await until_settled(demo)
            assert await asyncio.to_thread(demo.mismatches) == []
    finally:
        client.close()
        await asyncio.to_thread(controller.stop)
