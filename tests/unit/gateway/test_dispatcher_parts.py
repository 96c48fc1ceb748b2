"""A step in its three parts: what holds between them, and what they are measured by."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import event

from esl.domain.face import Face
from esl.domain.panel import Panel
from esl.domain.stages import Stage
from esl.store.database import Database
from renderer.frame import Frame
from renderer.template.template import Template
from tests.builders import (
    PATIENCE_S,
    Controller,
    FakeGateway,
    PlainRenderer,
    SimulatedClock,
    a_change,
    build_shelf,
)

OpenShop = Callable[..., Controller]


class CountedStages:
    """Adds up what is measured; every look at the clock finds a millisecond more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked: Counter[int] = Counter()
        self.cpu: Counter[Stage] = Counter()
        self.labels: Counter[Stage] = Counter()

    def cpu_ns(self) -> int:
        thread = threading.get_ident()
        with self._lock:
            self._looked[thread] += 1_000_000
            return self._looked[thread]

    def add(self, stage: Stage, cpu_ns: int, labels: int) -> None:
        with self._lock:
            self.cpu[stage] += cpu_ns
            self.labels[stage] += labels


@contextmanager
def counted_writes(database: Database) -> Iterator[list[str]]:
    begun: list[str] = []

    def note(*_: object) -> None:
        begun.append("BEGIN")

    event.listen(database.writing, "begin", note)
    yield begun
    event.remove(database.writing, "begin", note)


def test_a_process_that_dies_after_the_claim_costs_patience_and_no_more(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    batch = shop.dispatcher.begin()
    assert batch is not None
    assert shop.dispatcher.begin() is None, "it is claimed"
    shop.dispatcher.draw(batch)  # and here it dies
    assert shop.label().sent_rev == 0
    clock.pass_s(PATIENCE_S)
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    shop.hear(gateway.paint(put))
    assert shop.label().due_at is None


def test_the_next_batch_is_claimed_with_the_record_of_the_last(
    open_shop: OpenShop, gateway: FakeGateway, database: Database
) -> None:
    shop = open_shop(labels_count=5, window=4)
    shop.hear(gateway.hello(capacity=2))
    first = shop.dispatcher.begin()
    assert first is not None
    assert len(first.due) == 2
    shop.hear(gateway.heartbeat(capacity=500))
    draft = shop.dispatcher.draw(first)
    with counted_writes(database) as begun:
        step = shop.dispatcher.finish(draft, claim_next=True)
    assert begun == ["BEGIN"]
    assert len(step.claimed) == 2, "what leaves now fills half of the window"
    second = shop.dispatcher.begin(step.claimed)
    assert second is not None
    assert {label.label_id for label in second.due} == set(step.claimed)
    last = shop.dispatcher.finish(shop.dispatcher.draw(second), claim_next=True)
    assert last.claimed == ()
    sent = [put.label for put in gateway.obey([*step.outgoing, *last.outgoing])]
    assert len(set(sent)) == len(sent) == 4


def test_a_shop_at_rest_writes_nothing(
    shop: Controller, gateway: FakeGateway, database: Database
) -> None:
    shop.settle(gateway)
    with counted_writes(database) as begun:
        assert shop.dispatcher.step().looked_at == 0
    assert begun == []


def test_every_stage_is_measured_with_the_labels_that_passed_it(
    database: Database, clock: SimulatedClock, gateway: FakeGateway
) -> None:
    stages = CountedStages()
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=3)
    shop = Controller(database, clock, stages=stages)
    shop.hear(gateway.hello())
    shop.price(a_change(price_minor=777))
    shop.settle(gateway)
    shop.close()
    assert stages.cpu.keys() == set(Stage)
    assert all(stages.cpu.values())
    way = (Stage.CLAIM, Stage.LOAD, Stage.RENDER, Stage.PICTURE, Stage.RECORD, Stage.PUBLISH)
    assert {stage: stages.labels[stage] for stage in way} == dict.fromkeys(way, 3)
    assert stages.labels[Stage.INBOX] == 3
    assert stages.labels[Stage.INTAKE] == 1


def test_warming_up_draws_a_little_and_changes_nothing(
    open_shop: OpenShop, gateway: FakeGateway, database: Database
) -> None:
    shop = open_shop(labels_count=9)
    drawn: list[str] = []
    renderer = shop.renderer
    assert isinstance(renderer, PlainRenderer)
    render = renderer.render

    def note(face: Face, panel: Panel, template: Template, **named: object) -> Frame:
        drawn.append(face.name)
        return render(face, panel, template, **named)

    renderer.render = note  # type: ignore[method-assign]
    with counted_writes(database) as begun:
        shop.dispatcher.warm_up()
    assert begun == []
    assert drawn == ["Jogurt sku-0", "Jogurt sku-8"]
    shop.hear(gateway.hello())
    assert len(gateway.obey(shop.dispatcher.step().outgoing)) == 9


def test_a_shop_without_labels_warms_up_for_nothing(open_shop: OpenShop) -> None:
    open_shop(labels_count=0).dispatcher.warm_up()
