"""From an empty installation to codes from a phone, as a person sees it in a real browser."""

import asyncio
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, expect

from esl.domain.throttle import FREE_FAILURES
from esl.services.second_factor import STEP_S, code_at
from tests.hex_of_codes import hex_of_code_address
from tests.running_house import RunningHouse, running_house
from tests.services import BrowserPage

PASSWORD = "a heron stood by the weir"
PICTURES = os.environ.get("ESL_TEST_PICTURES")
"""A folder to leave pictures of the pages in, for whoever wants to look at them."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[RunningHouse]:
    with running_house(tmp_path) as running:
        yield running


async def keep_picture(page: Page, name: str) -> None:
    if PICTURES is not None:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


async def sign_in(page: Page, password: str, name: str = "ana") -> None:
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def test_from_the_set_up_link_to_codes_from_a_phone(
    shop: RunningHouse, browser_page: BrowserPage
) -> None:
    page = browser_page.page
    made = await asyncio.to_thread(shop.done, "POST", "/api/v1/people/set-up-link")
    link = str(made["url"])

    await page.goto(link)
    await expect(page.get_by_role("heading")).to_have_text("The first account")
    await keep_picture(page, "set-up")
    await page.get_by_label("Name to sign in with").fill("Ana")
    await page.get_by_label("Your name").fill("Ana Novak")
    for password, words in (("password12345", "tried first"), (PASSWORD, "")):
        await page.get_by_label("Password", exact=True).fill(password)
        await page.get_by_label("The same again").fill(password)
        await page.get_by_role("button", name="Make the account").click()
        if words:
            await expect(page.get_by_role("alert")).to_contain_text(words)
    await expect(page).to_have_title(re.compile("No stores yet|Shop"))
    await page.goto(link)
    await expect(page.get_by_role("heading")).to_have_text("This link no longer works")

    # Codes from the phone.
    await page.goto(f"{shop.url}/account")
    await keep_picture(page, "account")
    await page.get_by_role("button", name="Set it up").click()
    address = await page.locator("#uri").inner_text()
    assert parse_qs(urlsplit(address).query)["issuer"] == ["ESL"]
    await expect(page.get_by_role("img", name="QR code")).to_have_js_property(
        "complete", value=True
    )
    await keep_picture(page, "codes")
    secret = hex_of_code_address(address)
    step = int(datetime.now(UTC).timestamp()) // STEP_S
    await page.get_by_role("textbox", name="Code").fill(code_at(secret, step))
    await page.get_by_role("button", name="Ask for codes from now on").click()
    recovery = await page.locator(".codes li").all_inner_texts()
    assert len(set(recovery)) == 10
    await page.get_by_role("button", name="Sign out here").click()

    # The wrong password, then too often.
    await page.goto(f"{shop.url}/sign-in")
    await keep_picture(page, "sign-in")
    await sign_in(page, "not the password", name="nobody")
    strangers = await page.get_by_role("alert").inner_text()
    for _ in range(FREE_FAILURES + 1):
        await sign_in(page, "not the password")
        await expect(page.get_by_role("alert")).to_have_text(strangers)
    await sign_in(page, PASSWORD)
    await expect(page.get_by_role("alert")).to_contain_text("Too many attempts")
    await keep_picture(page, "throttled")
    await asyncio.to_thread(shop.write, forget_throttles)

    # The password and a code.
    await sign_in(page, PASSWORD, name="ANA")
    await expect(page.get_by_role("heading")).to_have_text("One more thing")
    await keep_picture(page, "code")
    await page.get_by_role("textbox", name="Code").fill("000000")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("not the code")
    await page.get_by_role("textbox", name="Code").fill(recovery[3].upper())
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_title(re.compile("No stores yet|Shop"))
    assert browser_page.requested_elsewhere == []


async def test_who_is_not_signed_in_is_spoken_to_in_their_language(
    shop: RunningHouse, browser_page: BrowserPage
) -> None:
    page = browser_page.page
    made = await asyncio.to_thread(shop.done, "POST", "/api/v1/people/set-up-link")
    await page.goto(str(made["url"]))
    await page.get_by_role("button", name="العربية").click()
    await expect(page.get_by_role("heading")).to_have_text("الحساب الأول")
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    await page.get_by_role("button", name="Deutsch").click()
    await page.get_by_label("Name zum Anmelden").fill("ana")
    await page.get_by_label("Passwort", exact=True).fill(PASSWORD)
    await page.get_by_label("Noch einmal dasselbe").fill(PASSWORD + "?")
    await page.get_by_role("button", name="Konto anlegen").click()
    await expect(page.get_by_role("alert")).to_contain_text("nicht zweimal dasselbe")
    await page.goto(f"{shop.url}/sign-in")
    await page.get_by_label("Name").fill("ana")
    await page.get_by_label("Passwort").fill("irgendetwas")
    await page.get_by_role("button", name="Anmelden").click()
    await expect(page.get_by_role("alert")).to_contain_text("passen nicht zusammen")


async def test_the_pages_fit_a_phone(shop: RunningHouse, browser_page: BrowserPage) -> None:
    page = browser_page.page
    await page.set_viewport_size({"width": 360, "height": 640})
    made = await asyncio.to_thread(shop.done, "POST", "/api/v1/people/set-up-link")
    for name, address in (("phone-sign-in", f"{shop.url}/sign-in"), ("phone-set-up", made["url"])):
        await page.goto(address)
        await keep_picture(page, name)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        fields = await page.locator("input:visible:not(.unseen), button").all()
        assert len(fields) >= 3
        for field in fields:
            box = await field.bounding_box()
            assert box is not None
            assert box["height"] >= 44, "a finger needs 44 pixels"


def forget_throttles(tx: object) -> None:
    """A quarter of an hour goes by."""
    tx.exec_driver_sql("DELETE FROM sign_in_throttle")  # type: ignore[attr-defined]
