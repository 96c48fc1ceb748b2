"""A label close up over HTTP: what it wants, what it showed, its battery; and sent once more."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from api.demo.sample_shop import STORE
from esl.domain.ids import LabelId
from esl.store.telemetry import Vitals, write_vitals
from renderer.preview import png_bytes
from tests.browser.shelf import Shelf, running_shelf
from tests.panels import PANELS
from tests.running_house import RunningHouse, check_problem
from tests.shelf import until, until_settled

pytest_plugins = ["tests.shop_over_http"]

AT = f"/api/v1/stores/{STORE}"


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    """A shelf on which every label shows its price."""
    async with running_shelf(tmp_path / "data", labels=3, paint_s=0.1) as running:
        await until_settled(running.demo)
        yield running


async def test_a_label_tells_what_it_showed_the_newest_first(shelf: Shelf) -> None:
    label = shelf.demo.places[0].label_id
    before = shelf.shown_by(label)
    await shelf.change_price(0, "7.77")
    await until(lambda: shelf.shown_by(label) != before, 30, "the new price on the glass")
    await until_settled(shelf.demo)
    get = shelf.client.get
    found = await asyncio.to_thread(get, f"/api/v1/labels/{label}/displays")
    newest, oldest = found["displays"][0], found["displays"][-1]
    assert newest["digest"] == shelf.shown_by(label)
    assert oldest["digest"] == before
    assert newest["rev"] > oldest["rev"]
    assert newest["sent_at"] <= newest["reported_at"]
    assert newest["template"] is not None
    assert newest["picture"].endswith(f"{newest['digest']}.png")
    first = await asyncio.to_thread(get, f"/api/v1/labels/{label}/displays", limit=1)
    assert [one["display"] for one in first["displays"]] == [newest["display"]]
    displays = f"/api/v1/labels/{label}/displays"
    rest = await asyncio.to_thread(get, displays, before=first["before"])
    assert [one["display"] for one in rest["displays"]] == [
        one["display"] for one in found["displays"][1:]
    ]


async def test_what_a_label_wants_is_what_it_comes_to_show(shelf: Shelf) -> None:
    label = shelf.demo.places[1].label_id
    wanted = f"/api/v1/labels/{label}/wanted.png"

    def drawn() -> bytes:
        return pixels_of(b"".join(shelf.client.download(wanted)))

    panel = PANELS.named(shelf.demo.shop.labels[label].panel.panel_id)
    shown = pixels_of(png_bytes(shelf.demo.shop.labels[label].shown_pixels, panel))
    assert await asyncio.to_thread(drawn) == shown
    shelf.demo.shop.labels[label].dead = True
    await shelf.change_price(1, "8.88")
    await until(lambda: drawn() != shown, 30, "the new price to be what it wants")


def pixels_of(png: bytes) -> bytes:
    return Image.open(io.BytesIO(png)).convert("RGB").tobytes()


async def test_a_picture_is_sent_once_more_whole(shelf: Shelf) -> None:
    label = shelf.demo.places[2].label_id
    simulated = shelf.demo.shop.labels[label]
    rev, digest = simulated.shown_rev, simulated.shown_digest
    again = {"reason": "smeared"}
    done = await asyncio.to_thread(shelf.client.post, f"{AT}/labels/{label}/resend", again)
    assert done == {"sent_again": 1}
    await until(lambda: simulated.shown_rev > rev, 30, "the same picture arriving anew")
    assert simulated.shown_digest == digest
    await until_settled(shelf.demo)
    told = await asyncio.to_thread(shelf.client.get, "/api/v1/audit", store=STORE, action="resend")
    assert [(one["subject"], one["reason"]) for one in told["entries"]] == [
        (f"label/{label}", "smeared")
    ]


def test_batteries_are_told_by_day(shop: RunningHouse) -> None:
    label = {"label": "power-1", "panel": "bwry-296x128"}
    shop.done("POST", "/api/v1/stores/main/labels", label)
    now = datetime.now(UTC).replace(hour=12)
    days = [now - timedelta(days=back) for back in (500, 2, 1)]
    vitals = [
        Vitals(label_id=LabelId("power-1"), seen_at=day, battery_mv=3000 - 10 * n, temperature_c=n)
        for n, day in enumerate(days)
    ]
    for one in vitals:
        shop.write(lambda tx, one=one: write_vitals(tx, [one]))
    told = shop.done("GET", "/api/v1/labels/power-1/batteries")["batteries"]
    assert told == [
        {"day": days[1].date().isoformat(), "millivolts": 2990, "temperature_c": 1},
        {"day": days[2].date().isoformat(), "millivolts": 2980, "temperature_c": 2},
    ]
    assert len(shop.done("GET", "/api/v1/labels/power-1/batteries?days=1")["batteries"]) == 1


def test_what_has_nothing_to_show_is_told_so(shop: RunningHouse) -> None:
    label = {"label": "bare-1", "panel": "bwry-296x128"}
    shop.done("POST", "/api/v1/stores/main/labels", label)
    check_problem(shop.ask("GET", "/api/v1/labels/bare-1/wanted.png"), 404)
    check_problem(shop.ask("POST", "/api/v1/stores/main/labels/bare-1/resend"), 409)
    check_problem(shop.ask("POST", "/api/v1/stores/main/labels/nobody/resend"), 404)
    check_problem(shop.ask("GET", "/api/v1/labels/nobody/displays"), 404)
    assert shop.done("GET", "/api/v1/labels/bare-1/displays") == {"displays": [], "before": None}
    assert shop.ask("GET", "/api/v1/labels/bare-1/displays?before=0").status_code == 422
