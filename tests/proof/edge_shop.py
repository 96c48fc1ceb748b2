"""Years of promotions in stores around the world, turned by the product's own services.

::

    look ─▶ edges that have come are turned, in order      exactly when the clock says, or hours
    act  ─▶ promotions planned, cancelled, ended, taken back       late after a downtime
    jump ─▶ the machine's wall clock is set                restart ─▶ from what is written down

Time is simulated: a look comes where the oracle knows of an edge, not where the books do, so that
one they have forgotten is missed. After each look the history of every price must have exactly
the events that brute force says.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, func, select

from esl.domain.clock import EffectiveClock
from esl.domain.errors import Conflict
from esl.domain.ids import GatewayId, Sku, StoreId
from esl.domain.place import NewLabel, Pairing, Store
from esl.domain.promotion.life import Action, State
from esl.domain.staged import FlipKind, FlipState
from esl.domain.till_channel import TillChannel, TillSetting
from esl.intake.product_json import ProductPut
from esl.intake.promotion_json import parse_promotion
from esl.services import catalogue, pairing
from esl.services.pricing import apply_price_changes
from esl.services.promotions import edges, planning
from esl.store import migrate, places, promotion_rows, till_settings
from esl.store.database import Database
from esl.store.tables import flips, price_events
from tests.builders import (
    PANEL,
    SimulatedClock,
    a_change,
    a_product,
    a_store,
    believe_every_price,
    label_id,
)
from tests.panels import PANELS
from tests.proof.edge_oracle import wall_of
from tests.proof.edge_plan import Planned, invent_hours

ZONES = (
    "Europe/Zagreb",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Tehran",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Pacific/Chatham",
)
BEGINS = datetime(2018, 3, 1, tzinfo=UTC)
"""Most clocks are turned in the weeks that follow. and Sao Paulo still turned theirs then,
and Casablanca turns its own each Ramadan."""

ENDS = BEGINS + timedelta(days=3000)
BASE = 1000
PRICES = (900, 800)
"""Of the promotions of a product; the second has the higher priority."""

GRACE = timedelta(seconds=60)
_BEFORE = timedelta(days=40)
_FAULTS = 0.004
"""Share of looks after which something goes wrong, and after which people stop a promotion."""

_PLANS = 0.1
"""Share of looks at which the next edges are planned ahead, with their flips."""

_UNSEEN = 0.5
"""Share of stops just after an edge that nobody has looked at yet."""


@dataclass(slots=True)
class Tally:
    """What was done and checked."""

    edges: int = 0
    looks: int = 0
    events: int = 0
    promotions: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    until: datetime = BEGINS


class EdgeShop:
    """Stores in many zones, a product for each slot, and the promotions of all of them.

    Each slot has up to as many promotions at once as there are `PRICES`; its product hangs on a
    label in every store, so that edges are planned ahead as well.
    """

    def __init__(self, folder: Path, seed: int, *, slots: int) -> None:
        self.tally = Tally()
        self._random = Random(seed)
        self._slots = slots
        self._database = Database(f"sqlite:///{folder / 'esl.db'}")
        migrate.migrate(self._database, BEGINS)
        self._clock = SimulatedClock(at=BEGINS, seconds=0.0)
        self._ahead_s = 0.0
        self._stores = {
            zone: StoreId(zone.lower().replace("/", "-").replace("_", "-")) for zone in ZONES
        }
        self._live: list[Planned] = []
        self._shown: dict[tuple[str, int], int] = {}
        self._looked_at = BEGINS
        self._turns_now: list[tuple[str, int, datetime]] = []
        with self._database.writing.begin() as tx:
            self._open(tx)
            [last] = tx.execute(select(func.max(price_events.c.event_id))).scalars()
        self._seen_event = int(last)
        self._time = EffectiveClock(self._clock)

    def close(self) -> None:
        self._database.close()

    def _open(self, tx: Connection) -> None:
        for zone, store_id in self._stores.items():
            store: Store = a_store(store_id, timezone=zone, locale="en_IE")
            catalogue.put_store(tx, store, BEGINS)
            believe_every_price(tx, store_id, BEGINS)
            own = TillSetting(store_id=store_id, channel=TillChannel.OWN)
            till_settings.put_setting(tx, own, sealed=None)
            gateway = GatewayId(f"gw-{store_id}")
            places.put_gateway(tx, gateway, store_id)
            names = [f"sku-{slot}" for slot in range(self._slots)]
            put = [
                ProductPut(product=a_product(sku, store_id=store_id), price=None) for sku in names
            ]
            catalogue.put_products(tx, store_id, put, BEGINS, actor="tests")
            ids = [f"{store_id}-{label_id(slot)}" for slot in range(self._slots)]
            new = [
                NewLabel(label_id=one, store_id=store_id, panel_id=PANEL, gateway_id=gateway)  # type: ignore[arg-type]
                for one in ids
            ]
            pairing.register_labels(tx, store_id, new, BEGINS, panels=PANELS)
            pairs = [
                Pairing(label_id=one, sku=Sku(sku))  # type: ignore[arg-type]
                for one, sku in zip(ids, names, strict=True)
            ]
            pairing.pair_labels(tx, store_id, pairs, BEGINS, single=False)
            changes = [a_change(sku, BASE, store_id=store_id) for sku in names]
            apply_price_changes(tx, store_id, changes, BEGINS, actor="tests")
            for slot in range(self._slots):
                self._shown[zone, slot] = BASE

    # -- time ----------------------------------------------------------------------------------

    def run(self, edges_least: int) -> Tally:
        """Live until so many edges have come."""
        now = BEGINS
        while self.tally.edges < edges_least and not self.tally.violations:
            self._plan_missing(now)
            now = self._next_look(now)
            self._look(now)
            if self._random.random() < _FAULTS:
                now = self._go_wrong(now)
            if self._live and self._random.random() < _FAULTS:
                if self._random.random() < _UNSEEN:
                    now = self._next_look(now)
                self._stop(self._random.choice(self._live), now)
        self._check_books()
        self.tally.until = now
        return self.tally

    def _next_look(self, now: datetime) -> datetime:
        """Return a moment right after the next edge by the time acted by, a second late at most."""
        acted = self._looked_at
        following = min(
            (at for one in self._live for zone in ZONES for at in one.following(zone, acted)),
            default=acted + timedelta(days=1),
        )
        late = timedelta(seconds=self._random.random())
        return max(now + late, now + (following - acted) + late)

    def _go_wrong(self, now: datetime) -> datetime:
        what = self._random.choice(("downtime", "restart", "clock set", "clock put right"))
        self.tally.faults[what] += 1
        match what:
            case "downtime":
                now += timedelta(hours=self._random.choice((0.01, 1, 5, 30, 100)))
                self._restart(now)
            case "restart":
                self._restart(now)
            case "clock set":
                self._ahead_s = self._random.choice((-1, 1)) * self._random.choice(
                    (5.0, 600.0, 3600.0, 7200.0, 40_000.0, 200_000.0)
                )
            case _:
                self._ahead_s = 0.0
        return now

    def _restart(self, now: datetime) -> None:
        self._set_clock(now)
        with self._database.read() as tx:
            acted = migrate.time_acted_until(tx)
        self._time = EffectiveClock(self._clock, not_before=acted)

    def _set_clock(self, now: datetime) -> None:
        self._clock.at = now + timedelta(seconds=self._ahead_s)
        self._clock.seconds = (now - BEGINS).total_seconds()

    # -- looks ---------------------------------------------------------------------------------

    def _look(self, now: datetime) -> None:
        self._set_clock(now)
        acted = self._time.now()
        self.tally.looks += 1
        with self._database.writing.begin() as tx:
            migrate.note_time_acted(tx, acted)
            while edges.begin_due(tx, acted, grace=GRACE) is not None:
                pass
            if self._random.random() < _PLANS and edges.needs_planning(tx, acted):
                edges.plan_edges(tx, acted, panels=PANELS)
            found = self._events(tx)
        expected = self._expected(acted)
        for key in found.keys() | expected.keys():
            if found.get(key, []) != expected.get(key, []):
                self.tally.violations.append(
                    f"{key} at {acted}: brute force {expected.get(key)}, books {found.get(key)}"
                )
        self.tally.events += sum(map(len, found.values()))
        self._looked_at = acted

    def _events(self, tx: Connection) -> dict[tuple[str, int], list[int]]:
        """Read the prices that labels were given since the last look, in their order."""
        zones = {store_id: zone for zone, store_id in self._stores.items()}
        query = (
            select(
                price_events.c.event_id,
                price_events.c.store_id,
                price_events.c.sku,
                price_events.c.price_minor,
            )
            .where(price_events.c.event_id > self._seen_event)
            .order_by(price_events.c.event_id)
        )
        found: dict[tuple[str, int], list[int]] = {}
        for row in tx.execute(query):
            self._seen_event = max(self._seen_event, row.event_id)
            key = zones[row.store_id], int(row.sku.removeprefix("sku-"))
            found.setdefault(key, []).append(row.price_minor)
        return found

    def _expected(self, acted: datetime) -> dict[tuple[str, int], list[int]]:
        """Say by brute force which prices must have come one after another since the last look."""
        expected: dict[tuple[str, int], list[int]] = {}
        turns: dict[tuple[str, int], set[datetime]] = {}
        for one in self._live:
            for zone in ZONES:
                since = max(self._looked_at, one.scheduled_at)
                come = one.moments(zone, since, acted)
                self.tally.edges += len(come)
                turns.setdefault((zone, one.slot), set()).update(come)
                one.began = one.began or any(one.holds(zone, at) for at in come)
        for zone, slot, at in self._turns_now:
            turns.setdefault((zone, slot), set()).add(at)
            for one in self._live:
                one.began = one.began or (one.slot == slot and one.holds(zone, at))
        self._turns_now.clear()
        for (zone, slot), moments in turns.items():
            for at in sorted(moments):
                price = self._price(zone, slot, at)
                if price != self._shown[zone, slot]:
                    self._shown[zone, slot] = price
                    expected.setdefault((zone, slot), []).append(price)
        self._live = [one for one in self._live if one.ends > acted]
        return expected

    def _price(self, zone: str, slot: int, at: datetime) -> int:
        here = [one.place for one in self._live if one.slot == slot and one.holds(zone, at)]
        return PRICES[max(here)] if here else BASE

    # -- what people do ------------------------------------------------------------------------

    def _plan_missing(self, now: datetime) -> None:
        taken = {(one.slot, one.place) for one in self._live}
        missing = [
            (slot, place)
            for slot in range(self._slots)
            for place in range(len(PRICES))
            if (slot, place) not in taken
        ]
        if not missing:
            return
        self._look(now)
        for slot, place in missing:
            self._plan(slot, place)

    def _plan(self, slot: int, place: int) -> None:
        acted = self._looked_at
        name = f"p{self.tally.promotions}"
        hours = invent_hours(self._random, acted)
        moments = {
            zone: [at for run in wall_of(zone, BEGINS - _BEFORE, ENDS).runs(hours) for at in run]
            for zone in ZONES
        }
        one = Planned(name, slot, place, moments, acted)
        if one.ends <= acted:
            return
        value: dict[str, Any] = {
            "id": name,
            "name": name,
            "gives": {"price": f"{PRICES[place] // 100}.00"},
            "currency": "EUR",
            "priority": place,
            "selection": {"skus": [f"sku-{slot}"]},
            "window": {"begins": _text(hours.begins), "ends": _text(hours.ends)},
        }
        if hours.weekdays:
            days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
            value["window"]["weekdays"] = [days[day] for day in sorted(hours.weekdays)]
        if hours.hours:
            value["window"]["hours"] = [
                {"begins": f"{begins:%H:%M}", "ends": f"{ends:%H:%M}"}
                for begins, ends in hours.hours
            ]
        with self._database.writing.begin() as tx:
            planning.create(tx, parse_promotion(value), acted, actor="tests", gallery=())
            planning.schedule(tx, name, acted, actor="tests")
        self.tally.promotions += 1
        self._live.append(one)
        for zone in ZONES:
            if one.holds(zone, acted):
                self.tally.edges += 1
                self._turns_now.append((zone, slot, acted))

    def _stop(self, one: Planned, now: datetime) -> None:
        """Cancel, end or take back: an edge may have come that nobody has looked at."""
        self._set_clock(now)
        acted = self._time.now()
        action = Action.CANCEL
        if one.began:
            action = self._random.choice((Action.CANCEL, Action.END, Action.ROLL_BACK))
        try:
            with self._database.writing.begin() as tx:
                planning.stop(tx, one.name, action, acted, actor="tests")
        except Conflict as exc:
            self.tally.violations.append(f"{one.name} cannot {action}: {exc}")
            return
        self.tally.faults[f"people {action}"] += 1
        for zone in ZONES:
            if one.holds(zone, self._looked_at):
                self.tally.edges += 1
                self._turns_now.append((zone, one.slot, acted))
        self._live.remove(one)

    # -- at the end ----------------------------------------------------------------------------

    def _check_books(self) -> None:
        """Nothing may be left over: no edge, no planned flip of the past, no state that lags."""
        acted = self._looked_at
        with self._database.read() as tx:
            if promotion_rows.first_edge(tx, acted) is not None:
                self.tally.violations.append("an edge of the past is left")
            planned = select(func.count()).where(
                flips.c.kind == int(FlipKind.EDGE),
                flips.c.state == int(FlipState.PLANNED),
                flips.c.show_at <= acted,
            )
            if tx.execute(planned).scalar():
                self.tally.violations.append("a flip of the past is still planned")
            for name, state in self._states(tx):
                live = next((one for one in self._live if one.name == name), None)
                over = state in (State.ENDED, State.CANCELLED, State.ROLLED_BACK)
                if over == (live is not None):
                    self.tally.violations.append(f"{name} is {state}")
                elif live is not None and (state is State.ACTIVE) != live.began:
                    self.tally.violations.append(f"{name} is {state}, began: {live.began}")

    def _states(self, tx: Connection) -> Iterator[tuple[str, State]]:
        after = ""
        while found := promotion_rows.list_promotions(tx, after=after, limit=1000):
            for one in found:
                yield one.promotion_id, State(one.state)
            after = found[-1].promotion_id


def _text(local: datetime) -> str:
    return local.isoformat(timespec="minutes")
