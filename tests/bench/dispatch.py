"""``python -m tests.bench.dispatch``: what sending costs for each label, as lines of JSON.

CPU in µs a label, stage by stage, of a whole controller in one thread, on a real file, with real
pictures, against gateways that acknowledge at once:

cold      labels get their first picture: glyphs, QR codes and product layers are drawn
digit     only the last digit of every price changes
shop      prices change as shops change them (`api.bench.price_changes`)
sale      price, old price and percent change, on the promotion template
restart   as "shop", by a controller that was just opened: all that memory held is gone

``signed_us`` is what keeping signatures costs (`gateway.ledger`), of ``cpu_us``; in a controller it
is spent in another thread, after the pictures left. ``bytes`` are of picture data; a delta is told
apart from what the label shows. The machines are shared and noisy: quote ratios before
microseconds.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from api.bench.price_changes import ShopPrices
from api.bench.products import find_products
from api.stage_clock import StageClock
from esl.domain.ids import GatewayId
from esl.intake.product_json import parse_product
from esl.services import catalogue
from esl.store.database import Database
from gateway.easel import Easel
from gateway.ledger import Ledger
from gateway.link import Outgoing
from gateway.mqtt import MqttMessage
from gateway.render_pool import RenderPool, open_easel
from gateway.wire.codec import encode_events
from gateway.wire.messages import Put
from gateway.wire.topics import up_topic
from renderer.render import Renderer
from tests.builders import (
    KEY,
    NOON,
    STORE,
    Controller,
    FakeGateway,
    SimulatedClock,
    a_change,
    build_shelf,
    open_database,
)
from tests.chaos.inline_writer import InlineWriter
from tests.panels import PANELS

_WINDOW = 1000
_EVENTS_AT_ONCE = 100
_POSTED_AT_ONCE = 500


class DispatchBench:
    """A shop in one thread."""

    def __init__(
        self, database: Database, labels: int, gateways: int, level: str, workers: int
    ) -> None:
        self._database = database
        self._workers = workers
        self._pool: RenderPool | None = None
        self._clock = SimulatedClock()
        self._names = [GatewayId(f"gw-{n:03}") for n in range(gateways)]
        products, _ = find_products(labels, None)
        self._prices = ShopPrices(products)
        self._skus = [f"sku-{n}" for n in range(labels)]
        self._minor = dict.fromkeys(self._skus, 0)
        with database.writing.begin() as tx:
            build_shelf(tx, labels_count=labels, gateways=self._names, price_minor=None)
            rows = [
                parse_product(
                    {k: v for k, v in row.items() if k != "price"} | {"sku": sku},
                    store_id=STORE,
                    sku=None,
                    currency="EUR",
                )
                for sku, row in zip(self._skus, self._prices.products(), strict=True)
            ]
            catalogue.put_products(tx, STORE, rows, NOON, actor="bench")
        self._first = [row["price"] for row in self._prices.products()]
        self._level = level
        self.open()

    def open(self) -> None:
        """Open a controller; whatever an earlier one knew is forgotten."""
        self.close()
        self._stages = StageClock()
        self._signed_s = 0.0
        self._shop = Controller(
            self._database,
            self._clock,
            window=_WINDOW,
            renderer=Renderer(),
            writer=InlineWriter(self._database, time.monotonic, stages=self._stages),
            stages=self._stages,
        )
        self._ledger = Ledger(writer=self._shop.writer, clock=self._shop.time, key=KEY)
        if self._workers:
            here = Easel(painter=self._shop.painter, panels=PANELS, stages=self._stages)
            make = partial(open_easel, None, None)
            self._pool = RenderPool(here, make, workers=self._workers)
            self._shop.dispatcher._draws = self._pool
            self._pool.start()
            while not all(worker.is_ready() for worker in self._pool._workers):
                time.sleep(0.05)
        self._gateways = {name: FakeGateway(name, self._clock) for name in self._names}
        for n, gateway in enumerate(self._gateways.values()):
            gateway.begin_session(f"boot-{id(self)}-{n}")
            self._shop.hear(gateway.hello(level=self._level, capacity=_WINDOW))
        self._deliver()  # what a new session makes due

    def close(self) -> None:
        """End the processes beside."""
        if self._pool is not None:
            self._pool.close()

    def first_prices(self) -> None:
        """Give every product a price."""
        self._post([(sku, _minor(p), None) for sku, p in zip(self._skus, self._first, strict=True)])

    def next_digit(self) -> None:
        """Change every price by a cent, within its last digit."""
        changes = [(k, m - 1 if m % 10 else m + 1, None) for k, m in self._minor.items()]
        self._post(changes)

    def change_as_shops_do(self) -> None:
        """Change every price as shops do."""
        rows = self._prices.change_all()
        self._post([(k, _minor(r["price"]), None) for k, r in zip(self._skus, rows, strict=True)])

    def sell_off(self, seed: int) -> None:
        """Put everything on sale, at another price than before."""
        random = Random(seed)
        changes = []
        for sku, minor in self._minor.items():
            now = max(19, round(minor * random.uniform(0.75, 0.99) / 10) * 10 - 1)
            changes.append((sku, now, round(now * random.uniform(1.1, 1.6) / 10) * 10 + 9))
        self._post(changes)

    def measure(self, name: str, act: Callable[[], None]) -> dict[str, Any]:
        """Change the truth, deliver, and say what each label cost."""
        before = self._stages.totals()
        began_s, began_wall_s = time.thread_time(), time.monotonic()
        act()
        intake_s = time.thread_time() - began_s
        self._signed_s = 0.0
        puts, theirs_s = self._deliver()
        self._keep(self._ledger.write)
        whole_s = time.thread_time() - began_s - theirs_s
        wall_s = time.monotonic() - began_wall_s - theirs_s
        after = self._stages.totals()
        count = len({put.label for put in puts}) or 1
        stages = {
            stage: round((after[stage]["cpu_s"] - before[stage]["cpu_s"]) / count * 1e6, 1)
            for stage in after
        }
        kinds = Counter(put.encoding for put in puts)
        return {
            "round": name,
            "labels": count,
            "cpu_us": round(whole_s / count * 1e6),
            "wall_us": round(wall_s / count * 1e6),
            "signed_us": round(self._signed_s / count * 1e6, 1),
            "intake_us": round(intake_s / count * 1e6, 1),
            "stages_us": stages,
            "bytes": round(sum(len(put.data) for put in puts) / count),
            "deltas": round(kinds["xor-zlib"] / (sum(kinds.values()) or 1), 3),
        }

    def _post(self, changes: Sequence[tuple[str, int, int | None]]) -> None:
        for start in range(0, len(changes), _POSTED_AT_ONCE):
            part = changes[start : start + _POSTED_AT_ONCE]
            self._shop.price(*(a_change(k, minor, was_minor=was) for k, minor, was in part))
        self._minor.update({sku: minor for sku, minor, _ in changes})

    def _deliver(self) -> tuple[list[Put], float]:
        """Send and acknowledge until all is settled; also the seconds that are the gateways'."""
        sent: list[Put] = []
        theirs_s = 0.0
        claimed: Sequence[Any] = ()
        while True:
            step = self._shop.dispatcher.advance(claimed)
            claimed = step.claimed
            for outgoing in step.outgoing:
                self._keep(partial(self._ledger.note, outgoing))
            began_s = time.thread_time()
            reports = [m for outgoing in step.outgoing for m in self._answer(outgoing, sent)]
            theirs_s += time.thread_time() - began_s
            if reports:
                self._shop.hear(*reports)
            elif not claimed:
                return sent, theirs_s

    def _keep(self, work: Callable[[], None]) -> None:
        began_s = time.thread_time()
        work()
        self._signed_s += time.thread_time() - began_s

    def _answer(self, outgoing: Outgoing, sent: list[Put]) -> list[MqttMessage]:
        gateway = self._gateways[outgoing.gateway_id]
        puts = gateway.obey([outgoing])
        sent += puts
        events = [gateway.shown_event(put) for put in puts]
        return [
            MqttMessage(
                up_topic(gateway.gateway_id),
                encode_events(events[start : start + _EVENTS_AT_ONCE]),
                retained=False,
            )
            for start in range(0, len(events), _EVENTS_AT_ONCE)
        ]


def _minor(price: str) -> int:
    whole, cents = price.split(".")
    return int(whole) * 100 + int(cents)


def main() -> None:
    """Measure every round at one size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=2000)
    parser.add_argument("--gateways", type=int, default=4)
    parser.add_argument("--level", choices=("basic", "full"), default="full")
    parser.add_argument("--workers", type=int, default=0, help="render in processes beside")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="esl-bench-") as folder,
        closing(open_database(Path(folder))) as database,
    ):
        bench = DispatchBench(
            database, arguments.labels, arguments.gateways, arguments.level, arguments.workers
        )
        rounds: list[tuple[str, Callable[[], None]]] = [
            ("cold", bench.first_prices),
            ("digit", bench.next_digit),
            ("shop", bench.change_as_shops_do),
            ("shop", bench.change_as_shops_do),
            ("to sale", lambda: bench.sell_off(1)),
            ("sale", lambda: bench.sell_off(2)),
        ]
        for name, act in rounds:
            print(json.dumps(bench.measure(name, act)), flush=True)
        bench.open()
        print(json.dumps(bench.measure("restart", lambda: bench.sell_off(3))), flush=True)
        bench.close()


if __name__ == "__main__":
    main()
