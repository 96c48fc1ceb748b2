"""A manager plans a weekend: previewed while typing, on the glass when it begins, and ended."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.browser.shelf import Shelf, running_shelf
from tests.services import BrowserPage
from tests.shelf import until, until_settled

AT = "/api/v1/stores/demo"


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    async with running_shelf(tmp_path / "data", labels=6, paint_s=0.2) as running:
        await asyncio.to_thread(running.client.put, f"{AT}/till", {"channel": "own"})
        await until_settled(running.demo)
        yield running


@pytest.fixture
async def page(shelf: Shelf, browser_page: BrowserPage) -> AsyncIterator[Page]:
    found = browser_page.page
    await found.goto(await shelf.sign_in_link())
    await found.goto(f"{shelf.url}/promotions")
    yield found
    assert browser_page.requested_elsewhere == []
    refusals = ("422", "412")
    assert [one for one in browser_page.errors if not any(x in one for x in refusals)] == []


async def test_a_weekend_in_a_few_inputs_from_plan_to_glass_and_its_end(
    shelf: Shelf, page: Page
) -> None:
    place = shelf.demo.places[0]
    before = shelf.shown_by(place.label_id)
    inputs = 0

    await page.get_by_role("link", name="New promotion").click()
    inputs += 1
    await page.get_by_label("Name", exact=True).fill("Weekend")
    inputs += 1
    await page.get_by_label("These products").fill(place.sku)
    inputs += 1
    await page.get_by_label("Number").fill("10")
    inputs += 1
    look = page.locator("#look")
    await expect(look).to_contain_text("1 label shows it, of 1 products.")
    await expect(look.locator("img.glass")).to_have_count(1)
    begins = await page.get_by_label("Begins, by the store's clock").input_value()
    ends = await page.get_by_label("Ends", exact=True).input_value()
    is_weekend = datetime.fromisoformat(begins).weekday() >= 5
    assert is_weekend
    assert datetime.fromisoformat(ends).weekday() == 0, "Monday, at midnight"
    now = datetime.now(ZoneInfo("Europe/Zagreb"))
    await page.get_by_label("Begins, by the store's clock").fill(f"{now:%Y-%m-%dT%H:%M}")
    inputs += 1
    await page.get_by_role("button", name="Schedule it").click()
    inputs += 1
    assert inputs <= 8
    await expect(page.locator(".done")).to_contain_text("It is scheduled")
    await until(lambda: shelf.shown_by(place.label_id) != before, 30, "the promotion on the glass")

    await page.get_by_text("End now", exact=False).first.click()
    await page.locator(".asked[open]").get_by_role("button").click()
    await expect(page.locator(".done")).to_contain_text("It has ended")
    await until(lambda: shelf.shown_by(place.label_id) == before, 30, "the old price again")


async def test_what_speaks_against_it_is_said_before_it_is_saved(shelf: Shelf, page: Page) -> None:
    await page.get_by_role("link", name="New promotion").click()
    await page.get_by_label("These products").fill("nobody-sells-this")
    await page.get_by_label("Number").fill("10")
    await expect(page.locator("#look")).to_contain_text("No product is known by: nobody-sells-this")
    await page.get_by_label("Name", exact=True).fill("Nothing")
    await page.get_by_role("button", name="Save as a draft").click()
    await expect(page.locator(".refused")).to_contain_text("No product is known by")
    assert await page.get_by_label("Number").input_value() == "10", "nothing typed is lost"
    listed = await asyncio.to_thread(shelf.client.get, "/api/v1/promotions?store=demo")
    assert listed["promotions"] == []


async def test_products_are_found_by_name_and_the_draft_is_kept(shelf: Shelf, page: Page) -> None:
    place = shelf.demo.places[0]
    view = await asyncio.to_thread(shelf.client.get, f"{AT}/products/{place.sku}")
    await page.get_by_role("link", name="New promotion").click()
    await page.get_by_label("Name", exact=True).fill("Čaj & kava")
    await page.get_by_label("Number").fill("1.00")
    await page.get_by_label("is", exact=True).select_option("price")
    await page.get_by_label("Find products by name").fill(view["name"])
    await page.get_by_role("button", name="Find", exact=True).click()
    await page.get_by_role("button", name="Add").first.click()
    await expect(page.get_by_label("These products")).to_have_value(place.sku)
    await page.get_by_role("button", name="Save as a draft").click()
    await expect(page.locator(".done")).to_contain_text("saved as a draft")
    assert re.search(r"/promotions/caj-kava-\d{8}$", page.url)
    for width in (360, 1440):
        await page.goto(f"{shelf.url}/promotions/new")
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") == width


async def test_a_draft_is_changed_and_what_the_form_does_not_show_stays(
    shelf: Shelf, page: Page
) -> None:
    skus = sorted(place.sku for place in shelf.demo.places[:2])
    draft = {
        "id": "happy-hour",
        "name": "Happy hour",
        "gives": {"percent": "10"},
        "selection": {"skus": skus},
        "where": {"stores": ["demo"]},
        "window": {
            "begins": "2027-01-01T00:00",
            "hours": [{"begins": "16:00", "ends": "18:00"}],
        },
        "priority": 7,
    }
    await asyncio.to_thread(shelf.client.post, "/api/v1/promotions", draft)
    await page.goto(f"{shelf.url}/promotions/happy-hour")
    await page.get_by_role("link", name="Change").click()
    await expect(page.get_by_label("These products")).to_have_value("\n".join(skus))
    await page.get_by_label("Number").fill("20")
    await page.get_by_role("button", name="Save as a draft").click()
    await expect(page.locator(".done")).to_contain_text("It is saved as a draft")
    found = await asyncio.to_thread(shelf.client.get, "/api/v1/promotions/happy-hour")
    changed = found["promotion"]
    assert changed["gives"] == {"percent": 20}
    assert changed["selection"] == {"skus": skus}
    assert changed["window"]["hours"] == [{"begins": "16:00:00", "ends": "18:00:00"}]
    assert changed["priority"] == 7

    other = await page.context.new_page()
    for one in (other, page):
        await one.goto(f"{shelf.url}/promotions/new?of=happy-hour")
    await other.get_by_label("Number").fill("30")
    await other.get_by_role("button", name="Save as a draft").click()
    await expect(other.locator(".done")).to_contain_text("It is saved as a draft")
    await page.get_by_label("Number").fill("40")
    await page.get_by_role("button", name="Save as a draft").click()
    await expect(page.locator(".refused")).to_contain_text("Somebody changed this promotion")
    found = await asyncio.to_thread(shelf.client.get, "/api/v1/promotions/happy-hour")
    assert found["promotion"]["gives"] == {"percent": 30}, "what another saved stays"


async def test_codes_come_from_a_file(shelf: Shelf, page: Page) -> None:
    await page.get_by_role("link", name="New promotion").click()
    rows = [f'"{place.sku}";Name {place.sku}' for place in shelf.demo.places[:3]]
    text = "\ufeffSKU;Name\r\n" + "\r\n".join(rows)
    listed: FilePayload = {"name": "a.csv", "mimeType": "text/csv", "buffer": text.encode()}
    await page.get_by_label("Number").fill("10")
    await page.locator("#f-file").set_input_files(listed)
    await expect(page.locator("#from-file")).to_contain_text("3 codes were taken")
    await expect(page.get_by_label("These products")).to_have_value(
        "\n".join(place.sku for place in shelf.demo.places[:3])
    )
    await expect(page.locator("#look")).to_contain_text("3 labels show it, of 3 products.")
    empty: FilePayload = {"name": "b.csv", "mimeType": "text/csv", "buffer": b"\xff\xfe\x00"}
    await page.locator("#f-file").set_input_files(empty)
    await expect(page.locator("#from-file")).to_contain_text("No codes were found in the file")
