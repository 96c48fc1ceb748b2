"""On both databases: whatever happens around an order, the glass ends as it was ordered."""

import json
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest

from esl.domain.subscription import Asked, EventType, Places
from esl.services import event_messages, flips, neutral_orders
from esl.store import event_books
from esl.store.database import Database
from gateway.wire.messages import Put
from tests.builders import (
    GATEWAY,
    STORE,
    Controller,
    FakeGateway,
    SimulatedClock,
    a_change,
    build_shelf,
    label_id,
)
from tests.panels import PANELS
from tests.witness import Witness, prices

MANY = 4
LONGEST_S = 700.0


class Emergency:
    """A shop under an order that comes and goes; two controllers on the same books take turns.

    ``truth`` is what each label must say while the store shows prices.
    """

    def __init__(self, database: Database, seed: int) -> None:
        self.random = Random(seed)
        self.clock = SimulatedClock()
        self.witness = Witness()
        self.gateway = FakeGateway(GATEWAY, self.clock)
        self.database = database
        self.truth = [129] * MANY
        self.ordered = False
        self.sessions = 0
        self.planned: list[tuple[float, int, int]] = []
        with database.writing.begin() as tx:
            build_shelf(tx, labels_count=MANY)
        self.controllers = [self._open(), self._open()]
        self.restart()

    def _open(self) -> Controller:
        return Controller(self.database, self.clock, renderer=self.witness)

    def close(self) -> None:
        for controller in self.controllers:
            controller.close()

    @property
    def controller(self) -> Controller:
        return self.random.choice(self.controllers)

    def restart(self) -> None:
        """A controller and the gateway begin anew."""
        self.controllers.pop(0).close()
        self.controllers.append(self._open())
        self.sessions += 1
        self.gateway.begin_session(f"boot-{self.sessions}")
        for controller in self.controllers:
            controller.hear(self.gateway.hello())

    def change_price(self) -> None:
        number = self.random.randrange(MANY)
        self.truth[number] = self.random.randrange(100, 999)
        self.controller.price(a_change(f"sku-{number}", self.truth[number]))

    def plan_price(self) -> None:
        """A price that begins to hold later, whatever is ordered then."""
        number, minor = self.random.randrange(MANY), self.random.randrange(100, 999)
        after_s = self.random.choice((30.0, 200.0))
        sku, now = f"sku-{number}", self.controller.time.now()
        said = json.dumps([{"sku": sku, "price": f"{minor / 100:.2f}"}])
        at = now + timedelta(seconds=after_s)
        with self.database.writing.begin() as tx:
            changes = [a_change(sku, minor)]
            flips.plan_flip(tx, STORE, at, changes, said, now, actor="t", panels=PANELS)
        self.planned.append((self.clock.seconds + after_s, number, minor))

    def turn_about(self) -> None:
        now = self.controller.time.now()
        self.ordered = not self.ordered
        with self.database.writing.begin() as tx:
            if self.ordered:
                neutral_orders.order_neutral(tx, STORE, now, actor="boss", reason="drill")
            else:
                neutral_orders.end_neutral(tx, STORE, now, actor="boss")

    def send(self) -> None:
        """What is sent is painted, or lost."""
        self._paint(self.controller, lost=0.4)

    def turn_about_while_drawing(self) -> None:
        controller = self.controller
        batch = controller.dispatcher.begin()
        if batch is None:
            return
        draft = controller.dispatcher.draw(batch)
        self.turn_about()
        for put in self.gateway.obey(controller.dispatcher.finish(draft).outgoing):
            self._show(put)

    def _paint(self, controller: Controller, *, lost: float) -> None:
        for put in self.gateway.obey(controller.dispatcher.step().outgoing):
            if self.random.random() >= lost:
                self._show(put)

    def _show(self, put: Put) -> None:
        """Paint as labels do: never an older revision; either controller hears of it."""
        if put.rev > self.gateway.showing.get(put.label, (0, b""))[0]:
            self.controller.hear(self.gateway.paint(put))

    def pass_time(self) -> None:
        self.clock.pass_s(self.random.choice((0.5, 70.0)))
        for controller in self.controllers:
            controller.hear(self.gateway.heartbeat())
        self.controller.staging.begin_flips()
        for at_s, number, minor in sorted(self.planned):
            if at_s <= self.clock.seconds:
                self.truth[number] = minor
        self.planned = [one for one in self.planned if one[0] > self.clock.seconds]

    def come_right(self) -> None:
        for _ in range(8):
            self.clock.pass_s(LONGEST_S)
            for controller in self.controllers:
                controller.hear(self.gateway.heartbeat())
            self.pass_time()
            for controller in self.controllers:
                for _ in range(5):
                    self._paint(controller, lost=0.0)


@pytest.fixture(params=range(10))
def emergency(either_database: Database, request: pytest.FixtureRequest) -> Iterator[Emergency]:
    """A shop, with a seed of its own."""
    found = Emergency(either_database, request.param)
    yield found
    found.close()


def test_whatever_happens_the_glass_ends_as_it_was_ordered(emergency: Emergency) -> None:
    steps = [
        *(emergency.change_price, emergency.plan_price, emergency.turn_about),
        *(emergency.turn_about_while_drawing, emergency.restart),
        *(emergency.send, emergency.send, emergency.send),
    ]
    for _ in range(50):
        emergency.random.choice(steps)()
        emergency.pass_time()
    emergency.come_right()
    expected = [None] * MANY if emergency.ordered else emergency.truth
    assert prices(emergency.gateway, emergency.witness) == expected
    emergency.turn_about()
    emergency.come_right()
    expected = [None] * MANY if emergency.ordered else emergency.truth
    assert prices(emergency.gateway, emergency.witness) == expected


def _told(database: Database) -> list[tuple[str, str]]:
    """Read what other systems are told of prices that came to hang: SKU and price."""
    asked = Asked(STORE, frozenset({EventType.PRICE_CONFIRMED}), 100, Places(0, 0, 0, 0, 0))
    with database.read() as tx:
        found, _ = event_messages.gather_books(tx, asked, event_books.ends_of(tx))
    return [(str(event.data["sku"]), str(event.data["price"])) for event, _ in found]


def test_a_neutral_face_confirms_no_price(either_database: Database) -> None:
    clock = SimulatedClock()
    with either_database.writing.begin() as tx:
        build_shelf(tx)
    shop = Controller(either_database, clock)
    gateway = FakeGateway(GATEWAY, clock)
    shop.hear(gateway.hello())
    shop.settle(gateway)
    assert _told(either_database) == [("sku-0", "1.29")]
    shop.price(a_change("sku-0", 150))
    now = shop.time.now()
    shop.writer.write(
        lambda tx: neutral_orders.order_neutral(tx, STORE, now, actor="boss", reason="drill")
    )
    shop.settle(gateway)
    assert shop.label().shown_rev >= shop.label().wanted_rev
    # The other's label shows its neutral face under a revision above that of the price.
    assert ("sku-0", "1.50") not in _told(either_database)
    shop.writer.write(lambda tx: neutral_orders.end_neutral(tx, STORE, now, actor="boss"))
    shop.settle(gateway)
    assert _told(either_database)[-1] == ("sku-0", "1.50")
    assert gateway.showing[label_id(0)][1].hex() == shop.wanted_digest()
    shop.close()
