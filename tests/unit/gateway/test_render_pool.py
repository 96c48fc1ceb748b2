"""Real processes that draw, die and hang; what comes back is as if this one had drawn it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from zlib import crc32

import pytest

from esl.domain.face import Face
from esl.domain.ids import Digest
from esl.domain.panel import Panel
from esl.services import deliveries
from esl.services.deliveries import DueLabel
from esl.services.neutral import NeutralBook
from gateway import render_pool
from gateway.bases import Base
from gateway.easel import Drawn, Easel, Refused
from gateway.painter import Painter
from gateway.render_pool import RenderPool, count_workers
from renderer.frame import Frame
from renderer.render import Renderer
from renderer.template.template import Template
from tests.builders import PANEL, Controller, FakeGateway, PlainRenderer, the_gallery
from tests.panels import PANELS

OpenShop = Callable[..., Controller]
LABELS = 40


class Touchy(PlainRenderer):
    """Ends or stops the process at one name each."""

    def render(self, face: Face, panel: Panel, template: Template, **named: object) -> Frame:
        if face.name == "Jogurt sku-3":
            os._exit(9)
        while face.name == "Jogurt sku-5":
            pass
        return super().render(face, panel, template, **named)


def an_easel(kind: type[PlainRenderer | Renderer]) -> Easel:
    painter = Painter(renderer=kind(), panels=PANELS, gallery=the_gallery())  # type: ignore[arg-type]
    return Easel(painter=painter, panels=PANELS)


@pytest.fixture
def open_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., RenderPool]]:
    monkeypatch.setattr(render_pool, "PAYS_FROM", 10)
    opened: list[RenderPool] = []

    def build(kind: type[PlainRenderer | Renderer], *, workers: int = 1) -> RenderPool:
        here = an_easel(Renderer if kind is Renderer else PlainRenderer)
        pool = RenderPool(here, partial(an_easel, kind), workers=workers, patience_s=3.0)
        opened.append(pool)
        pool.start()
        for worker in pool._workers:
            assert worker._wait_ready(render_pool.START_S)
        return pool

    yield build
    for pool in opened:
        pool.close()


def load(shop: Controller) -> list[DueLabel]:
    with shop.database.read() as tx:
        return deliveries.load(tx, [state.label_id for state in shop.states()])


def fields_of(outcome: object) -> dict[str, object]:
    assert isinstance(outcome, Drawn)
    return {name: getattr(outcome, name) for name in Drawn.__slots__}


def test_a_pool_draws_what_one_process_draws(
    open_shop: OpenShop, open_pool: Callable[..., RenderPool]
) -> None:
    due = load(open_shop(labels_count=LABELS))
    expected = an_easel(Renderer).draw(due, {}, NeutralBook())
    drawn = open_pool(Renderer, workers=2).draw(due, {}, NeutralBook())
    for mine, theirs in zip(expected, drawn, strict=True):
        assert fields_of(mine) == fields_of(theirs)
    assert len({fields_of(x)["digest"] for x in drawn}) == LABELS


@pytest.mark.parametrize("frozen_before", [True, False])
def test_a_worker_that_reads_no_more_holds_nobody_up(
    open_shop: OpenShop, open_pool: Callable[..., RenderPool], *, frozen_before: bool
) -> None:
    """Its pipe is full long before so much is written; frozen later, it answers no more."""
    due = load(open_shop(labels_count=LABELS))
    pool = open_pool(PlainRenderer)
    [worker] = pool._workers
    pid = worker._process.pid
    assert pid is not None
    large = Base(PANEL, os.urandom(4_000_000), 0)
    shown = Digest("f" * 64)
    began_s = time.monotonic()
    if frozen_before:
        os.kill(pid, signal.SIGSTOP)
        assert not worker.begin((due, {shown: large}, NeutralBook(), {}))
    else:
        assert worker.begin((due, {shown: large}, NeutralBook(), {}))
        os.kill(pid, signal.SIGSTOP)
        worker.finish()  # it may have answered before it froze
    assert time.monotonic() - began_s < 3 * 3.0, "a write that took a part waits once more"
    if frozen_before:
        assert worker._process.pid != pid, "it was not replaced"
        drawn = pool.draw(due, {}, NeutralBook())
        assert all(isinstance(outcome, Drawn) for outcome in drawn)


class Unasked:
    """A worker that nothing may be given to."""

    def is_ready(self) -> bool:
        return True

    def begin(self, _task: object) -> bool:
        raise AssertionError("nothing is to go away")

    def end(self) -> None:
        pass


@pytest.mark.parametrize("many", [True, False])
def test_what_hangs_already_or_is_little_is_drawn_here(
    open_shop: OpenShop, open_pool: Callable[..., RenderPool], gateway: FakeGateway, *, many: bool
) -> None:
    pool = open_pool(PlainRenderer, workers=0)
    pool._workers = [Unasked()]  # type: ignore[list-item]
    shop = open_shop(labels_count=LABELS if many else 9)
    if many:
        shop.hear(gateway.hello())
        shop.settle(gateway)
    due = load(shop)
    assert all(label.shown_digest for label in due) == many
    nothing = Base(PANEL, bytes(PANELS[PANEL].frame_bytes), 0)
    bases = {label.shown_digest: nothing for label in due}
    if many:
        with pytest.raises(AssertionError, match="nothing is to go away"):
            pool.draw(due, bases, NeutralBook())
        bases = {digest: replace(base, mark=b"mark") for digest, base in bases.items()}
        pool._here = an_easel(Renderer)
    assert len(pool.draw(due, bases, NeutralBook())) == len(due)


def test_a_label_that_breaks_its_worker_fails_alone_and_the_pool_goes_on(
    open_shop: OpenShop, open_pool: Callable[..., RenderPool]
) -> None:
    pool = open_pool(Touchy)
    [before] = [worker._process.pid for worker in pool._workers]
    due = [x for x in load(open_shop(labels_count=LABELS)) if goes_away(x) or not breaks(x)]
    outcomes = pool.draw(due, {}, NeutralBook())
    failed = [x.label_id for x, o in zip(due, outcomes, strict=True) if isinstance(o, Refused)]
    assert failed == [x.label_id for x in due if breaks(x)]
    assert failed, "one of the two goes to the worker"
    assert sum(isinstance(outcome, Drawn) for outcome in outcomes) == len(due) - len(failed)
    assert [worker._process.pid for worker in pool._workers] != [before]
    good = [label for label in due if not breaks(label)]
    assert all(isinstance(x, Drawn) for x in pool.draw(good, {}, NeutralBook()))


def breaks(label: DueLabel) -> bool:
    return label.label_id in ("label-0003", "label-0005")


def goes_away(label: DueLabel) -> bool:
    return crc32(label.label_id.encode()) % 2 == 1


def test_how_many_workers_there_are() -> None:
    assert count_workers(0) == 0
    assert count_workers(7) == 7
    assert 0 <= count_workers("auto") < len(os.sched_getaffinity(0))
