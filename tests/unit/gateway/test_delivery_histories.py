"""Random histories of one shelf, against a small model that cannot be wrong in the same way.

The real services, dispatcher and inbox on real SQLite; a network that loses, repeats and
reorders; labels that refuse older revisions, lose their memory and beacon. After every step:

* what a label is held to show never goes back while the label remembers;
* it was issued to that label, under that revision;
* a label that is called settled shows its product's price, in the books *and* on the glass.

And in the end, when the network behaves again, everything comes to rest and is right.
"""

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from esl.domain.face import Face
from esl.domain.label import LabelState
from esl.domain.panel import PANELS
from esl.store.tables import issued
from gateway.mqtt import MqttMessage
from gateway.wire.errors import WrongSession
from gateway.wire.messages import Put
from tests.builders import (
    GATEWAY,
    PANEL,
    Controller,
    FakeGateway,
    PlainRenderer,
    SimulatedClock,
    a_change,
    build_shelf,
    label_id,
    open_database,
)

LABELS = 2


@dataclass(slots=True)
class Glass:
    """A label: what it shows, the highest revision it remembers, and how often it forgot."""

    rev: int = 0
    digest: bytes = b""
    incarnation: int = 1


class Shelf(RuleBasedStateMachine):
    """One gateway, two labels, one controller, and everything that may go wrong between them."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="esl-history-"))
        self.clock = SimulatedClock()
        self.database = open_database(self.folder)
        with self.database.writing.begin() as tx:
            build_shelf(tx, labels_count=LABELS)
        self.shop = Controller(self.database, self.clock)
        self.gateway = FakeGateway(GATEWAY, self.clock)
        self.sessions = 1
        self.glass = {label_id(n): Glass() for n in range(LABELS)}
        self.prices = dict.fromkeys(range(LABELS), 129)
        self.air: list[Put] = []
        self.reports: list[MqttMessage] = []
        self.before: dict[str, LabelState] = {}
        self.shop.hear(self.gateway.hello())

    def teardown(self) -> None:
        if hasattr(self, "shop"):
            try:
                self.come_to_rest()
            finally:
                self.shop.close()
                self.database.close()
                shutil.rmtree(self.folder)

    # -- the shop ----------------------------------------------------------------------------

    @rule(number=st.integers(0, LABELS - 1), price=st.integers(1, 3))
    def change_a_price(self, number: int, price: int) -> None:
        self.shop.price(a_change(f"sku-{number}", price))
        self.prices[number] = price

    @rule()
    def dispatch(self) -> None:
        for sent in self.shop.dispatcher.step().outgoing:
            # A late word of an old session may have brought it back until the next heartbeat.
            with contextlib.suppress(WrongSession):
                self.air += self.gateway.obey([sent])

    @rule(seconds=st.sampled_from([1, 61, 200, 1000]))
    def wait(self, seconds: int) -> None:
        self.clock.pass_s(seconds)
        self.shop.hear(self.gateway.heartbeat())

    @rule()
    def draw_otherwise(self) -> None:
        """The software is upgraded: equal faces give other pixels from now on."""
        renderer = self.shop.renderer
        assert isinstance(renderer, PlainRenderer)
        renderer.edition += 1
        for number, price in self.prices.items():  # as an upgrade would: look at every label
            self.shop.price(a_change(f"sku-{number}", price + 100))
            self.prices[number] = price + 100

    # -- the network and the labels ----------------------------------------------------------

    @precondition(lambda self: self.air)
    @rule(data=st.data(), twice=st.booleans())
    def deliver_a_picture(self, data: st.DataObject, *, twice: bool) -> None:
        put = self._take(self.air, data, keep=twice)
        glass = self.glass[put.label]  # type: ignore[index]
        if put.rev > glass.rev:
            glass.rev, glass.digest = put.rev, put.digest
        if (put.rev, put.digest) == (glass.rev, glass.digest):
            self.reports.append(
                self.gateway.up(self.gateway.shown_event(put, incarnation=glass.incarnation))
            )
        else:
            self.reports.append(self.gateway.fail(put, "superseded"))

    @precondition(lambda self: self.air)
    @rule(data=st.data(), code=st.sampled_from(["label_timeout", "bad_digest", "unsupported"]))
    def fail_a_picture(self, data: st.DataObject, code: str) -> None:
        self.reports.append(self.gateway.fail(self._take(self.air, data), code))

    @precondition(lambda self: self.air)
    @rule(data=st.data())
    def lose_a_picture(self, data: st.DataObject) -> None:
        self._take(self.air, data)

    @precondition(lambda self: self.reports)
    @rule(data=st.data(), twice=st.booleans())
    def deliver_a_report(self, data: st.DataObject, *, twice: bool) -> None:
        self.shop.hear(self._take(self.reports, data, keep=twice))

    @precondition(lambda self: self.reports)
    @rule(data=st.data())
    def lose_a_report(self, data: st.DataObject) -> None:
        self._take(self.reports, data)

    @rule(number=st.integers(0, LABELS - 1))
    def beacon(self, number: int) -> None:
        self.reports.append(self._beacon(label_id(number)))

    @rule(number=st.integers(0, LABELS - 1))
    def lose_memory(self, number: int) -> None:
        glass = self.glass[label_id(number)]
        self.glass[label_id(number)] = Glass(incarnation=glass.incarnation + 1)

    @rule()
    def restart_the_gateway(self) -> None:
        self.sessions += 1
        self.gateway.begin_session(f"boot-{self.sessions}")
        self.shop.hear(self.gateway.hello())

    # -- what must hold ----------------------------------------------------------------------

    @invariant()
    def the_books_are_honest(self) -> None:
        if not hasattr(self, "shop"):
            return
        with self.database.read() as tx:
            told = {(row.label_id, row.rev): row.digest for row in tx.execute(select(issued))}
        for number, state in enumerate(self.shop.states()):
            before = self.before.get(state.label_id)
            if before is not None and before.incarnation == state.incarnation:
                assert state.shown_rev >= before.shown_rev
            if before is not None:
                assert state.incarnation >= before.incarnation
                assert state.wanted_rev >= before.wanted_rev
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
        """The network behaves from now on: everything arrives once, and labels beacon."""
        self.restart_the_gateway()
        for _ in range(12):
            self.clock.pass_s(1000)
            self.shop.hear(self.gateway.heartbeat())
            self.dispatch()
            for put in self.air:
                glass = self.glass[put.label]  # type: ignore[index]
                if put.rev > glass.rev:
                    glass.rev, glass.digest = put.rev, put.digest
            self.air.clear()
            self.reports += [self._beacon(name) for name in self.glass]
            self.shop.hear(*self.reports)
            self.reports.clear()
            self.the_books_are_honest()
            if all(state.due_at is None for state in self.shop.states()):
                break
        for number, state in enumerate(self.shop.states()):
            assert (state.due_at, state.problem) == (None, None)
            assert self.glass[state.label_id].digest.hex() == self._right(number)
        self.clock.pass_s(100_000)
        self.shop.hear(self.gateway.heartbeat())
        assert self.shop.dispatcher.step().looked_at == 0, "nothing is due when all is right"

    # -- within ------------------------------------------------------------------------------

    def _right(self, number: int) -> str:
        """The picture of the model's own price, not of what the controller holds."""
        face = _face_of(number, self.prices[number])
        return self.shop.renderer.render(face, PANELS[PANEL]).digest

    def _beacon(self, name: str) -> MqttMessage:
        glass = self.glass[name]  # type: ignore[index]
        return self.gateway.up(
            self.gateway.seen_event(
                name,
                shown_rev=glass.rev,
                shown_digest=glass.digest,
                incarnation=glass.incarnation,
            )
        )

    def _take(self, things: list[Any], data: st.DataObject, *, keep: bool = False) -> Any:
        place = data.draw(st.integers(0, len(things) - 1), label="which")
        return things[place] if keep else things.pop(place)


def _face_of(number: int, price_minor: int) -> Face:
    return Face(
        name=f"Jogurt sku-{number}", price_minor=price_minor, currency="EUR", locale="hr_HR"
    )


TestTheBooksAreHonestAndTheShelfComesRight = Shelf.TestCase
TestTheBooksAreHonestAndTheShelfComesRight.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None
)
