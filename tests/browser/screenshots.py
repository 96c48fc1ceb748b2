"""Make the picture of the wall for the README, from a shelf that is really running.

    python -m tests.browser.screenshots

It starts a controller and a simulated shop, waits until every label shows its price, lets one
price be on its way and one name be impossible to draw, and writes ``docs/images/wall.png``.
"""

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright, expect

from api.demo.run import LABELS
from api.demo.sample_shop import STORE
from tests.browser.shelf import running_shelf
from tests.services import CHROMIUM_ARGUMENTS, require
from tests.shelf import until_settled

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "wall.png"
SIZE = {"width": 1440, "height": 1080}
ON_ITS_WAY, NEEDS_YOU = 3, 6
FONTLESS = "Fresh oranges ♥ Valencia"
"""A name with a character that no font of the labels holds."""

EVERYTHING_IN_SIGHT_IS_DRAWN = """Promise.all(
    [...document.images]
        .filter((image) => image.getBoundingClientRect().top < innerHeight)
        .map((image) => image.decode())
)"""


async def main() -> None:
    """Make the picture."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            running_shelf(Path(folder) / "data", labels=LABELS, paint_s=0.2) as shelf,
            async_playwright() as playwright,
        ):
            await until_settled(shelf.demo)
            browser = await playwright.chromium.launch(
                executable_path=require("chromium"), args=list(CHROMIUM_ARGUMENTS)
            )
            context = await browser.new_context(
                viewport={"width": SIZE["width"], "height": SIZE["height"]},
                color_scheme="light",
                reduced_motion="reduce",
            )
            page = await context.new_page()
            await shelf.open_wall(page)
            await expect(page.locator("#live")).to_have_text("Live")
            product = f"/api/v1/stores/{STORE}/products/{shelf.demo.places[NEEDS_YOU].sku}"
            await asyncio.to_thread(shelf.client.put, product, {"name": FONTLESS})
            slow = shelf.demo.places[ON_ITS_WAY].label_id
            shelf.demo.shop.labels[slow].dead = True
            await shelf.change_price(ON_ITS_WAY, "1.99")
            await expect(page.locator(f"#tile-{slow} .state")).to_have_text("On its way")
            await expect(page.locator(".chip[data-state=needs-you] b")).to_have_text("1")
            await page.evaluate(EVERYTHING_IN_SIGHT_IS_DRAWN)
            PICTURE.parent.mkdir(parents=True, exist_ok=True)
            await page.screenshot(path=PICTURE)
            await browser.close()
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1000} KB")  # noqa: T201  a command says what it did


if __name__ == "__main__":
    asyncio.run(main())
