"""The safe order over thousands of flips: no till ever charges more than any shelf asks.

The controller's own services, dispatcher, inbox and upkeep on a clock that is turned by hand; some
labels are dead, others slow, pictures and words get lost, and the till is slow, then silent.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from esl.domain.face import Face
from esl.domain.ids import LabelId, Sku
from esl.domain.panel import Panel
from esl.domain.place import Pairing
from esl.domain.till_channel import TillChannel, TillSetting
from esl.services import pairing, till_channels, tilling
from esl.store import till_labels, tills
from esl.store.tills import Waits
from gateway.mqtt import MqttMessage
from renderer.frame import Frame
from renderer.template.template import Template
from tests.builders import (
    GATEWAY,
    STORE,
    Controller,
    FakeGateway,
    PlainRenderer,
    SimulatedClock,
    a_change,
    build_shelf,
    label_id,
    open_database,
)

LABELS = 200
PRODUCTS = 150  # the first fifty hang twice
DEAD = (3, 70, 160)  # more than one label of a hundred
ROUNDS = 92
SILENT = range(30, 42)  # rounds in which no till asks or answers
FIRST_PRICE = 129


class ReadableRenderer(PlainRenderer):
    """Frames of which it can be asked what price they say."""

    def __init__(self) -> None:
        super().__init__()
        self.price_of: dict[str, int | None] = {}

    def render(self, face: Face, panel: Panel, template: Template, **more: object) -> Frame:
        frame = super().render(face, panel, template, **more)
        self.price_of[frame.digest] = face.price_minor
        return frame


@dataclass
class Till:
    """A till that asks when it likes, takes over what it heard, and says so when it likes."""

    charges: dict[str, int] = field(default_factory=dict)
    revs: dict[str, int] = field(default_factory=dict)
    heard: list[tuple[str, int, int]] = field(default_factory=list)  # sku, rev, price
    words: list[tuple[str, int]] = field(default_factory=list)
    cursor: int = 0

    def take_over(self, sku: str, rev: int, price_minor: int) -> None:
        if rev > self.revs.get(sku, 0):
            self.charges[sku], self.revs[sku] = price_minor, rev
            self.words.append((sku, rev))


class Store:
    """A store whose till and shelf are compared after every step."""

    def __init__(self, folder: Path, seed: int, *, is_safe: bool) -> None:
        self.random = Random(seed)
        self.clock = SimulatedClock()
        self.database = open_database(folder)
        self.renderer = ReadableRenderer()
        self.gateway = FakeGateway(GATEWAY, self.clock)
        self.till = Till()
        self.dead: set[LabelId] = set()
        self.removed: set[LabelId] = set()
        self.flips = self.overcharges = 0
        with self.database.writing.begin() as tx:
            build_shelf(tx, labels_count=LABELS, price_minor=FIRST_PRICE)
            pairs = [
                Pairing(label_id=label_id(n), sku=Sku(f"sku-{n % PRODUCTS}")) for n in range(LABELS)
            ]
            pairing.pair_labels(tx, STORE, pairs, self.clock.wall(), single=False)
        self.product_of = {label_id(n): f"sku-{n % PRODUCTS}" for n in range(LABELS)}
        self.labels_of: dict[str, list[LabelId]] = {f"sku-{n}": [] for n in range(LABELS)}
        for label, sku in self.product_of.items():
            self.labels_of[sku].append(label)
        self.shop = Controller(self.database, self.clock, renderer=self.renderer)
        self.shop.hear(self.gateway.hello())
        self.shop.settle(self.gateway)
        setting = TillSetting(store_id=STORE, channel=TillChannel.PULL, is_safe=is_safe)
        self.shop.writer.write(
            lambda tx: till_channels.put_till(tx, setting, self.clock.wall(), actor="tests")
        )
        for n in range(PRODUCTS):
            self.till.charges[f"sku-{n}"] = FIRST_PRICE

    def close(self) -> None:
        self.shop.close()
        self.database.close()

    def reprice(self) -> None:
        """Let about every product have another price."""
        changes = [
            a_change(f"sku-{n}", self.random.randint(50, 250))
            for n in range(PRODUCTS)
            if self.random.random() < 0.97
        ]
        self.shop.price(*changes)

    def paint(self, share: float) -> None:
        """Send what is due; of what arrives some is painted, and some of that reported."""
        puts = self.gateway.obey(self.shop.dispatcher.step().outgoing)
        reports: list[MqttMessage] = []
        for put in puts:
            if LabelId(put.label) in self.dead or self.random.random() > share:
                continue
            told = self.gateway.paint(put)
            self.flips += 1
            self.compare(self.product_of[LabelId(put.label)])
            if self.random.random() < share:
                reports.append(told)
        self.shop.hear(*reports)

    def ask(self, share: float) -> None:
        """Let the till ask for news, take some of it over, and say some of its words."""
        with self.database.read() as tx:
            page = tills.page_of(tx, STORE, since=self.till.cursor, limit=1000)
        for one in page:
            said = (one.sku, one.standing.grant_rev, one.standing.grant.price_minor)
            self.till.heard.append(said)
            self.till.cursor = one.rev
        late: list[tuple[str, int, int]] = []
        for said in self.till.heard:
            if self.random.random() < share:
                self.till.take_over(*said)
                self.compare(said[0])
            else:
                late.append(said)
        self.till.heard = late
        words = [(Sku(sku), rev) for sku, rev in self.till.words if self.random.random() < share]
        self.till.words = self.till.words[len(self.till.words) // 2 :]  # it forgets some for good
        if words:
            now = self.shop.time.now()
            self.shop.writer.write(lambda tx: tilling.acknowledge_prices(tx, STORE, words, now))

    def compare(self, *skus: str) -> None:
        """Count the shelves that ask for less than the till charges at this instant."""
        for sku in skus or self.till.charges:
            for label in self.labels_of[sku]:
                if label not in self.removed:
                    shown = self.renderer.price_of[self.gateway.showing[label][1].hex()]
                    assert shown is not None
                    self.overcharges += self.till.charges[sku] > shown

    def pass_time(self) -> None:
        self.clock.pass_s(3)
        self.shop.upkeep.step()
        self.compare()

    def attest(self, label: LabelId) -> None:
        """Let a person say that a dead label is off the shelf."""
        self.removed.add(label)
        now = self.shop.time.now()
        self.shop.writer.write(
            lambda tx: till_channels.attest_absent(
                tx, STORE, [label], now, actor="anna", reason="broken"
            )
        )

    def come_to_rest(self) -> None:
        """Let the till start anew: it asks for everything, and says what it charges."""
        for _ in range(8):
            self.till.cursor = 0
            self.till.words = list(self.till.revs.items())
            self.clock.pass_s(60)
            self.paint(1)
            self.ask(1)
            self.pass_time()


@pytest.fixture
def opened() -> Iterator[list[Store]]:
    stores: list[Store] = []
    yield stores
    for store in stores:
        store.close()


def _run(store: Store) -> None:
    for turn in range(ROUNDS):
        if turn == 5:
            store.dead |= {label_id(n) for n in DEAD}
        store.reprice()
        for _ in range(2):
            store.paint(0.8)
            if turn not in SILENT:
                store.ask(0.7)
            store.pass_time()


def test_over_ten_thousand_flips_no_till_charges_more_than_any_shelf(
    tmp_path: Path, opened: list[Store]
) -> None:
    store = Store(tmp_path, seed=4, is_safe=True)
    opened.append(store)
    _run(store)
    assert store.overcharges == 0
    store.come_to_rest()
    store.shop.price(*[a_change(f"sku-{n}", 300) for n in range(PRODUCTS)])
    store.come_to_rest()
    assert store.overcharges == 0
    with store.database.read() as tx:
        waiting = tills.waiting_of(tx, STORE, limit=100)
        missing = till_labels.missing_labels(tx, STORE, [one.sku for one in waiting])
    dead = {store.product_of[label_id(n)]: label_id(n) for n in DEAD}
    assert {one.sku: one.waits for one in waiting} == dict.fromkeys(dead, Waits.LABELS)
    assert missing == {sku: [label] for sku, label in dead.items()}
    for label in dead.values():
        store.attest(label)
    store.come_to_rest()
    assert {store.till.charges[f"sku-{n}"] for n in range(PRODUCTS)} == {300}
    assert store.overcharges == 0
    assert store.flips >= 10_000


def test_without_the_safe_order_the_same_shop_overcharges(
    tmp_path: Path, opened: list[Store]
) -> None:
    store = Store(tmp_path, seed=4, is_safe=False)
    opened.append(store)
    for _ in range(3):
        store.reprice()
        store.paint(0.8)
        store.ask(0.7)
        store.pass_time()
    assert store.overcharges > 0
