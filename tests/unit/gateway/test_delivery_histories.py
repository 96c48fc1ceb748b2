"""Random histories of one shelf, against a small model that cannot be wrong in the same way.

The real services, dispatcher and inbox on real SQLite; a network that loses, repeats and
reorders; labels that refuse older revisions, lose their memory and beacon. After every step:

* what a label is held to show never goes back while the label remembers;
* it was issued to that label, under that revision;
* a label that is called settled shows its product's price, in the books *and* on the glass.

From time to time the network behaves; then everything comes to rest and is right. A seed makes
the same history again, and a failure names the steps that led to it.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from sqlalchemy import select

from esl.domain.face import Face
from esl.domain.label import LabelState
from esl.store.tables import issued
from gateway.mqtt import MqttMessage
from gateway.wire.errors import WrongSession
from gateway.wire.messages import Put
from tests.builders import (
    GATEWAY,
    PANEL,
    Controller,
    FakeGateway,
    SimulatedClock,
    a_change,
    build_shelf,
    label_id,
    open_database,
    the_gallery,
)
from tests.panels import PANELS

T = TypeVar("T")

LABELS = 2
STEPS = 220
REST_EVERY = 44

WEIGHTS = {
    "change_a_price": 16,
    "dispatch": 16,
    "deliver_a_picture": 14,
    "lose_a_picture": 4,
    "deliver_a_report": 10,
    "lose_a_report": 2,
    "beacon": 3,
    "wait": 3,
    "lose_memory": 1,
    "restart_the_gateway": 1,
}


@dataclass(slots=True)
class Glass:
    """A label: what it shows, the highest revision it remembers, and how often it forgot."""

    rev: int = 0
    digest: bytes = b""
    incarnation: int = 1

    def paint(self, put: Put) -> bool:
        """Paint a picture unless it is older; say whether the label now shows it."""
        if put.rev > self.rev:
            self.rev, self.digest = put.rev, put.digest
        return (put.rev, put.digest) == (self.rev, self.digest)


class Shelf:
    """A controller, a gateway, two labels, and everything that may go wrong between them."""

    def __init__(self, shop: Controller, clock: SimulatedClock, random: Random) -> None:
        self.shop = shop
        self.clock = clock
        self.random = random
        self.gateway = FakeGateway(GATEWAY, clock)
        self.sessions = 1
        self.glass = {str(label_id(n)): Glass() for n in range(LABELS)}
        self.prices = dict.fromkeys(range(LABELS), 129)
        self.air: list[Put] = []
        self.reports: list[MqttMessage] = []
        self.before: dict[str, LabelState] = {}
        shop.hear(self.gateway.hello())

    def take_a_step(self) -> str:
        """Do one of the things that can happen now, and name it."""
        idle = [("_picture", self.air), ("_report", self.reports)]
        names = [
            name
            for name in WEIGHTS
            if all(things or not name.endswith(what) for what, things in idle)
        ]
        [name] = self.random.choices(names, [WEIGHTS[name] for name in names])
        getattr(self, name)()
        return name

    # -- the shop ----------------------------------------------------------------------------

    def change_a_price(self) -> None:
        number = self.random.randrange(LABELS)
        self.prices[number] = self.random.choice([1, 2, 3])
        self.shop.price(a_change(f"sku-{number}", self.prices[number]))

    def dispatch(self) -> None:
        for sent in self.shop.dispatcher.step().outgoing:
            # A late word of an old session may have brought it back until the next heartbeat.
            with contextlib.suppress(WrongSession):
                self.air += self.gateway.obey([sent])

    def wait(self) -> None:
        self.clock.pass_s(self.random.choice([1, 61, 200, 1000]))
        self.shop.hear(self.gateway.heartbeat())

    # -- the network and the labels ----------------------------------------------------------

    def deliver_a_picture(self) -> None:
        put = self._take(self.air)
        glass = self.glass[put.label]
        if glass.paint(put):
            shown = self.gateway.shown_event(put, incarnation=glass.incarnation)
            self.reports.append(self.gateway.up(shown))
        else:
            self.reports.append(self.gateway.fail(put, "superseded"))

    def lose_a_picture(self) -> None:
        """On the air; the gateway may notice."""
        put = self._take(self.air)
        code = self.random.choice(["", "label_timeout", "bad_digest", "unsupported"])
        if code:
            self.reports.append(self.gateway.fail(put, code))

    def deliver_a_report(self) -> None:
        self.shop.hear(self._take(self.reports))

    def lose_a_report(self) -> None:
        self._take(self.reports)

    def beacon(self) -> None:
        self.reports.append(self._beacon(self.random.choice(list(self.glass))))

    def lose_memory(self) -> None:
        label = self.random.choice(list(self.glass))
        self.glass[label] = Glass(incarnation=self.glass[label].incarnation + 1)

    def restart_the_gateway(self) -> None:
        self.sessions += 1
        self.gateway.begin_session(f"boot-{self.sessions}")
        self.shop.hear(self.gateway.hello())

    # -- what must hold ----------------------------------------------------------------------

    def check_the_books(self) -> None:
        with self.shop.database.read() as tx:
            told = {(row.label_id, row.rev): row.digest for row in tx.execute(select(issued))}
        for number, state in enumerate(self.shop.states()):
            before = self.before.get(state.label_id, state)
            assert state.incarnation >= before.incarnation
            assert state.wanted_rev >= before.wanted_rev
            if before.incarnation == state.incarnation:
                assert state.shown_rev >= before.shown_rev
            self.before[state.label_id] = state
            if state.shown_digest:
                assert told[state.label_id, state.shown_rev] == state.shown_digest
            if state.due_at is None and state.problem is None:
                assert state.settled_rev == state.wanted_rev
                assert state.shown_digest == self._right(number)
                glass = self.glass[state.label_id]
                if glass.incarnation == state.incarnation:
                    assert glass.digest.hex() == self._right(number)

    def come_to_rest(self) -> None:
        """The network behaves for a while: everything arrives once, and labels beacon."""
        self.restart_the_gateway()
        for _ in range(12):
            self.clock.pass_s(1000)
            self.shop.hear(self.gateway.heartbeat())
            self.dispatch()
            for put in self.air:
                self.glass[put.label].paint(put)
            self.air.clear()
            self.reports += [self._beacon(label) for label in self.glass]
            self.shop.hear(*self.reports)
            self.reports.clear()
            self.check_the_books()
            if all(state.due_at is None for state in self.shop.states()):
                break
        for number, state in enumerate(self.shop.states()):
            assert (state.due_at, state.problem) == (None, None)
            assert self.glass[state.label_id].digest.hex() == self._right(number)
        self.clock.pass_s(100_000)
        self.shop.hear(self.gateway.heartbeat())
        assert self.shop.dispatcher.step().looked_at == 0, "nothing is due when all is right"

    def _right(self, number: int) -> str:
        """The picture of the model's own price, not of what the controller holds."""
        face = Face(
            name=f"Jogurt sku-{number}",
            price_minor=self.prices[number],
            currency="EUR",
            locale="hr_HR",
            sku=f"sku-{number}",
            link_may_be_left_out=True,
        )
        return self.shop.renderer.render(face, PANELS[PANEL], the_gallery()["standard"]).digest

    def _beacon(self, label: str) -> MqttMessage:
        glass = self.glass[label]
        seen = self.gateway.seen_event(
            label,
            shown_rev=glass.rev,
            shown_digest=glass.digest,
            incarnation=glass.incarnation,
        )
        return self.gateway.up(seen)

    def _take(self, things: list[T]) -> T:
        """Take any of them, mostly for good, sometimes as a copy of one that comes again."""
        place = self.random.randrange(len(things))
        return things[place] if self.random.random() < 0.15 else things.pop(place)


@pytest.fixture
def shelf(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shelf]:
    database = open_database(tmp_path)
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=LABELS)
    clock = SimulatedClock()
    shop = Controller(database, clock)
    yield Shelf(shop, clock, Random(request.param))
    shop.close()
    database.close()


@pytest.mark.parametrize("shelf", range(8), indirect=True)
def test_whatever_happens_the_books_are_honest_and_the_shelf_comes_right(shelf: Shelf) -> None:
    history: list[str] = []
    try:
        for step in range(1, STEPS + 1):
            history.append(shelf.take_a_step())
            shelf.check_the_books()
            if step % REST_EVERY == 0:
                shelf.come_to_rest()
                history.clear()
    except AssertionError as exc:
        exc.add_note(f"since it was last at rest: {', '.join(history)}")
        raise
