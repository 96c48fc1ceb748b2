from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import event, select, update

from esl.domain.errors import NameDoesNotFit, PriceDoesNotFit, Unavailable, UnknownPanel
from esl.domain.face import Face
from esl.domain.ids import GatewayId, LabelId
from esl.domain.label import LabelState, Lane
from esl.domain.panel import Panel
from esl.intake.product_json import ProductPut
from esl.services import catalogue
from esl.store import labels
from esl.store.database import Database
from esl.store.tables import frames, issued
from esl.store.tables import labels as label_rows
from gateway.batch import PAYLOAD_ROOM_BYTES
from gateway.dispatcher import BATCH_MOST
from gateway.link import COMMANDS_MOST, EXPIRES_AFTER_S, Outgoing, milliseconds
from gateway.pictures import inflate
from gateway.wire.errors import Expired
from gateway.wire.messages import MAX_PAYLOAD_BYTES, Put, Report
from gateway.wire.signing import PublicKeys, open_sealed
from renderer.frame import Frame
from renderer.render import Renderer
from renderer.template.template import Template
from tests.builders import (
    GATEWAY,
    KEY,
    NOON,
    PATIENCE_S,
    STORE,
    Controller,
    FakeGateway,
    PlainRenderer,
    SimulatedClock,
    a_change,
    a_product,
    label_id,
)
from tests.panels import PANELS

OpenShop = Callable[..., Controller]


def counter_of(sent: Outgoing) -> int:
    return open_sealed(sent.payload, PublicKeys.of(KEY))[0].counter


def send(shop: Controller, gateway: FakeGateway) -> list[Put]:
    """Let the dispatcher take one step, and open what it sends."""
    return gateway.obey(shop.dispatcher.step().outgoing)


def settled(label: LabelState) -> bool:
    return label.due_at is None and label.settled_rev == label.wanted_rev and label.problem is None


# ── Record before send ──────────────────────────────────────────────────────────────────────


def test_what_is_about_to_be_sent_is_committed_before_anybody_can_send_it(
    shop: Controller, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Publishing first and noting it afterwards hung 6 of 22 runs: the report overtook the note.
    seen: list[tuple[list[int], int]] = []
    seal = shop.dispatcher._sealer._seal

    def look_then_seal(*arguments: object) -> Outgoing:
        with database.read() as tx:  # another connection: sees only what is committed
            revs = list(tx.execute(select(issued.c.rev)).scalars())
        seen.append((revs, shop.label().sent_rev))
        return seal(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(shop.dispatcher._sealer, "_seal", look_then_seal)
    step = shop.dispatcher.step()
    wanted = shop.label().wanted_rev
    assert len(step.outgoing) == 1
    assert seen == [([wanted], wanted)]


def test_a_report_at_the_very_next_moment_is_believed(
    shop: Controller, gateway: FakeGateway
) -> None:
    step = shop.dispatcher.step()
    with shop.database.read() as tx:
        assert len(tx.execute(select(issued)).all()) == 1
    [put] = gateway.obey(step.outgoing)
    shop.hear(gateway.paint(put))
    assert shop.inbox.dropped == {}
    assert settled(shop.label())
    assert (shop.label().shown_rev, shop.label().shown_digest) == (put.rev, put.digest.hex())


def test_if_it_cannot_be_written_down_nothing_is_sent(
    shop: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr("esl.services.deliveries.record", full)
    with pytest.raises(Unavailable):
        shop.dispatcher.step()
    assert shop.label().sent_rev == 0
    assert shop.roster.room(0) == {GATEWAY: 256}, "and nothing is under way"


# ── What is sent ────────────────────────────────────────────────────────────────────────────


def test_a_due_label_gets_the_picture_of_its_truth(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    renderer = Renderer()
    shop = open_shop(renderer=renderer)
    shop.hear(gateway.hello())
    [put] = send(shop, gateway)
    label = shop.label()
    assert (put.label, put.rev, put.epoch, put.show) == (label_id(0), label.wanted_rev, 1, True)
    panel = PANELS[label.panel_id]
    pixels = inflate(put.data, panel)
    assert put.size == len(pixels)
    assert Frame.of(panel.panel_id, pixels).digest == put.digest.hex() == shop.wanted_digest()
    with shop.database.read() as tx:
        [kept] = tx.execute(select(frames)).all()
    assert (kept.digest, inflate(kept.zlib_pixels, panel)) == (put.digest.hex(), pixels)
    assert put.deadline > milliseconds(NOON)


def test_a_label_waits_for_its_answer_and_is_then_sent_again(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    [first] = send(shop, gateway)
    waits = shop.label().due_at
    assert waits is not None
    assert timedelta(seconds=PATIENCE_S) <= waits - NOON <= timedelta(seconds=PATIENCE_S * 1.5)
    assert send(shop, gateway) == []
    clock.pass_s(PATIENCE_S * 1.5)
    shop.hear(gateway.heartbeat())
    [again] = send(shop, gateway)
    assert (again.rev, again.digest, again.data) == (first.rev, first.digest, first.data)
    assert again.id > first.id
    assert shop.label().attempts == 2
    second_wait = shop.label().due_at
    assert second_wait is not None
    assert second_wait - clock.wall() >= timedelta(seconds=PATIENCE_S)


def test_ten_changes_cost_one_sending(shop: Controller, gateway: FakeGateway) -> None:
    shop.settle(gateway)
    for price in range(200, 210):
        shop.price(a_change(price_minor=price))
    [put] = send(shop, gateway)
    assert send(shop, gateway) == []
    shop.hear(gateway.paint(put))
    assert settled(shop.label())
    assert put.digest.hex() == shop.wanted_digest()


def test_a_change_while_a_picture_is_painted_is_sent_once(
    shop: Controller, gateway: FakeGateway
) -> None:
    [first] = send(shop, gateway)
    shop.price(a_change(price_minor=200))
    [second] = send(shop, gateway)
    assert second.rev > first.rev
    shop.hear(gateway.paint(first))
    assert send(shop, gateway) == [], "the second is under way already"
    shop.hear(gateway.paint(second))
    assert settled(shop.label())


def test_equal_labels_share_one_picture_in_memory_and_in_the_database(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(labels_count=2)
    shop.hear(gateway.hello())
    with shop.database.writing.begin() as tx:
        tx.exec_driver_sql("UPDATE pairing SET sku = 'sku-0'")
    one, two = send(shop, gateway)
    assert one.data == two.data
    with shop.database.read() as tx:
        assert len(tx.execute(select(frames)).all()) == 1


def test_a_label_is_not_sent_to_while_its_gateway_is_away(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop()
    assert shop.dispatcher.step().looked_at == 0
    assert shop.label().attempts == 0
    shop.hear(gateway.hello())
    assert len(send(shop, gateway)) == 1


# ── The digest shortcut ─────────────────────────────────────────────────────────────────────


def test_a_label_with_an_unanswered_frame_is_never_called_settled(
    shop: Controller, gateway: FakeGateway
) -> None:
    # Prices 1, 2, 1: the picture of 2 may still be painted although 1 is on the glass.
    shop.settle(gateway)
    one = shop.label()
    shop.price(a_change(price_minor=200))
    [two] = send(shop, gateway)
    shop.price(a_change(price_minor=129))
    assert shop.wanted_digest() == one.shown_digest
    [back] = send(shop, gateway)
    assert not settled(shop.label())
    assert back.digest.hex() == one.shown_digest
    assert back.rev > two.rev
    shop.hear(gateway.paint(two), gateway.paint(back))
    assert settled(shop.label())
    assert shop.label().shown_digest == one.shown_digest


def test_an_equal_picture_is_spared_without_claiming_that_the_label_spoke(
    shop: Controller, gateway: FakeGateway
) -> None:
    shop.settle(gateway)
    before = shop.label()
    shop.price(a_change(price_minor=200))
    shop.price(a_change(price_minor=129))
    assert shop.label().wanted_rev > before.wanted_rev
    step = shop.dispatcher.step()
    assert (step.looked_at, step.outgoing) == (1, ())
    after = shop.label()
    assert settled(after)
    assert after.settled_rev > before.settled_rev
    assert (after.shown_rev, after.shown_digest) == (before.shown_rev, before.shown_digest)
    assert after.sent_rev == before.sent_rev


def test_a_label_that_lost_its_memory_is_not_spared_the_picture(
    shop: Controller, gateway: FakeGateway
) -> None:
    shop.settle(gateway)
    kept = shop.label()
    gateway.incarnations[kept.label_id] = 2  # and the picture is still on the glass
    shop.hear(gateway.beacon(kept.label_id))
    assert send(shop, gateway) == [], "it says itself that it shows what it should"
    assert settled(shop.label())
    gateway.incarnations[kept.label_id] = 3
    gateway.showing[kept.label_id] = (0, b"")
    shop.hear(gateway.beacon(kept.label_id))
    assert len(send(shop, gateway)) == 1


def test_a_renewed_wish_between_reading_and_writing_stays_due(
    shop: Controller, gateway: FakeGateway
) -> None:
    renderer = shop.renderer
    assert isinstance(renderer, PlainRenderer)
    render = renderer.render

    def change_the_price_meanwhile(*arguments: Any, **named: Any) -> Frame:
        renderer.render = render  # type: ignore[method-assign]
        shop.price(a_change(price_minor=200))
        return render(*arguments, **named)

    renderer.render = change_the_price_meanwhile  # type: ignore[method-assign]
    [old] = send(shop, gateway)
    label = shop.label()
    assert old.rev < label.wanted_rev
    assert label.due_at is not None
    assert label.due_at <= NOON
    [new] = send(shop, gateway)
    assert new.rev == label.wanted_rev
    assert new.digest.hex() == shop.wanted_digest()


@pytest.mark.usefixtures("gateway")
def test_nothing_is_sent_to_a_label_that_came_into_quarantine_while_it_was_drawn(
    shop: Controller,
) -> None:
    batch = shop.dispatcher.begin()
    assert batch is not None
    draft = shop.dispatcher.draw(batch)
    shop.writer.write(lambda tx: tx.execute(update(label_rows).values(quarantine=1)))
    assert shop.dispatcher.finish(draft).outgoing == ()
    assert shop.label().sent_rev == 0


# ── A revision names one picture for ever ───────────────────────────────────────────────────


def test_the_same_revision_drawn_otherwise_gets_a_new_revision(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    [first] = send(shop, gateway)
    assert isinstance(shop.renderer, PlainRenderer)
    shop.renderer.edition = 2  # the software was upgraded: same truth, other pixels
    clock.pass_s(PATIENCE_S * 2)
    shop.hear(gateway.heartbeat())
    [second] = send(shop, gateway)
    assert second.digest != first.digest
    assert second.rev > first.rev
    with shop.database.read() as tx:
        pictures = {row.rev: row.digest for row in tx.execute(select(issued))}
    assert pictures == {first.rev: first.digest.hex(), second.rev: second.digest.hex()}
    shop.hear(gateway.paint(second))
    assert settled(shop.label())


# ── What cannot be drawn ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("failure", "problem", "detail"),
    [
        (PriceDoesNotFit("12345.67 is too wide"), "price_does_not_fit", "12345.67 is too wide"),
        (NameDoesNotFit("x" * 999), "name_does_not_fit", "x" * 300),
        (UnknownPanel("no layout"), "refused", "no layout"),
        (ZeroDivisionError("oops"), "render_error", "the renderer failed (ZeroDivisionError)"),
        (MemoryError(), "render_error", "the renderer failed (MemoryError)"),
    ],
)
def test_a_label_that_cannot_be_drawn_fails_alone(
    open_shop: OpenShop, gateway: FakeGateway, failure: Exception, problem: str, detail: str
) -> None:
    renderer = PlainRenderer()
    shop = open_shop(renderer=renderer, labels_count=3)
    shop.hear(gateway.hello())
    renderer.broken["Jogurt sku-1"] = failure
    puts = send(shop, gateway)
    assert {put.label for put in puts} == {label_id(0), label_id(2)}
    bad = shop.label(1)
    assert (bad.problem, bad.problem_detail, bad.due_at) == (problem, detail, None)
    assert not settled(bad)
    assert bad.sent_rev == 0
    renderer.broken.clear()
    shop.price(a_change("sku-1", 100))
    assert [put.label for put in send(shop, gateway)] == [label_id(1)]


def test_a_product_without_a_price_is_a_problem_until_it_has_one(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(price_minor=None)
    shop.hear(gateway.hello())
    step = shop.dispatcher.step()
    assert (step.outgoing, step.changed) == ((), (label_id(0),))
    assert shop.label().problem == "no_price"
    shop.price(a_change())
    shop.settle(gateway)
    assert settled(shop.label())


def test_a_wish_that_came_while_the_old_one_was_refused_is_not_refused(
    shop: Controller, gateway: FakeGateway
) -> None:
    renderer = shop.renderer
    assert isinstance(renderer, PlainRenderer)
    render = renderer.render

    def refuse_late(*_: object, **__: object) -> Frame:
        renderer.render = render  # type: ignore[method-assign]
        shop.price(a_change(price_minor=200))
        raise PriceDoesNotFit("the old one")

    renderer.render = refuse_late  # type: ignore[method-assign]
    assert send(shop, gateway) == []
    assert shop.label().problem is None
    assert len(send(shop, gateway)) == 1


# ── Batches ─────────────────────────────────────────────────────────────────────────────────


def statements_of_a_step(shop: Controller, gateway: FakeGateway, expected: int) -> int:
    counted: list[str] = []

    def count(_c: object, _cur: object, statement: str, *_: object) -> None:
        counted.append(statement)

    engines = (shop.database.writing, shop.database.reading)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", count)
    step = shop.dispatcher.step()
    for engine in engines:
        event.remove(engine, "before_cursor_execute", count)
    assert len(gateway.obey(step.outgoing)) == expected
    return len(counted)


def test_a_step_costs_the_same_statements_for_ten_labels_and_for_five_hundred(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(labels_count=500, window=1000)
    with shop.database.writing.begin() as tx:
        tx.exec_driver_sql("UPDATE label SET due_at = NULL WHERE label_id >= 'label-0010'")
    shop.hear(gateway.hello(capacity=1000))
    few = statements_of_a_step(shop, gateway, 10)
    with shop.database.writing.begin() as tx:
        every = [label_id(n) for n in range(500)]
        labels.want(tx, every, 10_000, NOON, lane=Lane.NORMAL)
    assert statements_of_a_step(shop, gateway, 500) == few
    assert few <= 20


def test_a_step_looks_at_no_more_than_its_batch(open_shop: OpenShop, gateway: FakeGateway) -> None:
    shop = open_shop(labels_count=BATCH_MOST + 3, window=2 * BATCH_MOST)
    shop.hear(gateway.hello(capacity=2 * BATCH_MOST))
    assert len(send(shop, gateway)) == BATCH_MOST
    assert len(send(shop, gateway)) == 3


def test_labels_under_way_never_exceed_window_and_capacity(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(labels_count=20, window=7)
    shop.hear(gateway.hello(capacity=5))
    puts = send(shop, gateway)
    assert len(puts) == 5
    assert send(shop, gateway) == []
    shop.hear(gateway.paint(puts[0]), gateway.fail(puts[1], "label_timeout"))
    assert len(send(shop, gateway)) == 2
    shop.hear(gateway.heartbeat(capacity=100))
    assert len(send(shop, gateway)) == 2


def test_an_idle_gateway_does_not_hold_the_others_up(
    open_shop: OpenShop, clock: SimulatedClock
) -> None:
    names = [GatewayId(f"gw-{n}") for n in range(6)]
    shop = open_shop(labels_count=6, gateways=names, window=BATCH_MOST)
    gateways = [FakeGateway(name, clock) for name in names]
    shop.hear(*(g.hello(capacity=BATCH_MOST) for g in gateways))
    step = shop.dispatcher.step()
    assert sorted(sent.gateway_id for sent in step.outgoing) == names
    for sent, gateway in zip(sorted(step.outgoing, key=_gateway_of), gateways, strict=True):
        for put in gateway.obey([sent]):
            shop.hear(gateway.paint(put))
    for number in range(6):
        shop.price(a_change(f"sku-{number}", 777))
        assert len(shop.dispatcher.step().outgoing) == 1, "in the very next step"


def _gateway_of(sent: Outgoing) -> str:
    return sent.gateway_id


def test_payloads_stay_within_what_was_agreed_and_in_order(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    class Noisy(PlainRenderer):
        """Pictures that no compression makes smaller."""

        def render(self, face: Face, panel: Panel, _template: Template, **_: object) -> Frame:
            return Frame.of(panel.panel_id, Random(face.name).randbytes(panel.frame_bytes))

    shop = open_shop(labels_count=30, panel_id="bwry-400x300", renderer=Noisy())
    shop.hear(gateway.hello())
    step = shop.dispatcher.step()
    assert len(step.outgoing) == 30, "two of 30 kB exceed the room for pictures"
    assert 2 * PANELS["bwry-400x300"].frame_bytes > PAYLOAD_ROOM_BYTES  # type: ignore[index]
    assert all(len(sent.payload) <= MAX_PAYLOAD_BYTES for sent in step.outgoing)
    counters = [counter_of(sent) for sent in step.outgoing]
    assert counters == sorted(set(counters))
    assert len(gateway.obey(step.outgoing)) == 30
    assert all(len(sent.label_ids) == 1 for sent in step.outgoing)


def test_small_pictures_share_a_payload_up_to_its_limits(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(labels_count=400, window=1000)
    shop.hear(gateway.hello(capacity=1000))
    step = shop.dispatcher.step()
    assert 1 < len(step.outgoing) < 10
    assert all(len(sent.payload) <= MAX_PAYLOAD_BYTES for sent in step.outgoing)
    assert all(len(sent.label_ids) <= COMMANDS_MOST for sent in step.outgoing)
    assert len(gateway.obey(step.outgoing)) == 400


# ── Command ids, counters and clocks ────────────────────────────────────────────────────────


def test_command_ids_and_counters_only_rise_even_across_a_restart(
    open_shop: OpenShop, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    shop = open_shop(labels_count=3)
    ids: list[int] = []
    counters: list[int] = []
    controller = shop
    for run in range(3):
        controller.hear(gateway.hello())
        for price in (300, 400):
            step = controller.dispatcher.step()
            counters += [counter_of(sent) for sent in step.outgoing]
            ids += [put.id for put in gateway.obey(step.outgoing)]
            asked = controller.dispatcher.ask_reports([GATEWAY])
            counters += [counter_of(sent) for sent in asked]
            ids += [c.id for c in gateway.commands(asked)]
            controller.price(*(a_change(f"sku-{n}", price + run) for n in range(3)))
        if controller is not shop:
            controller.close()
        controller = Controller(shop.database, clock)
    controller.close()
    assert len(ids) == 3 * 2 * 4
    assert ids == sorted(set(ids))
    assert counters == sorted(set(counters))


@pytest.mark.parametrize("ahead_ms", [0, 86_400_000, -86_400_000])
def test_a_payload_expires_by_the_gateways_clock(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock, ahead_ms: int
) -> None:
    gateway.clock_ahead_ms = ahead_ms
    shop.hear(gateway.heartbeat())
    step = shop.dispatcher.step()
    [sent] = step.outgoing
    header, _ = open_sealed(sent.payload, PublicKeys.of(KEY))
    assert header.expires == milliseconds(NOON) + ahead_ms + EXPIRES_AFTER_S * 1000
    clock.pass_s(EXPIRES_AFTER_S - 1)
    [put] = gateway.obey([sent])
    assert put.deadline > gateway.now_ms
    other = FakeGateway(GATEWAY, clock, clock_ahead_ms=ahead_ms)
    clock.pass_s(1)
    with pytest.raises(Expired):
        other.obey([sent])


def test_reports_are_asked_of_gateways_on_the_line(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(gateways=(GATEWAY, GatewayId("gw-2")))
    assert shop.dispatcher.ask_reports([GATEWAY]) == ()
    shop.hear(gateway.hello())
    asked = shop.dispatcher.ask_reports([GATEWAY, GatewayId("gw-2"), GatewayId("nowhere")])
    [command] = gateway.commands(asked)
    assert isinstance(command, Report)
    assert command.labels == []


# ── Urgency ─────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_shelf_goes_before_new_prices(open_shop: OpenShop, gateway: FakeGateway) -> None:
    shop = open_shop(labels_count=3)
    shop.hear(gateway.hello())
    shop.settle(gateway)
    shop.price(*(a_change(f"sku-{n}", 500) for n in range(2)))
    gateway.incarnations[label_id(2)] = 2
    gateway.showing[label_id(2)] = (0, b"")
    shop.hear(gateway.heartbeat(capacity=1), gateway.beacon(label_id(2)))
    assert [put.label for put in send(shop, gateway)] == [label_id(2)]


def test_every_sending_speaks_of_labels_of_its_gateway_only(
    open_shop: OpenShop, clock: SimulatedClock
) -> None:
    names = (GatewayId("gw-1"), GatewayId("gw-2"))
    shop = open_shop(labels_count=6, gateways=names)
    gateways = [FakeGateway(name, clock) for name in names]
    shop.hear(*(g.hello() for g in gateways))
    outgoing: Sequence[Outgoing] = shop.dispatcher.step().outgoing
    told: dict[str, set[LabelId]] = {sent.gateway_id: set(sent.label_ids) for sent in outgoing}
    assert told == {
        "gw-1": {label_id(n) for n in (0, 2, 4)},
        "gw-2": {label_id(n) for n in (1, 3, 5)},
    }
    assert {put.label for put in gateways[0].obey(outgoing)} == told["gw-1"]


def test_a_product_that_is_renamed_is_sent_and_a_converged_shop_sends_nothing(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    shop.settle(gateway)
    renamed = ProductPut(product=a_product(name="Kefir"), price=None)
    shop.writer.write(
        lambda tx: catalogue.put_products(tx, STORE, [renamed], clock.wall(), actor="tests")
    )
    [put] = send(shop, gateway)
    shop.hear(gateway.paint(put))
    for _ in range(5):
        clock.pass_s(3600)
        shop.hear(gateway.heartbeat(), gateway.beacon(label_id(0)))
        assert shop.dispatcher.step().looked_at == 0
