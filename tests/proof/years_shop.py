"""A shop that lives for years: its days, and the nights in which the controller forgets.

::

    05:50  300 prices of a list (3 % of 10,000 labels), in pieces of a hundred
    08 to 20 o'clock  single changes
    21:00  all labels have said how they are
    Mondays  a promotion of 5 % of the products, until Sunday evening
    the night  batteries, problems, the round of forgetting, leaves of hashes, a checkpoint

The controller's side is the product's own: services, dispatcher, inbox, staging, ledger, upkeep,
sealing and forgetting, on a clock that is turned. Every picture is sent, signed, painted and
reported over the wire's own messages. `tests.proof.years_books` writes what else a day brings.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, func, select, text

from api.audit.files import is_signed_by
from esl.domain.chain import Checkpoint, Cut
from esl.domain.ids import GatewayId
from esl.domain.keeping import Keeping
from esl.domain.till_channel import TillChannel, TillSetting
from esl.intake.product_json import ProductPut
from esl.intake.promotion_json import parse_promotion
from esl.services import batches, catalogue, till_channels
from esl.services.ageing import aged_by
from esl.services.cutting import Cutting
from esl.services.pricing import apply_price_changes
from esl.services.promotions import planning
from esl.services.retention import ORDERS_KEPT, Forgetting
from esl.services.sealing import Sealing
from esl.store import chain, import_jobs, tables, telemetry
from esl.store.database import Database
from esl.store.write_group import Priority, Writes
from gateway.ledger import Ledger
from gateway.upkeep import Upkeep
from renderer.render import Renderer
from tests.builders import (
    KEY,
    STORE,
    Controller,
    FakeGateway,
    PlainRenderer,
    SimulatedClock,
    a_change,
    a_product,
    build_shelf,
    label_id,
)
from tests.proof.years_books import begin_books, write_day

DAY: Final = timedelta(days=1)
CHANGES_A_DAY: Final = 0.03
"""Of the labels: prices of the morning's list. Shops of this kind say 2 to 5 %."""

SINGLES_A_DAY: Final = 20
PROMOTED: Final = 0.05
LABELS_A_GATEWAY: Final = 2500
PIECE: Final = 100
SILENT_AFTER: Final = timedelta(days=3)
_MANY: Final = 1_000_000
T = TypeVar("T")


@dataclass(slots=True)
class Nights:
    """What the nights cost; ``longest_ms`` is of one writing transaction, with its commit."""

    rounds: int = 0
    steps_most: int = 0  # of a round: the product does one each five seconds
    longest_ms: float = 0.0
    round_s_most: float = 0.0
    cut: int = 0  # blocks


class TimedWrites:
    """A writer that notes how long each write took."""

    def __init__(self, writer: Writes, nights: Nights) -> None:
        self._writer = writer
        self._nights = nights

    def write(self, work: Callable[[Connection], T], *, priority: Priority = Priority.CHANGE) -> T:
        """Write, and note how long it took."""
        began_s = time.perf_counter()
        try:
            return self._writer.write(work, priority=priority)
        finally:
            ms = (time.perf_counter() - began_s) * 1000
            self._nights.longest_ms = max(self._nights.longest_ms, ms)


class YearsShop:
    """A shop of so many labels in a database; `live` lets a day pass."""

    def __init__(
        self, database: Database, *, begins: datetime, labels: int, seed: int, keeping: Keeping
    ) -> None:
        self.labels = labels
        self._begins = begins
        self.database = database
        self.clock = SimulatedClock(at=begins)
        self.day = 0
        self.changes = 0
        self.shown = 0
        self.nights = Nights()
        self.upkeep_cost = Nights()
        self._written_to = 0
        self._random = Random(seed)
        self._prices = {f"sku-{n}": 100 + n % 900 for n in range(labels)}
        count = max(1, -(-labels // LABELS_A_GATEWAY))
        names = [GatewayId(f"gw-{n}") for n in range(1, count + 1)]
        with database.writing.begin() as tx:
            build_shelf(tx, labels_count=labels, gateways=names, now=begins, price_minor=None)
            put = [
                ProductPut(product=a_product(sku, category=f"c-{n % 20}"), price=None)
                for n, sku in enumerate(self._prices)
            ]
            catalogue.put_products(tx, STORE, put, begins, actor="tests")
            own = TillSetting(store_id=STORE, channel=TillChannel.OWN, is_safe=False)
            till_channels.put_till(tx, own, begins, actor="tests")
            begin_books(tx, begins)
        self.plain = PlainRenderer()
        self.controller = Controller(database, self.clock, window=_MANY, renderer=self.plain)
        shop = self.controller
        shop.upkeep = Upkeep(
            database=database,
            writer=TimedWrites(shop.writer, self.upkeep_cost),
            clock=shop.time,
            silent_after=SILENT_AFTER,
            keeping=keeping,
        )
        self._gateways = [FakeGateway(name, self.clock, capacity=_MANY) for name in names]
        self._ledger = Ledger(writer=shop.writer, clock=shop.time, key=KEY)
        self.sealing = Sealing(database=database, writer=shop.writer, clock=shop.time)
        self._timed = TimedWrites(shop.writer, self.nights)
        self.forgetting = Forgetting(database=database, writer=self._timed, keeping=keeping)
        self._night_sealing = Sealing(database=database, writer=self._timed, clock=shop.time)
        self._cutting = Cutting(
            database=database, writer=self._timed, clock=shop.time, is_trusted=is_ours
        )
        for gateway in self._gateways:
            shop.hear(gateway.state(online=True), gateway.hello())
        self._price(list(self._prices), lambda sku: self._prices[sku])

    def close(self) -> None:
        """End the writer; the database is the caller's."""
        self.controller.close()

    def draw_in_earnest(self) -> None:
        """Let the product's own renderer draw from now on: older pictures are gone at the end."""
        self.controller.painter._renderer = Renderer()

    # -- a day -------------------------------------------------------------------------------

    def live(self, *, days: int = 1) -> None:
        """Live a day; with more ``days`` all that happens on one of so many, the last of them."""
        morning = self._begins + (self.day + days - 1) * DAY
        if morning.weekday() == 0 or days > 1:
            self._plan_promotion(morning)
        self._pass_until(morning + timedelta(hours=5, minutes=50))
        some = self._random.sample(list(self._prices), max(1, int(self.labels * CHANGES_A_DAY)))
        self._price(some, self._new_price)
        self._live_a_moment()
        singles = max(1, min(SINGLES_A_DAY, self.labels // 50))
        for n in range(singles):
            minutes = 8 * 60 + n * (12 * 60 // singles)
            self._pass_until(morning + timedelta(minutes=minutes))
            self._price([self._random.choice(list(self._prices))], self._new_price)
        self._pass_until(morning + timedelta(hours=21))
        self._wake(self.day)
        self._write(lambda tx, now: write_day(tx, self.day, now, labels=self.labels))
        self._live_a_moment()
        self._pass_until(morning + timedelta(hours=23))
        self._night()
        self.day += days

    def _wake(self, day: int) -> None:
        """Let labels wake and say how they are; one in 200 does not for three months a year.

        What their beacons come to is written by the statement that the inbox writes it with.
        """
        now, volts = self.controller.time.now(), 2990 - day // 10
        is_away = day % 365 < 90
        awake = [n for n in range(self.labels) if n % 200 or not is_away]
        for start in range(0, len(awake), 1000):
            some = [
                telemetry.Vitals(
                    label_id=label_id(n), seen_at=now, battery_mv=volts, temperature_c=21
                )
                for n in awake[start : start + 1000]
            ]
            self._write(lambda tx, _, v=some: telemetry.write_vitals(tx, v))

    def _new_price(self, sku: str) -> int:
        self._prices[sku] = max(20, int(self._prices[sku] * self._random.uniform(0.9, 1.11)))
        return self._prices[sku]

    def _price(self, skus: list[str], price: Callable[[str], int]) -> None:
        for start in range(0, len(skus), PIECE):
            piece = [a_change(sku, price(sku)) for sku in skus[start : start + PIECE]]
            self.changes += len(piece)
            if len(piece) == 1:
                self._write(
                    lambda tx, now, p=piece: apply_price_changes(tx, STORE, p, now, actor="till")
                )
            else:
                self._write(
                    lambda tx, now, p=piece: batches.apply_batch(tx, STORE, p, now, actor="till")
                )
        self._deliver()

    def _plan_promotion(self, monday: datetime) -> None:
        count = max(1, int(self.labels * PROMOTED))
        begins, ends = monday + timedelta(hours=4), monday + timedelta(days=6, hours=18)
        promotion = parse_promotion(
            {
                "id": f"week-{self.day}",
                "name": "Week",
                "currency": "EUR",
                "gives": {"percent": 20},
                "selection": {"skus": self._random.sample(list(self._prices), count)},
                "window": {"begins": f"{begins:%Y-%m-%dT%H:%M}", "ends": f"{ends:%Y-%m-%dT%H:%M}"},
            }
        )

        def work(tx: Connection, now: datetime) -> None:
            planning.create(tx, promotion, now, actor="person:p-1", gallery=())
            planning.schedule(tx, promotion.promotion_id, now, actor="person:p-1")

        self._write(work)

    # -- what the controller does --------------------------------------------------------------

    def _pass_until(self, moment: datetime) -> None:
        """Let time pass."""
        if moment > self.clock.at:
            self.clock.pass_s((moment - self.clock.at).total_seconds())

    def _live_a_moment(self) -> None:
        """Let the controller do all that is due."""
        shop = self.controller
        for gateway in self._gateways:
            shop.hear(gateway.heartbeat())
        shop.house_clock.step()
        shop.staging.begin_flips()
        shop.upkeep.step()
        self._deliver()

    def _deliver(self) -> None:
        """Let labels paint and report what is due, and the minute be sealed."""
        shop = self.controller
        while (step := shop.dispatcher.step()).looked_at:
            for one in step.outgoing:
                self._ledger.note(one)
            self.clock.pass_s(20)
            for gateway in self._gateways:
                puts = gateway.obey(step.outgoing)
                self.shown += len(puts)
                said = [gateway.paint(put, battery_mv=2980) for put in puts]
                for start in range(0, len(said), 200):
                    shop.hear(*said[start : start + 200])
        self._ledger.write()
        self.clock.pass_s(61)
        self.sealing.seal_all()
        self.checkpoint()

    def checkpoint(self) -> Checkpoint | None:
        """Sign the head of the chain, if it is time."""
        return self.sealing.checkpoint(KEY.sign, KEY.public_key)

    def new_checkpoints(self) -> list[Checkpoint]:
        """Return the checkpoints since the last call, as the keeper writes them into its file."""
        with self.database.read() as tx:
            new = chain.checkpoints_from(tx, self._written_to + 1)
        self._written_to = new[-1].number if new else self._written_to
        return new

    def _night(self) -> None:
        """Forget what is old, as the upkeep and the keepers of jobs and of the chain do."""
        shop, now = self.controller, self.clock.at
        shop.upkeep.step()
        steps, began_s = 1, time.perf_counter()
        with self.database.read() as tx:
            aged = aged_by(tx, now)
        while self.forgetting.step(now, aged):
            steps += 1
        self._timed.write(
            lambda tx: import_jobs.forget_jobs(tx, now - ORDERS_KEPT, limit=1000),
            priority=Priority.HOUSEKEEPING,
        )
        self._night_sealing.keep_whole_hashes()
        self._night_sealing.forget_leaves(aged)
        self.nights.cut += self._cutting.cut(KEY.sign, KEY.public_key, aged)
        self.sealing.seal_all()
        nights = self.nights
        nights.rounds += 1
        nights.steps_most = max(nights.steps_most, steps)
        nights.round_s_most = max(nights.round_s_most, time.perf_counter() - began_s)

    def _write(self, work: Callable[[Connection, datetime], Any]) -> None:
        now = self.controller.time.now()
        self.controller.writer.write(lambda tx: work(tx, now))


def is_ours(signed: Checkpoint | Cut) -> bool:
    """Say whether the shop's own key signed a checkpoint or a cut."""
    return is_signed_by(signed, frozenset({KEY.public_key.hex()}))


def rows_of(database: Database) -> dict[str, int]:
    """Count the rows of every table."""
    with database.read() as tx:
        return {
            name: int(tx.execute(select(func.count()).select_from(table)).scalar_one())
            for name, table in sorted(tables.metadata.tables.items())
        }


def bytes_of(database: Database) -> dict[str, int]:
    """Say how many bytes every table takes, its indexes included."""
    with database.read() as tx:
        if database.is_sqlite:
            query = (
                "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat AS s JOIN sqlite_master AS m"
                " ON m.name = s.name WHERE s.aggregate = 1 GROUP BY m.tbl_name"
            )
        else:
            query = (
                "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
                " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
            )
        return {str(name): int(size) for name, size in tx.execute(text(query))}


def file_bytes(path: Path) -> int:
    """Say how large a database file is, with what was not yet written back into it."""
    beside = (path, path.with_name(f"{path.name}-wal"))
    return sum(one.stat().st_size for one in beside if one.exists())
