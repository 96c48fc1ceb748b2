"""A price list in a real browser: a mapping made from it, a try, the glass, and taking it back."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Page, expect

from api.demo.sample_shop import STORE
from tests.browser.shelf import Shelf, running_shelf
from tests.services import BrowserPage
from tests.shelf import until, until_settled

FEW, MANY = 3, 25


async def test_from_an_unknown_list_to_glass_and_back(
    tmp_path: Path, browser_page: BrowserPage
) -> None:
    page = browser_page.page
    async with running_shelf(tmp_path / "data", labels=FEW, paint_s=0.2) as shelf:
        await until_settled(shelf.demo)
        labels = [place.label_id for place in shelf.demo.places[:FEW]]
        before = [shelf.shown_by(label) for label in labels]
        file = await asyncio.to_thread(write_list, tmp_path / "cjenik.csv", shelf)
        await page.goto(await shelf.sign_in_link())
        await make_a_mapping(page, file)
        await try_it(page, file)
        assert [shelf.shown_by(label) for label in labels] == before, "a try shows on no label"
        await page.get_by_role("button", name="Apply").click()
        await expect(page.locator("#now")).to_contain_text("Taken.", timeout=20_000)
        await until(lambda: all_new(shelf, labels, before), 20, "the new prices on the glass")
        await until_settled(shelf.demo)
        await page.reload()
        await expect(page.locator("#now")).to_contain_text(f"{FEW} show it")
        await page.locator(f"tr:has-text('{shelf.demo.places[0].sku}') a").first.click()
        await expect(page.locator("main")).to_contain_text("cjenik.csv")
        await expect(page.locator("main")).to_contain_text("€7.77")
        await take_back(page)
        await until_settled(shelf.demo)
        await until(
            lambda: [shelf.shown_by(label) for label in labels] == before,
            20,
            "the pictures from before on the glass",
        )
    assert browser_page.requested_elsewhere == []


def write_list(file: Path, shelf: Shelf) -> Path:
    """Write a list as some till does: of the products on the shelf, new ones, and a slip."""
    at = f"/api/v1/stores/{STORE}/products"
    known = [shelf.client.get(f"{at}/{place.sku}") for place in shelf.demo.places[:FEW]]
    rows = [f"{one['sku']};{one['name']};7,77" for one in known]
    rows += [f"N{n};Novo {n};{n},50" for n in range(1, MANY - FEW)] + ["N99;Krivo;4x99"]
    file.write_text("\n".join(["Šifra;Naziv;MPC", *rows, ""]), "utf-8")
    return file


def all_new(shelf: Shelf, labels: list[str], before: list[str]) -> bool:
    """Say whether each label shows another picture than it did."""
    return all(shelf.shown_by(label) != old for label, old in zip(labels, before, strict=True))


async def make_a_mapping(page: Page, file: Path) -> None:
    """Let one be proposed, see its rows, and save it; the file is chosen once."""
    await page.get_by_role("link", name="Price lists").first.click()
    await page.get_by_role("link", name="Make a mapping").click()
    await page.get_by_label("A list to look at").set_input_files(file)
    await page.get_by_role("button", name="Propose a mapping").click()
    await expect(page.get_by_label("The mapping", exact=True)).to_have_value(
        re.compile("name: cjenik")
    )
    await page.get_by_role("button", name="Try it").click()
    await expect(page.locator("#tried-title")).to_contain_text("1 rows refused")
    await expect(page.locator("#editor table").first.locator("tbody tr")).to_have_count(20)
    await page.get_by_role("button", name="Save it as cjenik").click()
    await expect(page.get_by_role("status")).to_contain_text("saved, as version 1")


async def try_it(page: Page, file: Path) -> None:
    """Hand the list in, and see what it would change and what is wrong with it."""
    await page.get_by_label("Price list", exact=True).set_input_files(file)
    await page.get_by_role("button", name="Try it").click()
    await expect(page.locator("#now")).to_contain_text("nothing was stored", timeout=20_000)
    await expect(page.locator("#now tbody tr").first).to_contain_text("7.77 EUR")
    await page.get_by_role("link", name="refused").click()
    await expect(page.locator("#now tbody tr")).to_have_count(1)
    await expect(page.locator("#now tbody tr")).to_contain_text("4x99")


async def take_back(page: Page) -> None:
    """Roll the batch back on the page of lists."""
    await page.get_by_role("link", name="Price lists").first.click()
    row = page.locator("section:has(#batches-title) tbody tr").first
    await expect(row).to_contain_text("cjenik.csv")
    await row.get_by_text("Take back…").click()
    await row.get_by_placeholder("Why").fill("wrong file")
    await row.get_by_role("button", name="Take back").click()
    await expect(page.get_by_role("status")).to_contain_text("is taken back")
    await expect(row).to_contain_text("taken back")
