"""Home in a real browser: it follows the shelf by itself."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from api.demo.sample_shop import STORE
from tests.browser.shelf import Shelf, running_shelf
from tests.services import BrowserPage
from tests.shelf import until_settled


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    """A shelf on which every label shows its price."""
    async with running_shelf(tmp_path / "data", labels=6, paint_s=0.2) as running:
        await until_settled(running.demo)
        yield running


async def test_the_answer_follows_the_shelf(shelf: Shelf, browser_page: BrowserPage) -> None:
    page = browser_page.page
    await page.goto(await shelf.sign_in_link())
    heading = page.locator("h1")
    await expect(heading).to_have_text("Ready to open")
    await expect(page.locator(".numbers [data-state=right] b")).to_have_text("6")

    slow = shelf.demo.places[2].label_id
    shelf.demo.shop.labels[slow].dead = True
    await shelf.change_price(2, "7.77")
    await expect(heading).to_have_text("Soon ready to open", timeout=15_000)
    shelf.demo.shop.labels[slow].dead = False
    await expect(heading).to_have_text("Ready to open", timeout=30_000)

    product = f"/api/v1/stores/{STORE}/products/{shelf.demo.places[0].sku}"
    await asyncio.to_thread(shelf.client.put, product, {"name": "ብርቱካን"})  # no font has it
    await expect(heading).to_have_text("Ready to open, except 1 shelf", timeout=15_000)
    await expect(page.locator(".shelves li")).to_contain_text("holds a character")
    await page.locator(".numbers [data-state=needs-you] a").click()
    await expect(page.locator(".tile")).to_have_count(1)
    await expect(page.locator("#live")).to_have_text("Live")
    await page.keyboard.press("g")
    await page.keyboard.press("h")
    await expect(heading).to_have_text("Ready to open, except 1 shelf")
    for width in (360, 720, 1024, 1920):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert browser_page.requested_elsewhere == []
    assert browser_page.errors == []
