"""A technician walks along the labels that need somebody, on a phone, with scripts and without."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.shelf import Shelf, running_shelf
from tests.services import BrowserPage
from tests.shelf import until, until_settled

AT = "/api/v1/stores/demo"
THUMB_PX = 44
"""What a thumb hits: WCAG 2.2, success criterion 2.5.5."""


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    """A shelf on which the first label hangs behind the second, and neither can be drawn."""
    async with running_shelf(tmp_path / "data", labels=4, paint_s=0.2) as running:
        await until_settled(running.demo)
        first, second = running.demo.places[:2]
        rows = [
            {"label": first.label_id, "place": "10/1"},
            {"label": second.label_id, "place": "2/1"},
        ]
        await asyncio.to_thread(running.client.post, f"{AT}/places", {"rows": rows})
        for place in (first, second):
            product = f"{AT}/products/{place.sku}"
            await asyncio.to_thread(running.client.put, product, {"name": "ብርቱካን"})
        listed = f"{AT}/walk-list"
        await until(lambda: running.client.get(listed)["found"] == 2, 30, "two to walk to")
        yield running


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])
async def test_one_walks_lights_replaces_and_undoes(
    shelf: Shelf, browser_page: BrowserPage, *, has_scripts: bool
) -> None:
    browser = browser_page.page.context.browser
    assert browser is not None
    context = await browser.new_context(
        java_script_enabled=has_scripts, viewport={"width": 360, "height": 740}
    )
    page = await context.new_page()
    await page.goto(await shelf.sign_in_link())
    await page.goto(f"{shelf.url}/walk")
    far, near = shelf.demo.places[:2]
    await stops_at(page, near.label_id, "2/1 · 1 of 2")
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    for name in ("Light", "Send again", "Next"):
        box = await page.locator(".thumb").get_by_text(name, exact=True).first.bounding_box()
        assert box is not None
        assert box["height"] >= THUMB_PX

    await page.get_by_role("button", name="Light", exact=True).click()
    await expect(page.locator(".done")).to_contain_text("It blinks green")
    await stops_at(page, near.label_id, "2/1 · 1 of 2")
    await page.get_by_role("link", name="Next", exact=True).click()
    await stops_at(page, far.label_id, "10/1 · 2 of 2")

    spare = shelf.demo.places[3].label_id
    await asyncio.to_thread(shelf.client.delete, f"{AT}/pairings/{spare}")
    await page.locator("summary", has_text="Replace").click()
    await page.get_by_label("Scan the new label").fill(spare.upper())
    await page.keyboard.press("Enter")
    await expect(page.locator(".done")).to_contain_text(f"{spare} takes its products")
    assert await products_of(shelf, spare) == [far.sku]
    await page.locator(".done").get_by_role("button", name="Undo").click()
    await expect(page.locator(".done")).to_contain_text("Undone.")
    assert f"/walk?after={near.label_id}" in page.url
    assert await products_of(shelf, far.label_id) == [far.sku]
    await context.close()


async def stops_at(page: Page, label: str, where: str) -> None:
    await expect(page.locator(".shelf-now bdi").first).to_have_text(label)
    await expect(page.locator(".shelf-now .place").first).to_have_text(where)


async def products_of(shelf: Shelf, label: str) -> list[str]:
    listed = await asyncio.to_thread(shelf.client.get, f"{AT}/labels?limit=100")
    found: list[str] = next(one["skus"] for one in listed["labels"] if one["label"] == label)
    return found
