"""``python -m tests.proof.pairing_by_wedge --pairings 300 --json``: pairing as technicians do it.

Chromium opens the console's page *Pair* at the size of a phone, and a simulated scanner that types
scans two codes for each pairing, in either order and in different forms, and touches nothing else.
A third is scanned with the controller there, a third while it is killed (``--outage-seconds`` long,
by the clock on the wall), and a third after it came back. At the end of the outage the tab is
killed with a label scanned whose product is not; it is killed again while the rest is being sent.
Then the books say what is paired, how often each was, and whether the glass confirmed it.

Times of a pairing are from the first key to the moment at which the page waits for the next one.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.async_api import BrowserContext, Error, Page, async_playwright, expect

from api.demo.sample_shop import Place
from tests.browser.shelf import Shelf, running_shelf
from tests.services import CHROMIUM_ARGUMENTS, require
from tests.shelf import until_settled

AT: Final = "/api/v1/stores/demo"
SECONDS_MOST: Final = 4.0
OUTAGE_S: Final = 1800.0
_NOTHING_SCANNED: Final = "Scan a label or a product"
_CATCH_UP_S: Final = 600.0


@dataclass(slots=True)
class Technician:
    """Somebody with a phone and a scanner that types; kills tabs now and then."""

    shelf: Shelf
    context: BrowserContext
    page: Page
    gtins: dict[str, str]
    taken_s: list[float] = field(default_factory=list)

    async def pair(self, number: int, place: Place) -> None:
        """Scan two codes; return when the page waits for the next."""
        began = time.monotonic()
        for text in self.codes(number, place):
            await self.scan(text)
        await expect(self.page.locator("#pair-next")).to_have_text(_NOTHING_SCANNED)
        self.taken_s.append(time.monotonic() - began)

    def codes(self, number: int, place: Place) -> tuple[str, str]:
        """The two codes in one of the orders and forms in which they come."""
        label = place.label_id.upper() if number % 3 == 0 else place.label_id
        gtin = self.gtins.get(place.sku)
        product = place.sku if gtin is None or number % 2 else f"]E0{gtin}"
        return (label, product) if number % 5 else (product, label)

    async def scan(self, text: str) -> None:
        """Type as a scanner does: the characters, then Enter."""
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")

    async def kill_the_tab(self) -> None:
        """Let the page's process die at once; nothing of it is asked for a last word."""
        cdp = await self.context.new_cdp_session(self.page)
        with contextlib.suppress(Error, TimeoutError):
            await asyncio.wait_for(cdp.send("Page.crash"), 2)
        with contextlib.suppress(Error):
            await self.page.close()

    async def open(self) -> None:
        """Open the page in a new tab."""
        self.page = await self.context.new_page()
        await self.page.goto(f"{self.shelf.url}/pair")

    async def stands(self, state: str, count: int, timeout_s: float) -> None:
        """Wait until so many pairings stand like this on the page."""
        found = self.page.locator(f"#pair-jobs li[data-stands={state}]")
        await expect(found).to_have_count(count, timeout=timeout_s * 1000)


async def prove(pairings: int, outage_s: float, folder: Path) -> dict[str, Any]:
    """Pair so many, and return the figures."""
    async with (
        running_shelf(folder, labels=pairings, paint_s=0.2) as shelf,
        async_playwright() as playwright,
    ):
        await until_settled(shelf.demo)
        for place in shelf.demo.places:
            await asyncio.to_thread(shelf.client.delete, f"{AT}/pairings/{place.label_id}")
        listed = await asyncio.to_thread(shelf.client.listed, f"{AT}/products", "products")
        browser = await playwright.chromium.launch(
            executable_path=require("chromium"), args=list(CHROMIUM_ARGUMENTS)
        )
        context = await browser.new_context(viewport={"width": 360, "height": 740})
        page = await context.new_page()
        await page.goto(await shelf.sign_in_link())
        technician = Technician(
            shelf=shelf,
            context=context,
            page=page,
            gtins={one["sku"]: one["gtin"] for one in listed if one["gtin"]},
        )
        try:
            return await _walk(technician, outage_s)
        finally:
            await browser.close()


async def _walk(technician: Technician, outage_s: float) -> dict[str, Any]:
    shelf, places = technician.shelf, technician.shelf.demo.places
    third = len(places) // 3
    before, during, after = places[:third], places[third : 2 * third], places[2 * third :]
    await technician.page.goto(f"{shelf.url}/pair", wait_until="networkidle")

    for number, place in enumerate(before):
        await technician.pair(number, place)
    online_s, technician.taken_s = technician.taken_s, []
    await technician.stands("waiting", 0, 60)

    gone = time.monotonic()
    await asyncio.to_thread(shelf.controller.kill)
    for number, place in enumerate(during):
        await technician.pair(third + number, place)
    offline_s, technician.taken_s = technician.taken_s, []
    await technician.scan(after[0].label_id)
    await technician.page.wait_for_timeout(1000)
    await technician.kill_the_tab()
    await asyncio.sleep(max(0.0, outage_s - (time.monotonic() - gone)))
    lasted_s = time.monotonic() - gone
    await shelf.start_again()

    came_back = time.monotonic()
    await technician.open()
    await expect(technician.page.locator("#pair-next")).to_contain_text(after[0].label_id)
    await technician.scan(after[0].sku)
    await technician.stands("waiting", 0, _CATCH_UP_S)
    caught_up_s = time.monotonic() - came_back

    for number, place in enumerate(after[1:]):
        await technician.pair(number, place)
        if number == len(after) // 2:
            await technician.kill_the_tab()
            await technician.open()
    online_s += technician.taken_s
    await technician.stands("waiting", 0, _CATCH_UP_S)
    await technician.stands("sent", 0, _CATCH_UP_S)
    return _figures(technician, online_s, offline_s) | {
        "outage_seconds": round(lasted_s, 1),
        "scanned_in_the_outage": len(during),
        "sent_within_s_of_its_end": round(caught_up_s, 1),
        "tabs_killed": 2,
        **await asyncio.to_thread(_books, shelf),
    }


def _figures(
    technician: Technician, online_s: Sequence[float], offline_s: Sequence[float]
) -> dict[str, Any]:
    taken_s = [*online_s, *offline_s]
    return {
        "pairings": len(technician.shelf.demo.places),
        "seconds_a_pairing": _spread(taken_s),
        "seconds_online": _spread(online_s),
        "seconds_in_the_outage": _spread(offline_s),
        "over_4_s": sum(1 for one in taken_s if one > SECONDS_MOST),
    }


def _spread(taken_s: Sequence[float]) -> dict[str, float]:
    ordered = sorted(taken_s)
    return {
        "median": round(statistics.median(ordered), 3),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 3),
        "max": round(ordered[-1], 3),
    }


def _books(shelf: Shelf) -> dict[str, Any]:
    """Compare what the controller has with what was scanned, and with what the glass confirmed."""
    wanted = {place.label_id: [place.sku] for place in shelf.demo.places}
    labels = shelf.client.listed(f"{AT}/labels", "labels")
    paired = {one["label"]: one["skus"] for one in labels}
    own = [one for one in _steps(shelf) if one["actor"].startswith("person:")]
    done = [one["label"] for one in own]
    confirmed = {one["label"] for one in own if one["ended"] == "confirmed"}
    return {
        "lost": sorted(one for one in wanted if not paired.get(one)),
        "wrong": sorted(one for one in wanted if paired.get(one) and paired[one] != wanted[one]),
        "doubled": sorted({one for one in done if done.count(one) > 1}),
        "confirmed_by_the_glass": len(confirmed & set(wanted)),
    }


def _steps(shelf: Shelf) -> Iterator[dict[str, Any]]:
    before: int | None = None
    while True:
        query = {"limit": 200} | ({"before": before} if before is not None else {})
        page = shelf.client.get(f"{AT}/pairing-steps", **query)
        yield from page["steps"]
        before = page["before"]
        if before is None:
            return


def holds(figures: dict[str, Any]) -> bool:
    """Say whether nothing was lost, wrong, doubled or slow, and all is on the glass."""
    bad = any(figures[name] for name in ("lost", "wrong", "doubled", "over_4_s"))
    return not bad and figures["confirmed_by_the_glass"] == figures["pairings"]


def main() -> int:
    """Prove it; 1 where something does not hold."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proof.pairing_by_wedge", description=__doc__
    )
    parser.add_argument("--pairings", type=int, default=300)
    parser.add_argument("--outage-seconds", type=float, default=OUTAGE_S)
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(prove(asked.pairings, asked.outage_seconds, Path(folder) / "data"))
    sys.stdout.write(json.dumps(figures, indent=None if asked.json else 2) + "\n")
    return 0 if holds(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
