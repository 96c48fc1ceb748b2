"""Take pictures of every page, from a shop that is really running.

    make screenshots                       those that the README and the docs show
    make screenshots ARGS="--all --to shots"   every page: desktop, phone, dark, and in Arabic

It starts a controller and a simulated shop, lets one price be on its way, one be held back and one
name be impossible to draw, signs a person up, and looks at the pages as that person does.
"""

import argparse
import asyncio
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tests.browser.every_page import routes
from tests.browser.shelf import Shelf
from tests.browser.whole_shop import (
    EVERYTHING_IN_SIGHT_IS_DRAWN,
    addresses,
    prefer,
    sign_up,
    whole_shop,
)
from tests.services import CHROMIUM_ARGUMENTS, require

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at."""

    name: str
    size: ViewportSize
    theme: str = "light"
    language: str = "en"


DESKTOP: Final = Look("desktop", {"width": 1440, "height": 1000})
PHONE: Final = Look("phone", {"width": 360, "height": 760})
LOOKS: Final = (
    DESKTOP,
    PHONE,
    Look("dark", DESKTOP.size, theme="dark"),
    Look("arabic", PHONE.size, language="ar"),
)
SHOWN: Final = (
    *(("home", DESKTOP), ("wall", DESKTOP), ("templates-template", DESKTOP)),
    *(("labels-label", PHONE), ("pair", PHONE), ("walk", PHONE)),
)
"""The pages in the docs; their files are named by the page."""


async def main(to: Path, *, is_all: bool) -> None:
    """Take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        async with whole_shop(Path(folder) / "data") as shelf, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=require("chromium"), args=list(CHROMIUM_ARGUMENTS)
            )
            page = await _signed_up(shelf, browser)
            pages = await asyncio.to_thread(addresses, shelf, routes())
            wanted = [(key, look) for look in LOOKS for key in pages] if is_all else list(SHOWN)
            for number, (key, look) in enumerate(wanted, 1):
                file = to / (f"{key}-{look.name}.png" if is_all else f"{key}.png")
                await _take(page, shelf.url, pages[key], look, file)
                size = file.stat().st_size // 1000
                print(f"{number}/{len(wanted)} {file}: {size} KB", flush=True)  # noqa: T201
            await browser.close()


async def _signed_up(shelf: Shelf, browser: Browser) -> Page:
    context = await browser.new_context(viewport=DESKTOP.size, reduced_motion="reduce")
    page = await context.new_page()
    await sign_up(shelf, page)
    return page


async def _take(page: Page, url: str, path: str, look: Look, file: Path) -> None:
    await page.set_viewport_size(look.size)
    await prefer(page, url, theme=look.theme, language=look.language)
    await page.goto(url + path)
    await page.evaluate(EVERYTHING_IN_SIGHT_IS_DRAWN)
    await page.wait_for_timeout(400)  # until what comes by the stream has come
    taken = Image.open(io.BytesIO(await page.screenshot()))
    taken.convert("RGB").save(file, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every page, in every look")
    parser.add_argument("--to", type=Path, default=IMAGES, help="folder (docs/images)")
    read = parser.parse_args()
    read.to.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(read.to, is_all=read.all))
