"""``python -m tests.proof.live_wall --labels 1000 --json``: a wall that is left open all day.

A controller of its own, a simulated shop, and Chromium with all of the shop on one page:

* the page shows what a label reports: timed from the moment the glass changes to the moment the
  page's tile names the new picture, and, of tiles in view, to the moment the picture is loaded
* its memory stays flat: every label changes once, for a tile costs something when it is first
  drawn anew; then, after every tenth of the updates, garbage is collected, and the heap, the nodes
  and the listeners are counted
* at the end every tile names the picture that its label holds
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

from playwright.async_api import CDPSession, Page, async_playwright, expect

from api.demo.sample_shop import STORE, Place
from api.demo.shop import Demo
from tests.browser.shelf import Shelf
from tests.services import CHROMIUM_ARGUMENTS, require
from tests.shelf import controller_on, places_for, until, until_settled

SHOWN_WITHIN_MS: Final = 1000.0
GROWS_MOST: Final = {"JSHeapUsedSize": (10, 500_000), "Nodes": (2, 100), "JSEventListeners": (0, 5)}
"""Percent, and so many more, from the first sample to the last. Two text nodes left behind by each
update are found within 400 of them."""

_PANEL: Final = "bwry-296x128"
_GATEWAYS: Final = tuple(f"aisle-{number}" for number in range(1, 5))
_PAINT_S: Final = 0.2
_AT_ONCE: Final = 5
"""Labels that change at the same time while reports are timed."""

_A_BATCH: Final = 50
_SAMPLES: Final = 10
_DRAIN_EVERY_S: Final = 0.05
_POLL_S: Final = 0.002
_LONGEST_S: Final = 60.0
_WATCH: Final = """() => {
  window.seen = [];
  window.updates = 0;
  window.isTimed = true;
  const note = (img, what) => {
    if (!img.matches?.("img.glass")) return;
    if (what === "named") window.updates += 1;
    if (!window.isTimed) return;
    const label = img.closest(".tile").id.slice("tile-".length);
    window.seen.push([label, img.getAttribute("src"), what, Date.now()]);
  };
  new MutationObserver((all) => all.forEach(({ target }) => note(target, "named")))
    .observe(document.body, { subtree: true, attributeFilter: ["src"] });
  document.addEventListener("load", ({ target }) => note(target, "loaded"), true);
}"""
_IN_VIEW: Final = """() => [...document.querySelectorAll(".tile")].filter((tile) => {
  const { top, bottom } = tile.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}).map((tile) => tile.id.slice("tile-".length))"""
_NAMED: Final = """() => Object.fromEntries([...document.querySelectorAll(".tile")].map((tile) =>
  [tile.id.slice("tile-".length), tile.querySelector("img.glass")?.getAttribute("src") ?? null]))"""


@dataclass(slots=True, kw_only=True)
class Watched:
    """An open wall, and what its page noted."""

    shelf: Shelf
    page: Page
    cdp: CDPSession
    random: Random
    prices: int = 0  # taken so far
    seen: dict[tuple[str, str, str], float] = field(default_factory=dict)
    """Label, address of the picture, what became of it → seconds of this machine's clock."""

    def next_price(self) -> str:
        """Return a price that no label had before."""
        self.prices += 1
        return str(Decimal(self.prices) / 100 + 1)

    def address(self, label_id: str) -> str:
        """Return the address of what a label's glass holds."""
        return f"/api/v1/labels/{label_id}/frames/{self.shelf.shown_by(label_id)}.png"

    async def drain(self) -> None:
        """Fetch what the page noted since."""
        noted = await self.page.evaluate("() => window.seen.splice(0)")
        for label_id, address, what, at_ms in noted:
            self.seen.setdefault((label_id, address, what), at_ms / 1000)


async def measure(labels: int, reports: int, updates: int, folder: Path) -> dict[str, Any]:
    """Run a shop with a wall open, and return the figures."""
    async with watched(folder, labels) as wall:
        times = await _time_reports(wall, reports)
        samples = await _sample_memory(wall, updates)
        wrong = await _wrong_tiles(wall)
        counted = await wall.page.evaluate("() => window.updates")
    first, last = samples[0], samples[-1]
    return {
        "labels": labels,
        "reports": reports,
        "named": times["named"],
        "loaded": times["loaded"],
        "updates": updates,
        "updates_on_page": counted,
        "samples": samples,
        "grew": {key: last[key] - first[key] for key in GROWS_MOST},
        "wrong_tiles": wrong,
        "too_slow": max(one["max_ms"] for one in times.values()) > SHOWN_WITHIN_MS,
        "grows": _grows(first, last),
    }


def _grows(first: dict[str, int], last: dict[str, int]) -> list[str]:
    """Name what has grown more than chance explains."""
    return [
        key
        for key, (percent, more) in GROWS_MOST.items()
        if last[key] > first[key] * (100 + percent) // 100 + more
    ]


@contextlib.asynccontextmanager
async def watched(folder: Path, labels: int) -> AsyncIterator[Watched]:
    """A shop whose labels all show a price, and a page with all of them."""
    skus = [str(number) for number in range(labels)]
    goods = [{"sku": sku, "name": f"Kruh {sku}", "price": "0.99"} for sku in skus]
    async with controller_on(folder, "--patience", "5") as (controller, client):
        places = places_for(skus, _PANEL, list(_GATEWAYS))
        demo = await asyncio.to_thread(
            lambda: Demo(client, places, paint_s=_PAINT_S, seed=1, beacon_s=5.0, goods=goods)
        )
        shelf = Shelf(controller=controller, client=client, demo=demo, url=client.url)
        async with demo.shop, async_playwright() as playwright:
            await demo.shop.connected()
            await asyncio.to_thread(demo.pair)
            await until_settled(demo, 60 + labels / 5)
            browser = await playwright.chromium.launch(
                executable_path=require("chromium"), args=list(CHROMIUM_ARGUMENTS)
            )
            page = await browser.new_page(viewport={"width": 1920, "height": 1080})
            await page.goto(await shelf.sign_in_link())
            await page.goto(f"{shelf.url}/wall?store={STORE}&most={labels + 1}")
            await expect(page.locator("#live")).to_have_text("Live")
            await expect(page.locator(".tile")).to_have_count(labels)
            await page.evaluate(_WATCH)
            cdp = await page.context.new_cdp_session(page)
            await cdp.send("Performance.enable")
            yield Watched(shelf=shelf, page=page, cdp=cdp, random=Random(1))
            await browser.close()


async def _time_reports(wall: Watched, reports: int) -> dict[str, dict[str, float]]:
    """Change prices of labels by chance, half of them in view, and time what the page does."""
    labels = [place.label_id for place in wall.shelf.demo.places]
    in_view = await wall.page.evaluate(_IN_VIEW)
    assert in_view, "no tile is in view"
    # A label changes again only when its turn comes round; so two pictures never overtake.
    turns = [
        *wall.random.choices(labels, k=reports - reports // 2),
        *wall.random.choices(in_view, k=reports // 2),
    ]
    wall.random.shuffle(turns)
    took: dict[str, list[float]] = {"named": [], "loaded": []}
    busy: set[str] = set()

    async def change_some() -> None:
        while turns:
            label_id = next((one for one in turns if one not in busy), None)
            if label_id is None:
                await asyncio.sleep(_DRAIN_EVERY_S)
                continue
            turns.remove(label_id)
            busy.add(label_id)
            for what, ms in (await _time_one(wall, label_id, in_view=label_id in in_view)).items():
                took[what].append(ms)
            busy.discard(label_id)

    async def drain() -> None:
        while True:
            await wall.drain()
            await asyncio.sleep(_DRAIN_EVERY_S)

    async with asyncio.TaskGroup() as group:
        draining = group.create_task(drain())
        async with asyncio.TaskGroup() as changing:
            for _ in range(_AT_ONCE):
                changing.create_task(change_some())
        draining.cancel()
    await wall.page.evaluate("() => { window.isTimed = false; window.seen = []; }")
    return {what: _spread(ms) for what, ms in took.items()}


async def _time_one(wall: Watched, label_id: str, *, in_view: bool) -> dict[str, float]:
    before = wall.shelf.shown_by(label_id)
    number = next(n for n, place in enumerate(wall.shelf.demo.places) if place.label_id == label_id)
    await wall.shelf.change_price(number, wall.next_price())
    async with asyncio.timeout(_LONGEST_S):
        while wall.shelf.shown_by(label_id) == before:  # noqa: ASYNC110  the glass tells nobody
            await asyncio.sleep(_POLL_S)
        glass_at = time.time()
        address = wall.address(label_id)
        took: dict[str, float] = {}
        for what in ("named", "loaded") if in_view else ("named",):
            while (at := wall.seen.get((label_id, address, what))) is None:  # noqa: ASYNC110
                await asyncio.sleep(_DRAIN_EVERY_S)
            took[what] = max(0.0, at - glass_at) * 1000
    return took


def _spread(ms: Sequence[float]) -> dict[str, float]:
    rest = sorted(ms)
    return {
        "count": len(rest),
        "p50_ms": round(rest[len(rest) // 2], 1),
        "p95_ms": round(rest[max(0, -(-95 * len(rest) // 100) - 1)], 1),
        "max_ms": round(rest[-1], 1),
    }


async def _sample_memory(wall: Watched, updates: int) -> list[dict[str, int]]:
    """Change labels batch by batch, and count what the page holds after every tenth of them."""
    places = wall.shelf.demo.places
    for begins in range(0, len(places), _A_BATCH):
        await _change(wall, places[begins : begins + _A_BATCH])
    samples = [await _sample(wall, 0)]
    done = 0
    for part in range(1, _SAMPLES + 1):
        while done < updates * part // _SAMPLES:
            some = wall.random.sample(places, min(_A_BATCH, len(places)))
            await _change(wall, some)
            done += len(some)
        samples.append(await _sample(wall, done))
    return samples


async def _change(wall: Watched, some: Sequence[Place]) -> None:
    """Give labels new prices, and wait until their glass shows them."""
    before = {place.label_id: wall.shelf.shown_by(place.label_id) for place in some}
    items = [{"sku": place.sku, "price": wall.next_price()} for place in some]
    await asyncio.to_thread(
        wall.shelf.client.post_once, f"/api/v1/stores/{STORE}/price-changes", items
    )
    await until(
        lambda: all(wall.shelf.shown_by(label) != digest for label, digest in before.items()),
        _LONGEST_S,
        "a batch of prices on the glass",
    )


async def _sample(wall: Watched, updates: int) -> dict[str, int]:
    """Count what the page holds when all garbage is gone."""
    await _until_right(wall)
    for _ in range(3):  # what the first finds may hold on to more
        await wall.cdp.send("HeapProfiler.collectGarbage")
    found = (await wall.cdp.send("Performance.getMetrics"))["metrics"]
    counted = {one["name"]: int(one["value"]) for one in found}
    return {"updates": updates} | {key: counted[key] for key in GROWS_MOST}


async def _until_right(wall: Watched) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while await _wrong_tiles(wall):
        assert time.monotonic() < deadline, "the page does not show what labels hold"
        await asyncio.sleep(_DRAIN_EVERY_S)


async def _wrong_tiles(wall: Watched) -> list[str]:
    """Name the labels whose tile is missing, or names another picture than they hold."""
    named = await wall.page.evaluate(_NAMED)
    labels = [place.label_id for place in wall.shelf.demo.places]
    return [label for label in labels if named.get(label) != wall.address(label)]


def main() -> None:
    """Measure, print, and fail where the wall is late, grows or is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.live_wall", description=__doc__)
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--reports", type=int, default=300, help="whose way to the page is timed")
    parser.add_argument("--updates", type=int, default=10_000, help="over which memory is flat")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(
            measure(asked.labels, asked.reports, asked.updates, Path(folder) / "data")
        )
    print(json.dumps(figures) if asked.json else json.dumps(figures, indent=2))  # noqa: T201
    sys.exit(1 if figures["too_slow"] or figures["grows"] or figures["wrong_tiles"] else 0)


if __name__ == "__main__":
    main()
