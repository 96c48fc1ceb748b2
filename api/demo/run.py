"""Run the demo: fill the shop, pair the shelf, change prices, and compare glass with truth."""

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from api.client import Client, Retries
from api.demo.control import serve_control
from api.demo.controller import ControllerProcess
from api.demo.sample_shop import STORE, products, shelf
from api.demo.shop import Demo
from api.private_files import (
    LOCK_NAME,
    RuntimeFile,
    hold_data_folder,
    make_data_folder,
    write_private,
)
from esl.domain.access import Scope
from esl.domain.errors import SetupError
from simulator.faults import Faults
from simulator.pos import Article, Pos

LABELS = 24
PATIENCE_S = 5.0
FILL_LONGEST_S = 120.0
CHANGE_LONGEST_S = 60.0
CHANGE_EVERY_S = 4.0

_MARK = ".esl-demo"
_POLL_S = 0.02
_SCOPES = (Scope.PRICE_WRITE, Scope.PRICE_READ, Scope.LABEL_READ, Scope.LABEL_PAIR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What ``esl demo --once`` measured; ``mismatched`` labels hold other pixels than the truth."""

    labels: int
    shown: int
    mismatched: int
    first_fill_s: float
    change_to_glass_s: float

    @property
    def is_right(self) -> bool:
        """Say whether every label shows the truth."""
        return self.shown == self.labels and self.mismatched == 0


async def run_once(data_dir: Path, *, labels: int, say: Callable[[str], None]) -> Outcome:
    """Run headless: pair, wait for every label, change one price, wait for the glass, compare."""
    controller = _controller(data_dir, port=0)
    runtime = await asyncio.to_thread(controller.start)
    try:
        with Client(runtime.url, runtime.token, retries=Retries()) as client:
            demo = await asyncio.to_thread(Demo, client, shelf(labels), paint_s=0.2, seed=1)
            async with demo.shop:
                return await _measure(demo, say)
    finally:
        await asyncio.to_thread(controller.stop)


async def _measure(demo: Demo, say: Callable[[str], None]) -> Outcome:
    await demo.shop.connected()
    began_s = time.monotonic()
    await asyncio.to_thread(demo.pair)
    say("paired; waiting for every label to show its price")
    glass = demo.shop.labels
    everyone = len(demo.places)
    await _until(lambda: sum(x.shown_rev > 0 for x in glass.values()) == everyone, FILL_LONGEST_S)
    first_fill_s = time.monotonic() - began_s
    place = demo.places[0]
    before = glass[place.label_id].shown_digest
    say("every label shows; changing one price")
    changed_s = time.monotonic()
    await asyncio.to_thread(demo.change_price, place.sku, "1.11", was="2.22", badge="DEMO")
    await _until(lambda: glass[place.label_id].shown_digest != before, CHANGE_LONGEST_S)
    change_to_glass_s = time.monotonic() - changed_s
    await _until_settled(demo)
    wrong = await asyncio.to_thread(demo.mismatches)
    return Outcome(
        labels=everyone,
        shown=sum(x.shown_rev > 0 for x in glass.values()),
        mismatched=len(wrong),
        first_fill_s=round(first_fill_s, 3),
        change_to_glass_s=round(change_to_glass_s, 3),
    )


async def run_live(data_dir: Path, *, labels: int, port: int, say: Callable[[str], None]) -> None:
    """Run until Ctrl-C: a shelf to look at, and a price that changes every few seconds."""
    _empty(data_dir)
    control = data_dir / "run" / "simulator.json"
    controller = _controller(data_dir, port=port, simulator=control)
    runtime = await asyncio.to_thread(controller.start)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        with Client(runtime.url, runtime.token, retries=Retries()) as client:
            no_faults = Faults(Random(1), lose=0.0, duplicate=0.0)  # noqa: S311  until a button is pressed
            demo = await asyncio.to_thread(
                Demo, client, shelf(labels), paint_s=1.5, seed=1, faults=no_faults
            )
            async with demo.shop, serve_control(demo.shop, control):
                await demo.shop.connected()
                await asyncio.to_thread(demo.pair)
                await asyncio.to_thread(_welcome, client, runtime, data_dir, say)
                await _sell(demo, stop, say)
    finally:
        await asyncio.to_thread(controller.stop)


async def _sell(demo: Demo, stop: asyncio.Event, say: Callable[[str], None]) -> None:
    """Change a price every few seconds until told to stop."""
    on_shelf = {place.sku for place in demo.places}
    articles = [
        Article(
            sku=sku, name=str(one["name"]), regular_minor=int(str(one["price"]).replace(".", ""))
        )
        for one in sorted(products(), key=lambda one: str(one["sku"]))
        if (sku := str(one["sku"])) in on_shelf
    ]
    pos = Pos(articles, Random(7))  # noqa: S311  a till's whims
    while not stop.is_set():
        try:
            async with asyncio.timeout(CHANGE_EVERY_S):
                await stop.wait()
        except TimeoutError:
            pass
        else:
            return
        whim = pos.think()
        sku, price, was = whim.article.sku, whim.price, whim.was
        await asyncio.to_thread(demo.change_price, sku, price, was=was, badge=whim.badge)
        say(f"till: {whim.article.name} now {price} €" + (f", was {was} €" if was else ""))


def _welcome(
    client: Client, runtime: RuntimeFile, data_dir: Path, say: Callable[[str], None]
) -> None:
    link = client.post("/api/v1/sign-in-links", {"uses": 100})["url"]
    body = {"name": "demo till", "scopes": [s.value for s in _SCOPES], "stores": [STORE]}
    token_file = data_dir / "pos.token"
    write_private(token_file, client.post("/api/v1/tokens", body)["token"] + "\n")
    say("")
    say(f"  The shelf is alive. Open  {link}")
    say("")
    say("  Change a price yourself:")
    say(f'    curl -H "Authorization: Bearer $(cat {token_file})" \\')
    say(f"         {runtime.url}/api/v1/stores/{STORE}/price-changes \\")
    say('         -d \'{"sku": "1001", "price": "0.99", "was": "1.19", "badge": "AKCIJA"}\'')
    say("")
    say("  Stop with Ctrl-C.")
    say("")


def _controller(data_dir: Path, *, port: int, simulator: Path | None = None) -> ControllerProcess:
    make_data_folder(data_dir)
    buttons = ("--simulator", str(simulator)) if simulator is not None else ()
    arguments = ("--patience", str(PATIENCE_S), *buttons)
    return ControllerProcess(data_dir, port=port, arguments=arguments)


def _empty(data_dir: Path) -> None:
    """Begin with an empty folder: ours from before, or none.

    Raises:
        SetupError: The folder holds something that no demo made.
    """
    mark = data_dir / _MARK
    if data_dir.exists() and any(data_dir.iterdir()) and not mark.exists():
        raise SetupError(f"{data_dir} is not a demo's folder; name an empty one with --data")
    make_data_folder(data_dir)
    mark.touch()
    with hold_data_folder(data_dir):  # or a second demo would empty the first one's house
        for path in sorted(data_dir.rglob("*"), reverse=True):
            if path.is_file() and path not in (mark, data_dir / LOCK_NAME):
                path.unlink()


async def _until(true: Callable[[], bool], longest_s: float) -> None:
    deadline = time.monotonic() + longest_s
    while not true():
        if time.monotonic() > deadline:
            raise SetupError(f"the labels did not show their prices within {longest_s:g} s")
        await asyncio.sleep(_POLL_S)


async def _until_settled(demo: Demo) -> None:
    """Wait until the controller has heard what the glass shows."""
    deadline = time.monotonic() + CHANGE_LONGEST_S
    while await asyncio.to_thread(demo.settled) < len(demo.places):
        if time.monotonic() > deadline:
            return  # the comparison that follows says what is wrong
        await asyncio.sleep(_POLL_S)
