"""An owner's first day in a real browser: from an empty database to a price on glass."""

import asyncio
from pathlib import Path

from playwright.async_api import Page, expect

from api.client import Client
from gateway.wire.enrolment import from_json
from tests.browser.whole_shop import PASSWORD
from tests.panels import PANELS
from tests.services import BrowserPage
from tests.shelf import controller_on, lively_shop

STORE = "/api/v1/stores/main-street"
PANEL = "bwry-296x128"


async def test_from_an_empty_database_to_glass(tmp_path: Path, browser_page: BrowserPage) -> None:
    page = browser_page.page
    async with controller_on(tmp_path / "data") as (_, client):
        await first_account(page, client)
        await first_store(page)
        token = await let_gateway_in(page, "aisle-1")
        answer = await asyncio.to_thread(client.post_text, "/api/v1/enrolments", {"token": token})
        async with lively_shop(from_json(answer), ["l-1"], PANELS.named(PANEL)) as shop:
            await shop.connected()
            await page.get_by_role("link", name="Gateways").first.click()
            await expect(page.locator("td [data-state=right]")).to_contain_text("on the line")
            invitation = await add_somebody(page)
            await asyncio.to_thread(hang_a_label, client)
            await page.get_by_role("link", name="Home").first.click()
            await expect(page.locator("h1")).to_have_text("Ready to open", timeout=30_000)
            assert shop.labels["l-1"].shown_rev > 0
            await page.get_by_role("link", name="Wall").first.click()
            await expect(page.locator("#tile-l-1 .state")).to_have_text("Right")
        await technician_signs_in(page, invitation)
    assert browser_page.requested_elsewhere == []


async def first_account(page: Page, client: Client) -> None:
    made = await asyncio.to_thread(client.post, "/api/v1/people/set-up-link", {})
    await page.goto(str(made["url"]))
    await page.get_by_label("Name to sign in with").fill("ana")
    for label in ("Password", "The same again"):
        await page.get_by_label(label, exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await expect(page.get_by_role("heading")).to_have_text("No stores yet")


async def first_store(page: Page) -> None:
    await page.get_by_role("link", name="Add a store").click()
    await page.get_by_label("Id").fill("main-street")
    await page.get_by_label("Name", exact=True).fill("Main Street")
    await page.get_by_label("Currency").fill("EUR")
    await page.get_by_label("Language and country").fill("hr_HR")
    await page.get_by_label("Time zone").fill("Europe/Zagreb")
    await page.get_by_role("button", name="Add the store").click()
    await expect(page.get_by_role("status")).to_contain_text("The store is there")


async def let_gateway_in(page: Page, gateway: str) -> str:
    """Make a token on the page that adding the store leads to; return it."""
    await expect(page.locator("h1")).to_have_text("Gateways")
    await page.get_by_label("Name of the gateway").fill(gateway)
    await page.get_by_role("button", name="Make a token").click()
    return await page.locator("#token").inner_text()


async def add_somebody(page: Page) -> str:
    """Add a technician; return the link of the invitation."""
    await page.get_by_role("link", name="People").first.click()
    await page.get_by_label("Name to sign in with").fill("bo")
    await page.get_by_label("Whole name").fill("Bo Horvat")
    await page.get_by_role("button", name="Add and invite").click()
    return await page.locator("#link").inner_text()


def hang_a_label(client: Client) -> None:
    client.post(f"{STORE}/products", [{"sku": "1", "name": "Kruh", "price": "1.29"}])
    client.post(f"{STORE}/labels", [{"label": "l-1", "panel": PANEL, "gateway": "aisle-1"}])
    client.post(f"{STORE}/pairings", [{"label": "l-1", "sku": "1"}])


async def technician_signs_in(page: Page, invitation: str) -> None:
    await page.context.clear_cookies()
    await page.goto(invitation)
    await expect(page.locator(".card")).to_contain_text("Bo Horvat")
    for label in ("Password", "The same again"):
        await page.get_by_label(label, exact=True).fill(f"{PASSWORD}, too")
    await page.get_by_role("button", name="Keep it, and sign in").click()
    await expect(page.locator("header .who")).to_have_text("Bo Horvat")
    await expect(page.get_by_role("link", name="Settings")).to_have_count(0)
