"""A technician pairs with a scanner that types: two scans, no tap; through outages and reloads."""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
import qrcode
from PIL import Image
from playwright.async_api import FilePayload, Page, async_playwright, expect

from tests.browser.shelf import Shelf, running_shelf
from tests.services import CHROMIUM_ARGUMENTS, BrowserPage, require
from tests.shelf import until_settled

AT = "/api/v1/stores/demo"
LABELS = 8


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    """A shelf whose labels have no product any more."""
    async with running_shelf(tmp_path / "data", labels=LABELS, paint_s=0.2) as running:
        await until_settled(running.demo)
        for place in running.demo.places:
            at = f"{AT}/pairings/{place.label_id}"
            await asyncio.to_thread(running.client.delete, at)
        yield running


@pytest.fixture
async def page(shelf: Shelf, browser_page: BrowserPage) -> AsyncIterator[Page]:
    """The page to scan at, on a phone. Nothing may leave this machine."""
    found = browser_page.page
    await found.set_viewport_size({"width": 360, "height": 740})
    await found.goto(await shelf.sign_in_link())
    await found.goto(f"{shelf.url}/pair")
    yield found
    assert browser_page.requested_elsewhere == []


async def scan(page: Page, text: str) -> None:
    """Type as a scanner does: the characters, then Enter."""
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def stands(page: Page, state: str, count: int, timeout_s: float = 20) -> None:
    found = page.locator(f"#pair-jobs li[data-stands={state}]")
    await expect(found).to_have_count(count, timeout=timeout_s * 1000)


async def test_two_scans_in_either_order_and_no_tap_until_the_glass_shows_it(
    shelf: Shelf, page: Page
) -> None:
    first, second = shelf.demo.places[:2]
    await scan(page, first.label_id)
    await expect(page.locator("#pair-next")).to_have_text(
        f"Label {first.label_id}: now the product"
    )
    await scan(page, first.sku)
    await scan(page, second.sku)
    await scan(page, second.label_id.upper())
    await stands(page, "confirmed", 2)
    await expect(page.locator("#count-confirmed")).to_have_text("2")
    assert await page.locator("#pair").get_attribute("data-sounded") == "shown"
    listed = await asyncio.to_thread(shelf.client.get, f"{AT}/labels?limit=100")
    paired = {one["label"]: one["skus"] for one in listed["labels"] if one["skus"]}
    assert paired == {first.label_id: [first.sku], second.label_id: [second.sku]}
    assert await page.evaluate("document.documentElement.scrollWidth") == 360


async def test_what_cannot_be_paired_is_said_and_kept(shelf: Shelf, page: Page) -> None:
    first, second = shelf.demo.places[:2]
    await scan(page, "nobody-knows-this")
    await expect(page.locator("#pair-next")).to_contain_text("knows nothing by nobody-knows-this")
    await scan(page, first.label_id)
    await scan(page, second.label_id)
    await expect(page.locator("#pair-next")).to_contain_text(f"Label {second.label_id}")
    await scan(page, second.sku)
    await stands(page, "confirmed", 1)
    assert await page.locator(".job-label").all_inner_texts() == [second.label_id]


async def test_undo_within_ten_seconds(shelf: Shelf, page: Page) -> None:
    place = shelf.demo.places[0]
    await scan(page, place.label_id)
    await scan(page, place.sku)
    await page.get_by_role("button", name="Undo").click()
    await stands(page, "undone", 1)
    view = await asyncio.to_thread(shelf.client.get, f"{AT}/labels?limit=1")
    assert view["labels"][0]["skus"] == []


async def test_a_photo_of_a_bar_code_is_read_on_the_server(shelf: Shelf, page: Page) -> None:
    place = shelf.demo.places[0]
    photo = Image.new("RGB", (3000, 2000), (190, 190, 180))
    photo.paste(qrcode.make(place.label_id, box_size=20).get_image(), (1000, 600))
    await page.locator("#pair-photo").set_input_files(file_of(photo))
    await expect(page.locator("#pair-next")).to_contain_text(f"Label {place.label_id}")
    await scan(page, place.sku)
    await stands(page, "confirmed", 1)
    blank = Image.new("RGB", (800, 600), (190, 190, 180))
    await page.locator("#pair-photo").set_input_files(file_of(blank))
    await expect(page.locator("#pair-next")).to_contain_text("No code was found")


def file_of(picture: Image.Image) -> FilePayload:
    out = BytesIO()
    picture.save(out, "PNG")
    return {"name": "photo.png", "mimeType": "image/png", "buffer": out.getvalue()}


async def test_the_camera_reads_codes_on_the_device(shelf: Shelf, tmp_path: Path) -> None:
    place = shelf.demo.places[0]
    film = tmp_path / "aisle.y4m"
    film.write_bytes(filmed(place.label_id, place.sku))
    camera = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=require("chromium"), args=[*CHROMIUM_ARGUMENTS, *camera]
        )
        page = await browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(await shelf.sign_in_link())
        await page.goto(f"{shelf.url}/pair")
        await page.get_by_role("button", name="Camera").click()
        await stands(page, "confirmed", 1, timeout_s=40)
        assert await page.locator(".job-label").first.inner_text() == place.label_id
        await page.get_by_role("button", name="Camera").click()
        await expect(page.locator("#pair-view")).to_be_hidden()
        assert all(address.startswith(shelf.url) for address in asked)
        await browser.close()


def filmed(*texts: str) -> bytes:
    """A film of codes, each for three seconds, as Chromium takes it for a camera's."""
    width, height, each_s, a_second = 640, 480, 3, 5
    parts = [f"YUV4MPEG2 W{width} H{height} F{a_second}:1 Ip A1:1 C420mpeg2\n".encode()]
    for text in texts:
        frame = Image.new("L", (width, height), 200)
        code = qrcode.make(text, box_size=8).get_image().convert("L")
        frame.paste(code, ((width - code.width) // 2, (height - code.height) // 2))
        grey = bytes([128]) * (width * height // 2)
        parts += [b"FRAME\n", frame.tobytes(), grey] * (each_s * a_second)
    return b"".join(parts)


async def test_an_outage_and_a_killed_tab_lose_nothing(shelf: Shelf, page: Page) -> None:
    context = page.context
    shelves = {"rows": [{"place": "3/2", "code": "S-32"}, {"place": "3/3", "code": "S-33"}]}
    await asyncio.to_thread(shelf.client.post, f"{AT}/places", shelves)
    await page.reload(wait_until="networkidle")
    await context.set_offline(True)
    for number, place in enumerate(shelf.demo.places[: LABELS - 1]):
        if number in {2, 5}:
            await scan(page, "S-32" if number == 2 else "S-33")
            await expect(page.locator("#pair-next")).to_contain_text(f"3/{number // 3 + 2}")
        await scan(page, place.label_id)
        await scan(page, place.sku)
    last = shelf.demo.places[LABELS - 1]
    await scan(page, last.label_id)
    await expect(page.locator("#pair-line")).to_contain_text("it is kept here and sent later")
    await stands(page, "waiting", LABELS - 1)
    await page.close()
    again = await context.new_page()
    await context.set_offline(False)
    await again.goto(f"{shelf.url}/pair")
    await expect(again.locator("#pair-next")).to_contain_text(last.label_id)
    await scan(again, last.sku)
    await stands(again, "confirmed", LABELS, timeout_s=60)
    await expect(again.locator("#pair-line")).to_be_hidden()
    listed = await asyncio.to_thread(shelf.client.get, f"{AT}/labels?limit=100")
    paired = {one["label"]: one["skus"] for one in listed["labels"]}
    assert paired == {one.label_id: [one.sku] for one in shelf.demo.places}
    hung = {one["label"]: one["place"] for one in listed["labels"]}
    standing = [hung[one.label_id] for one in shelf.demo.places]
    assert standing[2:] == ["3/2"] * 3 + ["3/3"] * 3, "each hangs where it was scanned"
    steps = await asyncio.to_thread(shelf.client.get, f"{AT}/pairing-steps?limit=100")
    own = [one for one in steps["steps"] if one["actor"].startswith("person:")]
    assert len(own) == LABELS, "each was paired once"


async def test_without_scripts_it_is_a_form(shelf: Shelf, browser_page: BrowserPage) -> None:
    browser = browser_page.page.context.browser
    assert browser is not None
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(await shelf.sign_in_link())
    await page.goto(f"{shelf.url}/pair")
    place = shelf.demo.places[0]
    await page.locator("#scan").fill(place.sku)
    await page.locator("#scan-2").fill(place.label_id)
    await page.get_by_role("button", name="Enter").click()
    await expect(page.locator(".done")).to_contain_text(place.label_id)
    await page.locator(".done").get_by_role("button", name="Undo").click()
    await expect(page.locator(".done")).to_contain_text("Undone.")
    await context.close()


async def test_a_broken_label_is_replaced_by_two_scans_and_that_is_undone(
    shelf: Shelf, page: Page
) -> None:
    broken, fresh = shelf.demo.places[:2]
    product = broken.sku
    rows = [{"label": broken.label_id, "sku": product, "place": "3/2"}]
    await asyncio.to_thread(shelf.client.post, f"{AT}/pairings", rows)
    await page.locator("#pair-modes").get_by_text("Replace", exact=True).click()
    await expect(page.locator("#pair-next")).to_have_text("Scan the label that is to be replaced")
    await scan(page, product)
    await expect(page.locator("#pair-next")).to_contain_text("No label is known by")
    await scan(page, broken.label_id)
    await expect(page.locator("#pair-next")).to_have_text(f"{broken.label_id}: now the new label")
    await scan(page, fresh.label_id)
    await stands(page, "confirmed", 1)
    labels = await asyncio.to_thread(shelf.client.listed, f"{AT}/labels", "labels")
    hangs = {one["label"]: (one["skus"], one["place"]) for one in labels}
    assert hangs[fresh.label_id] == ([product], "3/2")
    assert hangs[broken.label_id] == ([], None), "it has left the shop"
    await page.get_by_role("button", name="Undo").click()
    await stands(page, "undone", 1)
    labels = await asyncio.to_thread(shelf.client.listed, f"{AT}/labels", "labels")
    hangs = {one["label"]: (one["skus"], one["place"]) for one in labels}
    assert hangs[broken.label_id] == ([product], "3/2")


async def test_labels_move_to_a_scanned_shelf_also_after_an_outage(
    shelf: Shelf, page: Page
) -> None:
    places = shelf.demo.places[:3]
    shelves = {"rows": [{"place": "3/2", "code": "S-32"}]}
    await asyncio.to_thread(shelf.client.post, f"{AT}/places", shelves)
    await page.reload(wait_until="networkidle")
    await page.locator("#pair-modes").get_by_text("Move", exact=True).click()
    await scan(page, places[0].label_id)
    await expect(page.locator("#pair-next")).to_contain_text("Scan the shelf's code")
    await page.context.set_offline(True)
    await scan(page, "S-32")
    for place in places:
        await scan(page, place.label_id)
    await stands(page, "waiting", 3)
    await page.context.set_offline(False)
    await stands(page, "done", 3)
    labels = await asyncio.to_thread(shelf.client.listed, f"{AT}/labels", "labels")
    assert [one["label"] for one in labels if one["place"] == "3/2"] == [
        place.label_id for place in places
    ]


async def test_labels_of_a_product_are_found_by_their_light(shelf: Shelf, page: Page) -> None:
    first, second = shelf.demo.places[:2]
    rows = [{"label": one.label_id, "sku": first.sku} for one in (first, second)]
    await asyncio.to_thread(shelf.client.post, f"{AT}/pairings", rows)
    await page.locator("#pair-modes").get_by_text("Find", exact=True).click()
    await scan(page, first.sku)
    both = f"It blinks: {first.label_id}, {second.label_id}"
    await expect(page.locator("#pair-next")).to_have_text(both)
    await scan(page, second.label_id.upper())
    await expect(page.locator("#pair-next")).to_have_text(f"It blinks: {second.label_id}")
    await scan(page, shelf.demo.places[3].sku)
    await expect(page.locator("#pair-next")).to_contain_text("No label shows")
    await page.reload()
    await expect(page.locator("#pair-modes").get_by_label("Find")).to_be_checked()
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
