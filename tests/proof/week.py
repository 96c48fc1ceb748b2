"""``python -m tests.proof.week --json``: a shop's week; the shelf is the truth at every full hour.

Deliveries of new prices each morning, two promotions (one with happy hours), a markdown on
Saturday evening, and the night in which the clock is turned. The controller is the product's own;
its gateway stages, and keeps timed shows. What should hold is worked out here from what the shop
decided, by rules of its own. The store keeps the safe order: a till that asks each minute and now
and then sleeps may at no step charge more than any label says.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from esl.domain.face import Face
from esl.domain.ids import Sku
from esl.domain.panel import Panel
from esl.domain.till_channel import TillChannel, TillSetting
from esl.intake.product_json import ProductPut
from esl.intake.promotion_json import parse_promotion
from esl.services import catalogue, till_channels, tilling
from esl.services.promotions import planning
from esl.store import tills
from esl.store.database import Database
from esl.store.migrate import migrate
from gateway.wire.messages import Command, Put, Show
from renderer.frame import Frame
from renderer.template.template import Template
from tests.builders import (
    GATEWAY,
    STORE,
    Controller,
    PlainRenderer,
    SimulatedClock,
    a_change,
    a_product,
    build_shelf,
    label_id,
)
from tests.unit.gateway.staged_gateway import StagedGateway

ZONE = ZoneInfo("Europe/Zagreb")
MONDAY = datetime(2026, 3, 23, tzinfo=ZONE).astimezone(UTC)
"""Of the week that ends with the night in which an hour is skipped."""

HOUR = timedelta(hours=1)
STEP_S = 30
LONG_S = 810
BUSY_S = 180
"""Steps are short for so long after a delivery or an edge, and long otherwise."""

COMES_RIGHT_S = 150
"""After a full hour at which prices change: till asked, label sent, painted and reported."""

_HEEDS_PLANS = 0.8
"""Share of the prices from a moment on that the till takes; labels wait for it with the others."""

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  a disk is not what is tested

PROMOTIONS: tuple[dict[str, Any], ...] = (
    {
        "id": "dairy-week",
        "name": "Dairy week",
        "gives": {"percent": 25},
        "selection": {"categories": ["Dairy"]},
        "window": {"begins": "2026-03-24T08:00", "ends": "2026-03-28T20:00"},
    },
    {
        "id": "happy-hours",
        "name": "Happy hours",
        "gives": {"amount": "0.30"},
        "priority": 10,
        "selection": {"brands": ["Dukat"]},
        "window": {
            "begins": "2026-03-23T00:00",
            "ends": "2026-03-30T00:00",
            "weekdays": ["wed", "thu", "fri", "sun"],
            "hours": [{"begins": "16:00", "ends": "19:00"}, {"begins": "01:30", "ends": "02:30"}],
        },
    },
    {
        "id": "evening-markdown",
        "name": "Evening markdown",
        "gives": {"percent": 50},
        "is_markdown": True,
        "badge": "KRATAK ROK",
        "priority": 20,
        "selection": {"skus": ["sku-3", "sku-4", "sku-9"]},
        "window": {"begins": "2026-03-28T17:30", "ends": "2026-03-28T21:00"},
    },
)


class ReadableRenderer(PlainRenderer):
    """Frames of which it can be asked what price they say."""

    def __init__(self) -> None:
        super().__init__()
        self.price_of: dict[str, int | None] = {}

    def render(self, face: Face, panel: Panel, template: Template, **more: object) -> Frame:
        frame = super().render(face, panel, template, **more)
        self.price_of[frame.digest] = face.price_minor
        return frame


@dataclass(slots=True)
class Tally:
    """What was done, and what was wrong."""

    hours: int = 0
    compared: int = 0
    deliveries: int = 0
    price_changes: int = 0
    shown: int = 0
    timed: int = 0
    till_checks: int = 0
    wrong: list[str] = field(default_factory=list)
    overcharged: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)


class WeekShop:
    """The shop, its till, and what it decided."""

    def __init__(self, folder: Path, *, products: int, seed: int, begins: datetime) -> None:
        self.tally = Tally()
        self._begins = begins
        self._random = Random(seed)
        self._skus = [f"sku-{n}" for n in range(products)]
        self._base = {sku: 100 + 7 * n for n, sku in enumerate(self._skus)}
        self._clock = SimulatedClock(at=begins - HOUR)
        self._database = Database(f"sqlite:///{folder / 'esl.db'}")
        migrate(self._database, self._clock.at)
        with self._database.writing.begin() as tx:
            build_shelf(tx, labels_count=products, price_minor=None, now=self._clock.at)
            put = [
                ProductPut(
                    product=a_product(
                        sku,
                        category="Dairy" if n % 3 == 0 else "Bread",
                        brand="Dukat" if n % 2 == 0 else None,
                    ),
                    price=None,
                )
                for n, sku in enumerate(self._skus)
            ]
            catalogue.put_products(tx, STORE, put, self._clock.at, actor="tests")
        self._pictures = ReadableRenderer()
        self._gateway = StagedGateway(GATEWAY, self._clock)
        self._shop = Controller(self._database, self._clock, renderer=self._pictures)
        self._hear_hello()
        self._deliver(self._base)
        self._live(begins - HOUR + timedelta(seconds=BUSY_S))
        setting = TillSetting(store_id=STORE, channel=TillChannel.PULL, is_safe=True)
        self._write(lambda tx, now: till_channels.put_till(tx, setting, now, actor="tests"))
        self._charges = dict(self._base)
        self._plans: dict[Sku, tills.Plan] = {}
        self._cursor = 0
        for value in PROMOTIONS:
            self._plan(value)

    def close(self) -> None:
        self._shop.close()
        self._database.close()

    # -- the week ------------------------------------------------------------------------------

    def run(self, days: int) -> Tally:
        """Live so many days, and look at the shelf at each full hour."""
        moment = self._begins
        while moment < self._begins + timedelta(days=days):
            local = moment.astimezone(ZONE)
            self._live(moment)
            if local.hour == 6:
                self._deliver(self._new_prices())
            self._live(moment + timedelta(seconds=COMES_RIGHT_S))
            self._compare(moment)
            self._live(moment + HOUR / 2)
            moment += HOUR
        return self.tally

    def _live(self, until: datetime) -> None:
        """Let time pass: in short steps while something moves."""
        while self._clock.at < until:
            into_s = (self._clock.at - MONDAY).total_seconds() % (HOUR.total_seconds() / 2)
            step_s: float = STEP_S if into_s < BUSY_S else LONG_S
            left_s = (until - self._clock.at).total_seconds()
            self._clock.pass_s(min(step_s, left_s))
            self._step()

    def _step(self) -> None:
        shop, gateway = self._shop, self._gateway
        shop.hear(gateway.heartbeat(level="staged"))
        if self._has_till():
            self._ask_and_charge()
        self.tally.timed += len(gateway.show_what_is_due(shop))
        self._check_till()
        self._note_shown(gateway.run(shop))
        self._check_till()
        shop.upkeep.step()
        shop.house_clock.step()
        self._note_shown(gateway.run(shop))
        self._check_till()

    def _hear_hello(self) -> None:
        self._shop.hear(self._gateway.hello(level="staged"))

    def _note_shown(self, said: list[Command]) -> None:
        self.tally.shown += sum(isinstance(one, Put) and one.show for one in said)
        self.tally.states.update(type(one).__name__ for one in said if isinstance(one, Show))

    # -- what the shop decides -----------------------------------------------------------------

    def _new_prices(self) -> dict[str, int]:
        some = self._random.sample(self._skus, max(2, len(self._skus) // 3))
        return {sku: self._random.randint(60, 999) for sku in some}

    def _deliver(self, prices: dict[str, int]) -> None:
        self._base |= prices
        self.tally.deliveries += 1
        self.tally.price_changes += len(prices)
        self._shop.price(*(a_change(sku, price) for sku, price in prices.items()))

    def _plan(self, value: dict[str, Any]) -> None:
        promotion = parse_promotion(value | {"currency": "EUR"})
        if value["window"]["ends"] <= f"{self._begins.astimezone(ZONE):%Y-%m-%dT%H:%M}":
            return  # a part of the week that comes later

        def work(tx: Any, now: datetime) -> None:
            planning.create(tx, promotion, now, actor="tests", gallery=())
            planning.schedule(tx, promotion.promotion_id, now, actor="tests")

        self._write(work)

    def _truth(self, sku: str, moment: datetime) -> int:
        """Say what a product costs, from what the shop decided: the one rule that wins."""
        number, base = int(sku.removeprefix("sku-")), self._base[sku]
        local = moment.astimezone(ZONE)
        at = f"{local:%m-%d %H:%M}"
        if number in (3, 4, 9) and "03-28 17:30" <= at < "03-28 21:00":
            return base * 50 // 100
        is_happy = f"{local:%a}" in ("Wed", "Thu", "Fri", "Sun") and (
            16 <= local.hour < 19 or "01:30" <= f"{local:%H:%M}" < "02:30"
        )
        if number % 2 == 0 and is_happy:
            return base - 30
        if number % 3 == 0 and "03-24 08:00" <= at < "03-28 20:00":
            return base * 75 // 100
        return base

    # -- the till ------------------------------------------------------------------------------

    def _has_till(self) -> bool:
        return hasattr(self, "_charges")

    def _ask_and_charge(self) -> None:
        """The till asks, takes over what it hears, and says so; one time in ten it sleeps.

        What it is told to charge from a moment on it charges from then, whether it sleeps or not.
        """
        for sku, plan in list(self._plans.items()):
            if plan.at <= self._clock.at:
                self._charges[sku] = plan.charge.price_minor
                del self._plans[sku]
        if self._random.random() < 0.1:
            return
        with self._database.read() as tx:
            page = tills.page_of(tx, STORE, since=self._cursor, limit=1000)
        if not page:
            return
        self._cursor = page[-1].rev
        words: list[tuple[Sku, int]] = []
        for one in page:
            self._charges[one.sku] = one.standing.grant.price_minor
            words.append((one.sku, one.standing.grant_rev))
            held = self._plans.get(one.sku)
            if one.plan is None:
                self._plans.pop(one.sku, None)
            elif held is None or held.rev != one.plan.rev:
                self._plans.pop(one.sku, None)
                if self._random.random() < _HEEDS_PLANS:
                    self._plans[one.sku] = one.plan
                    words.append((one.sku, one.plan.rev))
        self._write(lambda tx, now: tilling.acknowledge_prices(tx, STORE, words, now))

    def _check_till(self) -> None:
        """Compare what the till charges with what each label says at this instant."""
        if not self._has_till():
            return
        for number, sku in enumerate(self._skus):
            shown = self._shown(number)
            self.tally.till_checks += 1
            if shown is not None and self._charges[sku] > shown:
                self.tally.overcharged.append(
                    f"{sku} at {self._clock.at}: till {self._charges[sku]}, label {shown}"
                )

    # -- the shelf -----------------------------------------------------------------------------

    def _shown(self, number: int) -> int | None:
        held = self._gateway.showing.get(label_id(number))
        return self._pictures.price_of[held[1].hex()] if held is not None else None

    def _compare(self, hour: datetime) -> None:
        self.tally.hours += 1
        for number, sku in enumerate(self._skus):
            self.tally.compared += 1
            shown, truth = self._shown(number), self._truth(sku, self._clock.at)
            if shown != truth:
                local = hour.astimezone(ZONE)
                self.tally.wrong.append(f"{sku} at {local:%a %H:%M}: shows {shown}, is {truth}")
            elif self._charges[sku] != truth:
                self.tally.wrong.append(
                    f"{sku}: the till charges {self._charges[sku]}, not {truth}"
                )

    def _write(self, work: Any) -> None:
        now = self._shop.time.now()
        self._shop.writer.write(lambda tx: work(tx, now))


def prove_week(*, products: int, days: int, seed: int, begins: datetime = MONDAY) -> dict[str, Any]:
    """Live a week, and say what was found."""
    began_s = time.perf_counter()
    where = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="esl-week-", dir=where) as folder:
        shop = WeekShop(Path(folder), products=products, seed=seed, begins=begins)
        try:
            tally = shop.run(days)
        finally:
            shop.close()
    return {
        "days": days,
        "hours": tally.hours,
        "labels_compared": tally.compared,
        "wrong": len(tally.wrong),
        "first_wrong": tally.wrong[:5],
        "deliveries": tally.deliveries,
        "price_changes": tally.price_changes,
        "pictures_sent": tally.shown,
        "timed_shows": tally.timed,
        "till_checks": tally.till_checks,
        "overcharged": len(tally.overcharged),
        "first_overcharged": tally.overcharged[:5],
        "seed": seed,
        "took_s": round(time.perf_counter() - began_s, 1),
    }


def main() -> int:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.week", description=__doc__)
    parser.add_argument("--products", type=int, default=60)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    found = prove_week(products=arguments.products, days=arguments.days, seed=arguments.seed)
    sys.stdout.write(json.dumps(found, indent=None if arguments.json else 2) + "\n")
    return 1 if found["wrong"] or found["overcharged"] else 0


if __name__ == "__main__":
    sys.exit(main())
