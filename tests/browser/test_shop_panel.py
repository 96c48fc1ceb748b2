"""The fault buttons of a simulated shop, pressed by a person on the wall."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.shelf import Shelf, running_shelf
from tests.services import BrowserPage
from tests.shelf import until, until_settled


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    """A simulated shelf of four labels, whose buttons the wall offers."""
    async with running_shelf(
        tmp_path / "data", labels=4, paint_s=0.2, control=tmp_path / "control.json"
    ) as running:
        await until_settled(running.demo)
        yield running


@pytest.fixture
async def panel(shelf: Shelf, browser_page: BrowserPage) -> AsyncIterator[Page]:
    """The wall with its panel open. Nothing may leave this machine, and nothing may go wrong."""
    page = browser_page.page
    await shelf.open_wall(page)
    await expect(page.locator("#live")).to_have_text("Live")
    await page.locator("#shop summary").click()
    yield page
    assert browser_page.requested_elsewhere == []
    assert browser_page.errors == []


async def press(page: Page, word: str, said: str) -> None:
    await page.get_by_role("button", name=word, exact=True).click()
    await expect(page.locator("#shop-said")).to_have_text(said)


async def test_a_gateway_loses_its_power_and_gets_it_back(shelf: Shelf, panel: Page) -> None:
    await panel.get_by_label("Gateway", exact=True).select_option("aisle-2")
    await press(panel, "Power off", "Power off: aisle-2.")
    assert not shelf.demo.shop.is_powered("aisle-2")
    assert shelf.demo.shop.is_powered("aisle-1")
    await expect(panel.locator("#shop-now")).to_contain_text("without power: aisle-2")
    await expect(panel.locator(".gateways")).to_contain_text("aisle-2 away")

    await press(panel, "Power on", "Power on: aisle-2.")
    await expect(panel.locator(".gateways")).to_contain_text("aisle-2 on the line", timeout=15_000)
    await expect(panel.locator("#shop-now")).to_contain_text("everything works", timeout=15_000)


async def test_a_promotion_begins_at_a_press_and_the_glass_shows_it(
    shelf: Shelf, panel: Page
) -> None:
    label = shelf.demo.places[0].label_id
    before = shelf.shown_by(label)
    await expect(panel.locator(".shop-clock")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    await panel.get_by_role("button", name="Promotion now", exact=True).click()
    said = panel.locator("#shop-said")
    await expect(said).to_have_text(re.compile(r"^A tenth off everything until \d\d:\d\d\.$"))
    await until(lambda: shelf.shown_by(label) != before, 30, "the promotion on the glass")
    running = await asyncio.to_thread(
        shelf.client.get, "/api/v1/promotions?store=demo&state=active"
    )
    [one] = running["promotions"]
    assert re.fullmatch(r"demo-\d{8}-\d{6}", one["id"])


async def test_a_label_dies_and_messages_get_lost(shelf: Shelf, panel: Page) -> None:
    label = shelf.demo.places[0].label_id
    await panel.get_by_label("Label", exact=True).select_option(label)
    await press(panel, "Dies", f"Dies: {label}.")
    assert [x for x, glass in shelf.demo.shop.labels.items() if glass.dead] == [label]
    await press(panel, "Lose half", "Lose half: aisle-1, aisle-2.")
    assert shelf.demo.shop.faults is not None
    assert shelf.demo.shop.faults.lose == 0.5
    await press(panel, "All arrive", "All arrive: aisle-1, aisle-2.")
    assert shelf.demo.shop.faults.lose == 0.0
    await panel.reload()
    await expect(panel.locator("#shop-now")).to_contain_text("1 dead", timeout=15_000)


async def test_a_label_without_memory_is_painted_again_by_itself(shelf: Shelf, panel: Page) -> None:
    label = shelf.demo.places[1].label_id
    before = shelf.shown_by(label)
    paints = shelf.demo.shop.labels[label].paints
    await panel.get_by_label("Label", exact=True).select_option(label)
    await press(panel, "Loses its memory", f"Loses its memory: {label}.")
    await until(
        lambda: shelf.demo.shop.labels[label].paints > paints and shelf.shown_by(label) == before,
        30,
        "the picture again",
    )


async def test_a_stopped_simulator_is_told_in_words(
    shelf: Shelf, panel: Page, tmp_path: Path
) -> None:
    del shelf
    (tmp_path / "control.json").unlink()
    await press(panel, "Restart", "Not done: the simulator is not running.")
    await expect(panel.locator("#shop-now")).to_contain_text("nothing is known of the shop")
    await panel.reload()
    await expect(panel.locator("#live")).to_have_text("Live")
    await expect(panel.locator("#shop")).to_have_count(0)


async def test_the_open_panel_fits_every_width(panel: Page) -> None:
    for width in (360, 390, 768, 1440):
        await panel.set_viewport_size({"width": width, "height": 800})
        assert await panel.evaluate("document.documentElement.scrollWidth") == width
        box = await panel.locator("#shop").bounding_box()
        assert box is not None
        assert (box["x"], box["width"]) == (0, width)
        assert box["y"] + box["height"] == pytest.approx(800, abs=1), "not at the bottom"
        assert box["height"] < 800 * 0.65, "nothing of the wall can be seen"


async def test_the_buttons_work_without_scripts(shelf: Shelf, browser_page: BrowserPage) -> None:
    browser = browser_page.page.context.browser
    assert browser is not None
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await shelf.open_wall(page)
    await page.locator("#shop summary").click()
    await page.get_by_role("button", name="Power off", exact=True).click()
    await expect(page).to_have_url(re.compile(r"store=demo#shop$"))
    assert not shelf.demo.shop.is_powered("aisle-1")
    assert not shelf.demo.shop.is_powered("aisle-2")
    await context.close()
