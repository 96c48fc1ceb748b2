"""The wall in a real browser, on a real controller: what people see is what the labels said."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, Route, expect

from api.demo.sample_shop import STORE
from renderer.preview import png_bytes
from tests.browser.shelf import Shelf, running_shelf
from tests.panels import PANELS
from tests.services import BrowserPage
from tests.shelf import until, until_settled

LABELS = 6
PAINT_S = 0.2
LINE_WAS_CUT = re.compile(r"net::ERR_|network error|Failed to fetch|status (of )?(401|503)")
"""What Chromium and htmx write to the console when a controller goes away or ends a session."""


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    """A shelf on which every label shows its price."""
    async with running_shelf(tmp_path / "data", labels=LABELS, paint_s=PAINT_S) as running:
        await until_settled(running.demo)
        yield running


@pytest.fixture
async def wall(shelf: Shelf, browser_page: BrowserPage) -> AsyncIterator[Page]:
    """The wall, signed in and live. Nothing may leave this machine, and nothing may go wrong."""
    await shelf.open_wall(browser_page.page)
    await expect(browser_page.page.locator("#live")).to_have_text("Live")
    yield browser_page.page
    assert browser_page.requested_elsewhere == []
    assert [e for e in browser_page.errors if not LINE_WAS_CUT.search(e)] == []


def tile(page: Page, label_id: str) -> Locator:
    return page.locator(f"#tile-{label_id}")


def picture_of(shelf: Shelf, label_id: str) -> str:
    """Return the address of what a label's glass holds right now."""
    return f"/api/v1/labels/{label_id}/frames/{shelf.shown_by(label_id)}.png"


async def test_every_tile_shows_the_pixels_that_its_label_holds(shelf: Shelf, wall: Page) -> None:
    for label_id, label in shelf.demo.shop.labels.items():
        picture = tile(wall, label_id).locator("img")
        source = await picture.get_attribute("src")
        assert source == picture_of(shelf, label_id)
        served = await wall.request.get(shelf.url + source)
        panel = PANELS.named(label.panel.panel_id)
        assert await served.body() == png_bytes(label.shown_pixels, panel)
        await picture.scroll_into_view_if_needed()
        await expect(picture).to_have_js_property("naturalWidth", panel.width_px)
        box = await picture.bounding_box()
        assert box is not None
        assert box["width"] - 12 == panel.width_px, "not one to one; the bezel is 6 px wide"


async def test_a_new_price_appears_within_two_seconds_of_the_glass_without_a_reload(
    shelf: Shelf, wall: Page
) -> None:
    label_id = shelf.demo.places[0].label_id
    before = shelf.shown_by(label_id)
    await wall.evaluate("window.sameDocument = true")

    await shelf.change_price(0, "7.77")
    await until(lambda: shelf.shown_by(label_id) != before, 10, "the new price on the glass")

    picture = tile(wall, label_id).locator("img")
    await expect(picture).to_have_attribute("src", picture_of(shelf, label_id), timeout=2000)
    await expect(tile(wall, label_id).locator(".price")).to_contain_text("7,77")
    assert await wall.evaluate("window.sameDocument")


async def test_the_wall_never_shows_a_picture_before_the_label_does(
    tmp_path: Path, browser_page: BrowserPage
) -> None:
    page = browser_page.page
    async with running_shelf(tmp_path / "data", labels=1, paint_s=1.5) as shelf:
        await until_settled(shelf.demo)
        await shelf.open_wall(page)
        await expect(page.locator("#live")).to_have_text("Live")
        label_id = shelf.demo.places[0].label_id
        old = picture_of(shelf, label_id)

        await shelf.change_price(0, "7.77")
        state = tile(page, label_id).locator(".state")
        await expect(state).to_have_text("On its way")
        await expect(tile(page, label_id).locator("img")).to_have_attribute("src", old)
        await expect(tile(page, label_id)).to_contain_text("should say 7,77")
        await expect(state).to_have_text("Right")
        new = picture_of(shelf, label_id)
        assert new != old
        await expect(tile(page, label_id).locator("img")).to_have_attribute("src", new)


async def test_the_words_follow_what_happens(shelf: Shelf, wall: Page) -> None:
    first, second, third = (place.label_id for place in shelf.demo.places[:3])
    await expect(wall.locator(".chip[data-state=right] b")).to_have_text(str(LABELS))
    await expect(wall.locator("[role=status]")).to_have_text(f"{LABELS} labels: {LABELS} right.")

    product = f"/api/v1/stores/{STORE}/products/{shelf.demo.places[0].sku}"
    name = {"name": "ብርቱካን"}  # no font of the labels has Ethiopic
    await asyncio.to_thread(shelf.client.put, product, name)
    await expect(tile(wall, first).locator(".state")).to_have_text("Needs you")
    await expect(tile(wall, first)).to_contain_text("a character the label's font cannot draw")
    await expect(wall.locator(".chip[data-state=needs-you] b")).to_have_text("1")

    shelf.demo.shop.labels[third].dead = True
    await shelf.change_price(2, "8.88")
    not_answering = tile(wall, third).locator(".state")
    await expect(not_answering).to_have_text("Not answering", timeout=20_000)

    shelf.demo.shop.switch_off("aisle-2")
    await expect(wall.locator(".gateways")).to_contain_text("aisle-2 away")
    await shelf.change_price(1, "9.99")
    await expect(tile(wall, second).locator(".state")).to_have_text("Gateway away")
    await expect(tile(wall, second)).to_contain_text("Gateway aisle-2 is off the line.")

    shelf.demo.shop.switch_on("aisle-2")
    await expect(tile(wall, second).locator(".state")).to_have_text("Right", timeout=20_000)
    await expect(tile(wall, second).locator("img")).to_have_attribute(
        "src", picture_of(shelf, second)
    )


async def test_labels_stand_in_groups_as_asked_and_stay_live(shelf: Shelf, wall: Page) -> None:
    await wall.get_by_label("Group by").select_option("gateway")
    await expect(wall.locator(".group b")).to_have_text(["aisle-1", "aisle-2"])
    assert "by=gateway" in wall.url
    await expect(wall.locator("#live")).to_have_text("Live")
    label = shelf.demo.places[0].label_id
    shelf.demo.shop.labels[label].dead = True
    sku = shelf.demo.places[0].sku
    change = {"sku": sku, "price": "3.33"}
    await asyncio.to_thread(shelf.client.post, f"/api/v1/stores/{STORE}/price-changes", change)
    await expect(wall.locator(f"#tile-{label}")).to_contain_text("should say")
    await wall.get_by_label("Group by").select_option("product")
    await expect(wall.locator(".group b").last).to_have_text("On one label each")


async def test_a_button_pressed_in_the_shop_is_seen_and_kept(shelf: Shelf, wall: Page) -> None:
    label = shelf.demo.places[2].label_id
    shelf.demo.shop.press_button(label, 1)
    await expect(wall.locator("#touched")).to_have_text(f"{label}: its button was pressed")
    shelf.demo.shop.tap(label)
    await expect(wall.locator("#touched")).to_have_text(f"{label}: a phone read its tag")
    kept = await asyncio.to_thread(shelf.client.get, f"/api/v1/stores/{STORE}/touches")
    assert [(t["label"], t["kind"], t["button"]) for t in kept["touches"]] == [
        (label, "pressed", 1),
        (label, "tapped", None),
    ]


async def test_a_new_label_appears_by_itself_as_blank_glass(shelf: Shelf, wall: Page) -> None:
    new = {"label": "new-1", "panel": "bwry-400x300"}
    await asyncio.to_thread(shelf.client.post, f"/api/v1/stores/{STORE}/labels", new)
    await expect(tile(wall, "new-1").locator("svg.blank")).to_be_visible()
    await expect(tile(wall, "new-1").locator(".state")).to_have_text("No product")
    assert await tile(wall, "new-1").locator("img").count() == 0


async def test_the_page_finds_the_controller_again_and_catches_up(shelf: Shelf, wall: Page) -> None:
    label_id = shelf.demo.places[0].label_id
    before = shelf.shown_by(label_id)
    await asyncio.to_thread(shelf.controller.kill)
    await expect(wall.locator("#live")).to_have_text("Reconnecting…")
    await wall.context.set_offline(True)  # it stays away while the shelf changes
    await shelf.start_again()
    await shelf.change_price(0, "7.77")
    await until(lambda: shelf.shown_by(label_id) != before, 30, "the new price on the glass")
    await until_settled(shelf.demo)
    await expect(tile(wall, label_id).locator("img")).to_have_attribute("src", re.compile(before))

    await wall.context.set_offline(False)
    await expect(wall.locator("#live")).to_have_text("Live", timeout=15_000)
    picture = tile(wall, label_id).locator("img")
    await expect(picture).to_have_attribute("src", picture_of(shelf, label_id))

    await shelf.change_price(0, "6.66")
    await expect(tile(wall, label_id).locator(".price")).to_contain_text("6,66")


async def test_a_page_whose_first_connection_fails_tries_again(
    shelf: Shelf, browser_page: BrowserPage
) -> None:
    page = browser_page.page
    failures = iter([True])

    async def fail_once(route: Route) -> None:
        if next(failures, False):
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await page.route("**/wall/events*", fail_once)
    await shelf.open_wall(page)
    await expect(page.locator("#live")).to_have_text("Reconnecting…")
    await expect(page.locator("#live")).to_have_text("Live")


async def test_an_error_page_never_lands_inside_the_wall(shelf: Shelf, wall: Page) -> None:
    del shelf
    failed = asyncio.Event()

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, content_type="text/html", body="<p>not now</p>")
        failed.set()

    await wall.route("**/wall/tiles*", fail)
    await wall.evaluate("htmx.trigger(document.body, 'look-again')")
    await failed.wait()
    await wall.unroute("**/wall/tiles*")
    async with wall.expect_response("**/wall/tiles*"):
        await wall.evaluate("htmx.trigger(document.body, 'look-again')")
    await expect(wall.locator(".tile")).to_have_count(LABELS)
    assert "not now" not in await wall.content()


async def test_an_open_page_does_not_keep_the_controller_from_stopping(
    shelf: Shelf, wall: Page
) -> None:
    began_s = time.monotonic()
    await asyncio.to_thread(shelf.controller.stop)
    assert time.monotonic() - began_s < 5
    await expect(wall.locator("#live")).to_have_text("Reconnecting…")


@pytest.mark.asvs("14.3.1")
async def test_who_signs_out_elsewhere_sees_no_more(shelf: Shelf, wall: Page) -> None:
    other = await wall.context.new_page()
    await other.goto(shelf.url)
    await other.locator(".top .menu summary").click()
    await other.get_by_role("button", name="Sign out").click()
    await expect(other.locator("h1")).to_have_text("Please sign in")
    await shelf.restart()  # a page that stays connected is told with the next beat
    await expect(wall.locator("h1")).to_have_text("Please sign in", timeout=20_000)


async def test_search_and_states_narrow_the_wall_and_stay_live(shelf: Shelf, wall: Page) -> None:
    await wall.keyboard.press("/")
    await wall.keyboard.type("COKOLADA")  # the shelf says Čokolada
    await expect(wall.locator(".tile")).to_have_count(1)
    await expect(wall.locator(".tile h2")).to_contain_text("Čokolada")
    await expect(wall).to_have_url(re.compile("q=COKOLADA"))
    await shelf.change_price(1, "7.77")
    await expect(wall.locator(".tile .price")).to_contain_text("7,77")
    await wall.locator("#search").fill("nothing like this")
    await expect(wall.locator(".empty h2")).to_have_text("Nothing found for “nothing like this”")

    await wall.goto(f"{shelf.url}/wall?store={STORE}")
    await wall.locator(".chip[data-state=needs-you]").click()
    await expect(wall.locator(".empty h2")).to_have_text("No label is in this state")
    product = f"/api/v1/stores/{STORE}/products/{shelf.demo.places[0].sku}"
    await asyncio.to_thread(shelf.client.put, product, {"name": "ብርቱካን"})
    await expect(wall.locator(".tile")).to_have_count(1)
    await asyncio.to_thread(shelf.client.put, product, {"name": "Naranče"})
    await expect(wall.locator(".empty h2")).to_have_text("No label is in this state")


async def test_no_width_needs_scrolling_sideways(shelf: Shelf, wall: Page) -> None:
    del shelf
    for width in (360, 390, 720, 768, 1024, 1440, 1920):
        await wall.set_viewport_size({"width": width, "height": 800})
        assert await wall.evaluate("document.documentElement.scrollWidth") == width
        for picture in await wall.locator("img.glass").all():
            box = await picture.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            width_px, height_px = [
                int(await picture.get_attribute(a) or 0) for a in ("width", "height")
            ]
            assert (box["width"] - 12) / (box["height"] - 12) == pytest.approx(
                width_px / height_px, rel=0.01
            ), "distorted"


async def test_strangers_get_a_page_that_tells_the_way_in(
    shelf: Shelf, browser_page: BrowserPage
) -> None:
    page = browser_page.page
    answer = await page.goto(shelf.url)
    assert answer is not None
    assert answer.status == 401
    await expect(page.get_by_role("heading")).to_have_text("Please sign in")
    await expect(page.locator("pre")).to_have_text("esl sign-in")

    link = await shelf.sign_in_link()
    await page.goto(link)
    await expect(page).to_have_url(f"{shelf.url}/")
    await page.context.clear_cookies()
    answer = await page.goto(link)
    assert answer is not None
    assert answer.status == 401
    await expect(page.get_by_role("heading")).to_have_text("This link no longer works")


async def test_a_sign_in_link_clicked_in_a_mail_works(
    shelf: Shelf, browser_page: BrowserPage
) -> None:
    page = browser_page.page
    link = await shelf.sign_in_link()
    await page.goto(f"data:text/html,<a href='{link}'>to the shop</a>")
    await page.get_by_role("link").click()
    await expect(page.locator("h1")).to_have_text("Ready to open")
