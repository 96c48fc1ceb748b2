"""A template in a real browser: copied, moved by hand, broken, published, and rolled back."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from api.demo.sample_shop import STORE
from tests.browser.shelf import Shelf, running_shelf
from tests.browser.test_every_page import breaches
from tests.services import BrowserPage
from tests.shelf import until, until_settled

FEW = 3
LONG = "Jogurt od borovnice s komadićima voća i žitaricama"
AT = f"/api/v1/stores/{STORE}"
BOXED = """\
name: own
title: "Own"  # čaj 🍵
sample: {name: Jogurt natur, price: "0.79", currency: EUR}
worst_case: {name: Jogurt od borovnice, price: "129.99", currency: EUR}
variants:
  - elements:
      # the name stands above
      - {type: text, value: "{name}", box: ["3%", "4%", "94%", "30%"], min_size: 2.6mm}
      - {type: price, box: [8, 46, '50%', 10mm]}  # and the price
      - type: stack
        rotate: 90
        box: ["70%", 40, 60, 80]
        children:
          - {type: rect, box: [4, 8, 40, 20], border: black}
"""


async def test_from_the_gallery_to_glass_and_back(
    tmp_path: Path, browser_page: BrowserPage
) -> None:
    page = browser_page.page
    async with running_shelf(tmp_path / "data", labels=FEW, paint_s=0.2) as shelf:
        await until_settled(shelf.demo)
        labels = [place.label_id for place in shelf.demo.places[:FEW]]
        await page.goto(await shelf.sign_in_link())
        await copy_standard(page)
        await asyncio.to_thread(draw_all_with, shelf, "shelf")
        await until_settled(shelf.demo)
        before = [shelf.shown_by(label) for label in labels]
        text = page.locator("#text")
        published = await text.input_value()
        box = await flatten_the_name(page)
        assert await text.input_value() != published
        await break_it_and_jump(page, box)
        await publish(page, labels=FEW)
        await until(
            lambda: [shelf.shown_by(label) for label in labels] != before,
            20,
            "the new picture on the glass",
        )
        await until_settled(shelf.demo)
        await page.get_by_role("link", name="Compare and roll back").click()
        await expect(page.locator(".changes [data-sign=new]")).to_have_count(1)
        await expect(page.locator("#back")).to_contain_text(f"{FEW} labels are redrawn.")
        await page.get_by_role("button", name="Roll back to version 1").click()
        await expect(page.get_by_role("status").first).to_contain_text("Version 3 is published")
        await expect(text).to_have_value(published)
        await until_settled(shelf.demo)
        await until(
            lambda: [shelf.shown_by(label) for label in labels] == before,
            20,
            "the pictures from before on the glass",
        )
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_role("status").first).to_contain_text("Version 4 is published")
    assert browser_page.requested_elsewhere == []


def draw_all_with(shelf: Shelf, template: str) -> None:
    """Have every label drawn with one template, and its name take all the room there is."""
    for place in shelf.demo.places[:FEW]:
        shelf.client.put(f"{AT}/products/{place.sku}", {"name": LONG})
    rules = [{"match": {}, "template": template}]
    shelf.client.put(f"{AT}/template-rules", {"rules": rules}, seen="*")


async def copy_standard(page: Page) -> None:
    """Look at the gallery, and make a copy of one."""
    await page.get_by_role("link", name="Templates").first.click()
    await expect(page.locator("#uses-standard")).to_contain_text("label")
    card = page.locator("li", has=page.locator("#uses-standard"))
    await card.get_by_text("Copy…").click()
    await card.get_by_label("Name of the copy").fill("shelf")
    await card.get_by_role("button", name="Make the copy").click()
    await expect(page.get_by_role("status").first).to_contain_text("shelf is a copy of standard.")


async def flatten_the_name(page: Page) -> Locator:
    """Leave less room for the name, on the first panel, by a corner of its box."""
    box = page.get_by_role("button", name=re.compile("^text")).first
    await expect(box).to_be_visible()
    picture = page.locator("#work-picture")
    drawn = await picture.get_attribute("src")
    await drag(page, await corner_of(box), 0, -24)
    await expect(picture).not_to_have_attribute("src", drawn or "")
    return box


async def corner_of(box: Locator) -> Locator:
    """Return the grip at the end of a box, right and below."""
    await box.focus()
    return box.page.locator('.grip[data-right="1"][data-bottom="1"]')


async def drag(page: Page, what: Locator, dx: float, dy: float) -> None:
    """Drag something by pixels of the page."""
    at = await what.bounding_box()
    assert at is not None
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + dx / 2, y + dy / 2)
    await page.mouse.move(x + dx, y + dy)
    await page.mouse.up()


async def break_it_and_jump(page: Page, box: Locator) -> None:
    """Misspell an element, go to its line by the check, and mend it."""
    text = page.locator("#text")
    right = await text.input_value()
    line = right.split("\n").index(
        next(one for one in right.split("\n") if "- type: column" in one)
    )
    await text.fill(right.replace("type: column", "type: colum", 1))
    jump = page.get_by_role("button", name=f"Line {line + 1}", exact=True).first
    await expect(jump).to_be_visible()
    await expect(page.locator("#lines [data-severity=error]").first).to_have_text(f"{line + 1}\n")
    await expect(page.locator("#ask")).to_have_count(0)
    await jump.click()
    selected = await text.evaluate("one => one.value.slice(one.selectionStart, one.selectionEnd)")
    assert "type: colum" in selected
    assert "\n" not in selected
    await text.fill(right)
    await expect(box).to_be_visible()


async def publish(page: Page, *, labels: int) -> None:
    """See how many labels it redraws, and do it."""
    await page.get_by_role("button", name="Publish…").click()
    await expect(page.locator(".publish")).to_contain_text(f"{labels} labels are redrawn.")
    await page.get_by_role("button", name="Publish version 2").click()
    await expect(page.get_by_role("status").first).to_contain_text(
        f"Version 2 is published; {labels} labels are redrawn."
    )


async def test_boxes_follow_hand_and_keys_and_all_else_in_the_text_stays(
    tmp_path: Path, browser_page: BrowserPage
) -> None:
    page = browser_page.page
    async with running_shelf(tmp_path / "data", labels=1, paint_s=0.2) as shelf:
        await asyncio.to_thread(shelf.client.put, f"{AT}/templates/own", {"text": BOXED})
        await page.goto(await shelf.sign_in_link())
        await page.goto(f"{shelf.url}/templates/own")
        text = page.locator("#text")
        price = page.get_by_role("button", name="price, line 9")
        await expect(price).to_be_visible()
        assert await breaches(page) == []
        width = int((await page.locator("#boxes").get_attribute("viewBox") or "").split()[2])
        wide = await page.locator("#boxes").bounding_box()
        assert wide is not None
        scale = wide["width"] / width
        # Dragged: snapped to the grid of four pixels, in pixels as it was written.
        await drag(page, price.locator(".area"), 17 * scale, -10 * scale)
        await expect(text).to_have_value(BOXED.replace("[8, 46,", "[24, 36,"))
        # By keys, at once and again while the picture is not drawn yet.
        for key in ("ArrowRight", "ArrowRight", "Alt+ArrowLeft", "ArrowDown"):
            await price.press(key)
        await expect(text).to_have_value(BOXED.replace("[8, 46,", "[31, 40,"))
        await price.press("Shift+ArrowRight")
        value = await text.input_value()
        assert re.search(r"\[31, 40, '[\d.]+%', 10mm\]\}  # and the price", value), value
        await price.press("Control+z")
        await expect(text).to_have_value(BOXED.replace("[8, 46,", "[31, 40,"))
        # In a turned group, right on the panel is up in the group.
        inner = page.get_by_role("button", name="rect, line 14")
        await expect(page.locator("#seen")).to_have_attribute("data-length", re.compile(r"\d+"))
        await inner.press("Alt+ArrowRight")
        await expect(text).to_have_value(
            BOXED.replace("[8, 46,", "[31, 40,").replace("[4, 8,", "[4, 7,")
        )
        await inner.press("Enter")
        focused = await page.evaluate("document.activeElement.id")
        assert focused == "text"
        await text.press("Home")
        await text.press("Tab")
        assert "\n            - {type: rect" in await text.input_value()
        await text.press("Escape")
        await text.press("Tab")
        assert await page.evaluate("document.activeElement.id") != "text"
    assert browser_page.requested_elsewhere == []


async def test_what_was_typed_is_still_there_after_the_page_was_closed(
    tmp_path: Path, browser_page: BrowserPage
) -> None:
    page = browser_page.page
    async with running_shelf(tmp_path / "data", labels=1, paint_s=0.2) as shelf:
        await asyncio.to_thread(shelf.client.put, f"{AT}/templates/own", {"text": BOXED})
        await page.goto(await shelf.sign_in_link())
        await page.goto(f"{shelf.url}/templates/own")
        text = page.locator("#text")
        await text.fill(BOXED + "# never published\n")
        await page.goto(f"{shelf.url}/templates")
        await page.goto(f"{shelf.url}/templates/own")
        await expect(text).to_have_value(BOXED)
        await page.get_by_role("button", name="Take it up").click()
        await expect(text).to_have_value(BOXED + "# never published\n")
        await page.locator("#help-qr summary").click()
        await text.evaluate("one => one.setSelectionRange(0, 0)")
        await text.press("Control+End")
        await page.locator("#help-qr").get_by_role("button", name="Insert the example").click()
        await expect(text).to_have_value(re.compile(r"\n          - \{type: qr, box: "))
    assert browser_page.requested_elsewhere == []
