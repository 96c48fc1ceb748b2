"""The whole store goes neutral and comes back, by the glass of simulated labels and the log."""

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.client import Client
from api.demo.controller import ControllerProcess
from api.demo.sample_shop import shelf
from api.demo.shop import STORE, Demo
from api.private_files import make_data_folder
from api.schemas import face_from
from esl.domain.neutral import NEUTRAL_TEMPLATE, neutral_of
from esl.domain.panel_file import load_panels
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from tests.shelf import controller_on, count_shown, until, until_settled

NEUTRAL = f"/api/v1/stores/{STORE}/neutral"
LABELS = 18


def not_neutral(demo: Demo) -> list[str]:
    """Compare the pixels each simulated label holds with its neutral face, rendered afresh."""
    renderer, panels, template = Renderer(), load_panels(), load_gallery()[NEUTRAL_TEMPLATE]
    wrong: list[str] = []
    for place in demo.places:
        face = face_from(demo.client.get(f"/api/v1/labels/{place.label_id}")["face"])
        truth = renderer.render(neutral_of(face), panels.named(place.panel_id), template)
        if demo.shop.labels[place.label_id].shown_pixels != truth.pixels:
            wrong.append(place.label_id)
    return wrong


async def _change_some(demo: Demo) -> None:
    for number, sku in enumerate(sorted({place.sku for place in demo.places})[:6]):
        await asyncio.to_thread(demo.change_price, sku, f"{number}.77", was=None, badge=None)


async def _tell(demo: Demo, restart: Any) -> None:
    async with demo.shop:
        await asyncio.to_thread(demo.pair)
        await until(lambda: count_shown(demo) >= LABELS // 2, 60, "the first labels showing")
        await _change_some(demo)  # on their way when the order comes
        await asyncio.to_thread(demo.client.put, NEUTRAL, {"reason": "wrong prices"})

        def is_done() -> bool:
            found = demo.client.get(NEUTRAL)
            return bool(found["done"] == found["labels"] == LABELS)

        await until(is_done, 90, "every label being neutral")
        assert await asyncio.to_thread(not_neutral, demo) == []
        await _change_some(demo)
        await restart()
        demo.shop.restart_gateway("aisle-1")
        await until_settled(demo, 90)
        assert await asyncio.to_thread(not_neutral, demo) == []

        await asyncio.to_thread(demo.client.delete, NEUTRAL)
        await until_settled(demo, 90)
        assert await asyncio.to_thread(demo.mismatches) == []


async def test_a_store_goes_neutral_under_trade_and_comes_back_right(tmp_path: Path) -> None:
    async with controller_on(tmp_path / "data") as (controller, client):
        demo = await asyncio.to_thread(
            lambda: Demo(client, shelf(LABELS), paint_s=0.05, seed=1, beacon_s=2.0)
        )

        async def no_restart() -> None:
            assert controller.pid is not None

        await _tell(demo, no_restart)


async def test_the_same_holds_on_postgresql(tmp_path: Path, fresh_postgres_url: str) -> None:
    async with controller_on(tmp_path / "data", "--database", fresh_postgres_url) as (_, client):
        demo = await asyncio.to_thread(
            lambda: Demo(client, shelf(LABELS), paint_s=0.05, seed=2, beacon_s=2.0)
        )
        await _tell(demo, lambda: asyncio.sleep(0))


# ── One change, from the till to the glass, by its log lines ───────────────────────────────


def _lines(log: Path, change: int) -> list[dict[str, Any]]:
    """Read what ``grep '"change": N'`` finds."""
    wanted = re.compile(rf'"change": {change}\b')
    return [json.loads(line) for line in log.read_text().splitlines() if wanted.search(line)]


@pytest.mark.asvs("16.2.1", "16.2.2", "16.2.4")
async def test_one_change_is_followed_through_the_log_from_the_till_to_the_glass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESL_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("ESL_LOG_FORMAT", "json")
    log, data = tmp_path / "log.txt", tmp_path / "data"
    make_data_folder(data)
    controller = ControllerProcess(data, arguments=("--patience", "1.5"), log=log)
    runtime = await asyncio.to_thread(controller.start)
    try:
        with Client(runtime.url, runtime.token) as client:
            demo = await asyncio.to_thread(
                lambda: Demo(client, shelf(4), paint_s=0.05, seed=3, beacon_s=2.0)
            )
            async with demo.shop:
                await asyncio.to_thread(demo.pair)
                await until_settled(demo)
                place = demo.places[0]

                def change() -> int:
                    answer = httpx2.post(
                        f"{runtime.url}/api/v1/stores/{STORE}/price-changes",
                        json={"sku": place.sku, "price": "4.44"},
                        headers={
                            "Authorization": f"Bearer {runtime.token}",
                            "X-Request-Id": "till-7-receipt-42",
                        },
                        trust_env=False,
                    )
                    return int(answer.json()["results"][0]["rev"])

                rev = await asyncio.to_thread(change)
                await until_settled(demo)
                await until(
                    lambda: any(x["event"] == "picture shown" for x in _lines(log, rev)),
                    20,
                    "the line of the glass",
                )
    finally:
        await asyncio.to_thread(controller.stop)
    found = _lines(log, rev)
    by_event = {line["event"]: line for line in found}
    assert list(dict.fromkeys(line["event"] for line in found if line.get("label"))) == [
        "label wants a picture",
        "picture drawn",
        "picture on its way",
        "picture published",
        "picture shown",
    ]
    assert by_event["price taken"]["sku"] == place.sku
    assert by_event["change answered"]["request_id"] == "till-7-receipt-42"
    assert by_event["picture shown"]["label"] == place.label_id
    assert by_event["picture shown"]["digest"] == by_event["picture drawn"]["digest"]
    moments = [datetime.fromisoformat(line["timestamp"]) for line in found]
    assert {moment.tzinfo for moment in moments} == {UTC}
    assert all(line["level"] == "debug" for line in found)
    assert "4.44" not in json.dumps(found), "no line says what the price is"
    assert runtime.token not in log.read_text()
