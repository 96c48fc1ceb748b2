"""Signing in by a company's provider, on another site, as a person sees it in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from api.auth import SESSION_COOKIE
from api.oidc.sealed_cookie import COOKIE
from tests.browser.test_accounts import keep_picture
from tests.openid_provider import OpenIdProvider, running_provider
from tests.provider_sign_in import set_up
from tests.running_house import STORE_BODY, RunningHouse, running_house
from tests.services import BrowserPage


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with running_provider("localhost") as running:
        running.add("ana", "shelf-managers")
        running.add("carl", "everybody")
        yield running


@pytest.fixture
def shop(tmp_path: Path, provider: OpenIdProvider) -> Iterator[RunningHouse]:
    with running_house(tmp_path) as running:
        running.done("PUT", "/api/v1/stores/main", STORE_BODY)
        set_up(running, provider)
        yield running


async def go_through(page: Page, name: str) -> None:
    """Press the button, and say at the provider who one is."""
    await page.get_by_role("link", name="Sign in by your Vrsar account").click()
    await expect(page.get_by_role("heading")).to_have_text("The company")
    await page.get_by_label("Who are you?").fill(name)
    await page.get_by_role("button", name="This is me").click()


async def test_from_the_button_to_the_wall_and_out_again(
    shop: RunningHouse, provider: OpenIdProvider, browser_page: BrowserPage
) -> None:
    async def reach(route: Route) -> None:
        await route.continue_()

    page = browser_page.page
    await page.route(f"{provider.issuer}/**", reach)

    # Somebody whose groups give nothing here.
    await page.goto(f"{shop.url}/sign-in")
    await keep_picture(page, "provider-button")
    await go_through(page, "carl")
    await expect(page.get_by_role("alert")).to_contain_text("none of your groups has a role")
    await keep_picture(page, "provider-refused")
    assert await page.context.cookies(shop.url) == []

    # Somebody who is a manager; the strict cookie is sent although another site leads here.
    await go_through(page, "ana")
    await expect(page).to_have_title(re.compile("Vrsar"))
    cookies = {one["name"]: one for one in await page.context.cookies(shop.url)}
    assert COOKIE not in cookies
    assert cookies[SESSION_COOKIE]["httpOnly"]
    assert cookies[SESSION_COOKIE]["sameSite"] == "Strict"
    await page.goto(f"{shop.url}/account")
    await expect(page.get_by_role("main")).to_contain_text("Ana")

    # Out of the shop, and out of the company.
    await page.get_by_role("button", name="Sign out here").click()
    await expect(page.get_by_role("heading")).to_have_text("Signed out")
    await keep_picture(page, "provider-signed-out")
    await page.get_by_role("link", name="Sign out of your Vrsar account as well").click()
    await expect(page.get_by_role("heading")).to_have_text("You are out of the company")
    await page.get_by_role("link", name="Back").click()
    await expect(page.get_by_role("heading")).to_have_text("Sign in")

    # The provider is gone: that is said, and the form stays.
    set_up(shop, provider, issuer="http://127.0.0.1:1")
    await page.set_viewport_size({"width": 360, "height": 640})
    await page.get_by_role("link", name="Sign in by your Vrsar account").click()
    await expect(page.get_by_role("alert")).to_contain_text("does not answer")
    await expect(page.get_by_label("Password")).to_be_visible()
    await keep_picture(page, "provider-gone")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    box = await page.get_by_role("link", name="Sign in by your").bounding_box()
    assert box is not None
    assert box["height"] >= 44, "a finger needs 44 pixels"

    elsewhere = browser_page.requested_elsewhere
    assert elsewhere
    assert all(url.startswith((provider.issuer, "http://localhost")) for url in elsewhere)
