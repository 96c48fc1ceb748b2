"""Every page in a real browser: for every eye and hand, in both themes, in Arabic, on a phone.

A new page is looked at without being named here: the pages are those of the application.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser import whole_shop
from tests.browser.every_page import routes
from tests.browser.shelf import Shelf
from tests.services import BrowserPage

OUTSIDE = ("/sign-in", "/no-such-page")
"""Pages of somebody who is not signed in."""

SET_UP_LINK = "/api/v1/people/set-up-link"

WIDTHS = (360, 768, 1920)
LOOKS = (("light", "en"), ("dark", "en"), ("light", "ar"), ("dark", "ar"))


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    async with whole_shop.whole_shop(tmp_path / "data") as running:
        yield running


async def breaches(page: Page) -> list[str]:
    """Return what axe-core finds, in a line each."""
    found = await Axe().run(page)
    return [
        f"{one['id']}: {one['help']}: {node['html'][:160]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


async def test_every_page_is_for_everybody(shelf: Shelf, browser_page: BrowserPage) -> None:
    page = browser_page.page
    wrong: list[str] = []
    await page.goto(f"{shelf.url}/sign-in")
    welcome = str((await asyncio.to_thread(shelf.client.post, SET_UP_LINK, {}))["url"])
    for theme, language in LOOKS:
        await whole_shop.prefer(page, shelf.url, theme=theme, language=language)
        for path in (*OUTSIDE, urlsplit(welcome)._replace(scheme="", netloc="").geturl()):
            await page.goto(shelf.url + path)
            wrong += [f"{path} {theme} {language}: {one}" for one in await breaches(page)]
    await page.context.clear_cookies()
    browser_page.errors.clear()  # the page that is not there is an error on the console
    await whole_shop.sign_up(shelf, page)
    pages = await asyncio.to_thread(whole_shop.addresses, shelf, routes())
    for theme, language in LOOKS:
        await whole_shop.prefer(page, shelf.url, theme=theme, language=language)
        for path in pages.values():
            answer = await page.goto(shelf.url + path)
            assert answer is not None
            assert answer.status == 200, path
            await expect(page.locator("h1")).to_have_count(1)
            about = f"{path} {theme} {language}"
            wrong += [f"{about}: {one}" for one in await breaches(page)]
            for width in WIDTHS:
                await page.set_viewport_size({"width": width, "height": 800})
                if await page.evaluate("document.documentElement.scrollWidth") > width:
                    wrong.append(f"{about}: wider than {width} px")
    assert not wrong, "\n".join(wrong)
    assert browser_page.requested_elsewhere == []
    assert browser_page.errors == []
