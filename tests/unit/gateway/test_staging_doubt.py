"""Staged prices that are doubted, come early, or get stuck: the truth wins, and nobody waits."""

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select, update

from esl.domain.errors import Conflict, InvalidInput
from esl.domain.guards import Guards, Limits
from esl.domain.ids import GatewayId
from esl.domain.label import Lane, SlotState
from esl.domain.problem import ProblemKind
from esl.domain.quarantine import QuarantineState
from esl.domain.staged import FlipState
from esl.services import catalogue, flips, guarding, quarantine, withdrawals
from esl.services.pricing import apply_price_changes
from esl.services.staging import GIVE_UP_AFTER
from esl.store import labels as label_rows
from esl.store import quarantine as held_rows
from esl.store.problems import list_problems
from esl.store.tables import flips as flip_table
from esl.store.tables import labels, staged
from gateway import staging as dispatching
from gateway.mqtt import MqttMessage
from gateway.wire.messages import Cancel, Failed, Put, Show
from tests.builders import (
    GATEWAY,
    NOON,
    STORE,
    Controller,
    SimulatedClock,
    a_change,
    a_store,
    build_shelf,
    label_id,
    open_database,
)
from tests.panels import PANELS
from tests.unit.gateway.staged_gateway import StagedGateway, on_the_line

IN_AN_HOUR = 3600.0
OTHER = GatewayId("gw-2")


@pytest.fixture
def shop(open_shop: Callable[..., Controller]) -> Controller:
    return open_shop(labels_count=2)


@pytest.fixture
def gateway(shop: Controller, clock: SimulatedClock) -> StagedGateway:
    return on_the_line(shop, clock)


def plan(shop: Controller, prices: dict[str, str], after_s: float = IN_AN_HOUR) -> int:
    said = json.dumps([{"sku": sku, "price": price} for sku, price in prices.items()])
    changes = [a_change(sku, int(price.replace(".", ""))) for sku, price in prices.items()]
    now = shop.time.now()
    at = now + timedelta(seconds=after_s)
    planned = shop.writer.write(
        lambda tx: flips.plan_flip(tx, STORE, at, changes, said, now, actor="t", panels=PANELS)
    )
    return planned.flip_id


def guard(shop: Controller, limits: Limits) -> None:
    guards = Guards(limits=limits)
    shop.writer.write(
        lambda tx: guarding.put_guards(tx, STORE, guards, NOON, actor="boss", reason="on")
    )


def beat(shop: Controller, gateway: StagedGateway, clock: SimulatedClock, seconds: float) -> None:
    until = clock.seconds + seconds
    while clock.seconds < until:
        clock.pass_s(min(30.0, until - clock.seconds))
        shop.hear(gateway.heartbeat(level="staged"))


def shows_truth(shop: Controller, gateway: StagedGateway, number: int = 0) -> bool:
    return gateway.showing[label_id(number)][1].hex() == shop.wanted_digest(number)


def states(shop: Controller) -> dict[str, SlotState]:
    with shop.database.read() as tx:
        found = tx.execute(select(staged.c.label_id, staged.c.state))
        return {label: SlotState(state) for label, state in found}


def told_of_flips(shop: Controller) -> list[str]:
    shop.upkeep.step()
    with shop.database.read() as tx:
        found = list_problems(tx, STORE)
    return [p.reason for p in found if p.kind == ProblemKind.FLIP_FAILED]


def test_a_price_that_the_limits_doubt_is_refused_when_it_is_planned(
    shop: Controller, gateway: StagedGateway
) -> None:
    guard(shop, Limits())
    with pytest.raises(InvalidInput) as refused:
        plan(shop, {"sku-0": "0.05"})
    [problem] = refused.value.problems
    assert problem.path.endswith("/price")
    assert "falls" in problem.detail
    assert "approve" in (problem.fix or "")
    off = Guards(on=False)
    shop.writer.write(
        lambda tx: guarding.put_guards(tx, STORE, off, NOON, actor="boss", reason="sale")
    )
    assert plan(shop, {"sku-0": "0.05"}) > 0
    assert gateway.showing


def test_an_armed_price_that_is_doubted_at_its_moment_does_not_stay_on_the_glass(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    flip_id = plan(shop, {"sku-0": "0.99", "sku-1": "1.19"})
    gateway.run(shop)
    guard(shop, Limits(fall_percent=10))
    beat(shop, gateway, clock, IN_AN_HOUR + 1)
    assert gateway.show_what_is_due(shop) == [label_id(0), label_id(1)]
    gateway.run(shop)
    assert [shows_truth(shop, gateway, n) for n in (0, 1)] == [True, True]
    assert all(s.settled_rev >= s.wanted_rev for s in shop.states())
    with shop.database.read() as tx:
        flip = flips.standing_of(tx, STORE, flip_id).flip
    assert flip.state is FlipState.BEGUN
    assert "1 of 2 prices" in flip.detail
    [told] = told_of_flips(shop)
    assert "sku-0" in told
    beat(shop, gateway, clock, 300)
    shop.writer.write(
        lambda tx: apply_price_changes(
            tx, STORE, [a_change("sku-0", 99)], shop.time.now(), actor="b", is_approved=True
        )
    )
    assert told_of_flips(shop) == []


def test_a_flip_whose_doubted_price_a_person_rejects_is_a_problem_no_more(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    plan(shop, {"sku-0": "0.99", "sku-1": "1.19"})
    gateway.run(shop)
    guard(shop, Limits(fall_percent=10))
    beat(shop, gateway, clock, IN_AN_HOUR + 1)
    gateway.run(shop)
    with shop.database.read() as tx:
        held = held_rows.list_held(tx, STORE, state=QuarantineState.OPEN, after=0, limit=9)
    assert [one.sku for one in held] == ["sku-0"]
    assert len(told_of_flips(shop)) == 1
    beat(shop, gateway, clock, 300)
    numbers = [one.quarantine_id for one in held]
    shop.writer.write(
        lambda tx: quarantine.reject(tx, STORE, numbers, shop.time.now(), by="somebody else")
    )
    assert told_of_flips(shop) == []


def test_a_doubted_price_is_cancelled_below_its_gateway_too(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    plan(shop, {"sku-0": "0.99"})
    gateway.run(shop)
    guard(shop, Limits(fall_percent=10))
    beat(shop, gateway, clock, IN_AN_HOUR + 1)
    said = gateway.run(shop)  # the controller is faster than the gateway
    assert any(isinstance(command, Cancel) for command in said)
    assert gateway.show_what_is_due(shop) == []
    assert shows_truth(shop, gateway)


def test_a_picture_shown_long_before_its_moment_is_corrected_and_not_armed_again(
    shop: Controller, gateway: StagedGateway
) -> None:
    plan(shop, {"sku-0": "1.49"}, after_s=86400)
    gateway.run(shop)
    gateway.clock_ahead_ms = 86_401_000
    assert gateway.show_what_is_due(shop) == [label_id(0)]
    gateway.clock_ahead_ms = 0
    assert shop.label(0).lane is Lane.CORRECTION
    assert shop.label(0).settled_rev < shop.label(0).wanted_rev
    gateway.run(shop)
    assert shows_truth(shop, gateway)
    assert shop.label(0).settled_rev == shop.label(0).wanted_rev
    assert states(shop) == {}


def test_a_picture_shown_long_before_its_moment_is_corrected_though_only_a_beacon_tells(
    shop: Controller, gateway: StagedGateway
) -> None:
    plan(shop, {"sku-0": "1.49"}, after_s=86400)
    gateway.run(shop)
    _, entry = gateway.armed.pop(label_id(0))
    gateway.showing[label_id(0)] = (entry.rev, entry.digest)
    shop.hear(gateway.beacon_with_slots(label_id(0)))
    assert shop.label(0).shown_rev == entry.rev
    assert shop.label(0).settled_rev < shop.label(0).wanted_rev
    gateway.run(shop)
    assert shows_truth(shop, gateway)
    assert states(shop) == {}


def test_a_gateway_whose_clock_is_off_arms_nothing_and_its_armed_shows_are_cancelled(
    shop: Controller, gateway: StagedGateway
) -> None:
    plan(shop, {"sku-0": "1.49"})
    gateway.run(shop)
    assert gateway.armed
    gateway.clock_ahead_ms = 3000
    shop.hear(gateway.heartbeat(level="staged"))
    shop.staging.step()  # marks it
    assert [type(command) for command in gateway.run(shop)] == [Cancel]
    assert not gateway.armed
    plan(shop, {"sku-1": "1.49"})
    assert gateway.run(shop) == []


def test_a_flip_that_cannot_be_read_any_more_leaves_the_others_alone(
    shop: Controller, gateway: StagedGateway
) -> None:
    broken = plan(shop, {"sku-0": "1.49"})
    plan(shop, {"sku-1": "1.49"})
    wrong = '[{"sku": "sku-0", "price": "1.499"}]'
    shop.writer.write(
        lambda tx: tx.execute(
            update(flip_table).where(flip_table.c.flip_id == broken).values(changes=wrong)
        )
    )
    gateway.run(shop)
    assert states(shop) == {label_id(0): SlotState.PLANNED, label_id(1): SlotState.ARMED}


def test_a_currency_stays_while_a_flip_is_planned_in_it(
    shop: Controller, gateway: StagedGateway
) -> None:
    flip_id = plan(shop, {"sku-0": "1.49"})
    now = shop.time.now()
    skus = [a_change(f"sku-{n}", 1).sku for n in (0, 1)]
    shop.writer.write(lambda tx: withdrawals.withdraw_prices(tx, STORE, skus, now))
    with pytest.raises(Conflict, match=f"flip {flip_id} is planned"):
        shop.writer.write(lambda tx: catalogue.put_store(tx, a_store(currency="JPY"), now))
    shop.writer.write(lambda tx: flips.cancel_flip(tx, STORE, flip_id, now))
    shop.writer.write(lambda tx: catalogue.put_store(tx, a_store(currency="JPY"), now))
    gateway.run(shop)


def test_pictures_below_a_gateway_that_does_not_answer_keep_no_other_waiting(
    tmp_path: Path, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "STEP_MOST", 4)
    database = open_database(tmp_path)
    last = 12
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=last + 1, gateways=(GATEWAY, OTHER))
        tx.execute(update(labels).values(gateway_id=GATEWAY))
        tx.execute(
            update(labels).where(labels.c.label_id == label_id(last)).values(gateway_id=OTHER)
        )
    shop = Controller(database, clock)
    dead, alive = StagedGateway(GATEWAY, clock), StagedGateway(OTHER, clock, session="boot-2")
    shop.hear(dead.hello(level="staged"), alive.hello(level="staged"))

    def step(*, answering: tuple[StagedGateway, ...]) -> None:
        outgoing = [*shop.dispatcher.step().outgoing, *shop.staging.step().outgoing]
        for one in answering:
            for command in one.commands(outgoing):
                one.take(shop, command)

    for _ in range(5):
        step(answering=(dead, alive))
    assert all(state.due_at is None for state in shop.states())
    plan(shop, {f"sku-{n}": "1.49" for n in range(last + 1)})
    for _ in range(10):
        step(answering=(alive,))
    assert states(shop)[label_id(last)] is SlotState.ARMED
    shop.close()
    database.close()


def test_a_slot_that_is_never_filled_is_given_up_with_pauses_between(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    plan(shop, {"sku-0": "1.49"}, after_s=20 * 86400)
    at: list[float] = []
    for _ in range(1500):
        outgoing = [*shop.dispatcher.step().outgoing, *shop.staging.step().outgoing]
        at += [clock.seconds for command in gateway.commands(outgoing) if isinstance(command, Put)]
        beat(shop, gateway, clock, 30)
    assert len(at) == GIVE_UP_AFTER
    pauses = [later - earlier for earlier, later in pairwise(at)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 4 * pauses[0]


def refuse(gateway: StagedGateway, show: Show, code: str) -> list[MqttMessage]:
    return [
        gateway.up(
            Failed(
                session=gateway.session,
                seq=gateway.next_seq(),
                id=show.id,
                label=entry.label,
                rev=entry.rev,
                code=code,
            )
        )
        for entry in show.entries
    ]


def test_a_show_that_is_always_refused_is_given_up_with_pauses_between(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    plan(shop, {"sku-0": "1.49"}, after_s=86400)
    at: list[float] = []
    for _ in range(400):
        outgoing = [*shop.dispatcher.step().outgoing, *shop.staging.step().outgoing]
        for command in gateway.commands(outgoing):
            if isinstance(command, Show):
                at.append(clock.seconds)
                twice = [*refuse(gateway, command, "retry"), *refuse(gateway, command, "retry")]
                shop.hear(*twice)
            else:
                gateway.take(shop, command)
        beat(shop, gateway, clock, 30)
    assert len(at) == GIVE_UP_AFTER
    pauses = [later - earlier for earlier, later in pairwise(at)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 4 * pauses[0]
    beat(shop, gateway, clock, 86400 - clock.seconds + 60)
    gateway.run(shop)  # its moment has come: it is sent like any other price
    assert shows_truth(shop, gateway)
    assert shop.label(0).settled_rev == shop.label(0).wanted_rev


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_a_label_is_staged_into_as_many_slots_as_it_says_it_has(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock, slots: int
) -> None:
    for _ in range(4):  # what beacons say is written half a minute later
        seen = gateway.seen_event(label_id(0))
        rev, digest = seen.shown_rev, seen.shown_digest
        held = [(rev, digest), *[(0, b"")] * (slots - 1)]
        shop.hear(gateway.up(msgspec.structs.replace(seen, slots=held)))
        beat(shop, gateway, clock, 20)
    for n in range(3):
        plan(shop, {"sku-0": f"1.4{n}"}, after_s=IN_AN_HOUR + 60 * n)
    with shop.database.read() as tx:
        used = tx.execute(select(staged.c.slot).order_by(staged.c.slot)).scalars().all()
        [said] = tx.execute(
            select(labels.c.slots).where(labels.c.label_id == label_id(0))
        ).scalars()
    assert used == list(range(1, slots))
    assert msgspec.msgpack.decode(said) == [[rev, digest], *[[0, b""]] * (slots - 1)]


def test_an_id_used_twice_wants_its_price_but_is_never_due(
    shop: Controller, gateway: StagedGateway
) -> None:
    with shop.database.writing.begin() as tx:
        tx.execute(update(labels).where(labels.c.label_id == label_id(0)).values(quarantine=1))
        rev = shop.label(0).wanted_rev + 100
        label_rows.want(tx, [label_id(0), label_id(1)], rev, NOON, lane=Lane.NORMAL)
    assert (shop.label(0).wanted_rev, shop.label(0).due_at) == (rev, None)
    assert shop.label(1).due_at is not None
    assert gateway.showing


def test_a_frozen_store_arms_nothing_and_its_armed_shows_are_cancelled(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    plan(shop, {"sku-0": "1.49"})
    gateway.run(shop)
    plan(shop, {"sku-1": "1.49"})
    for command in gateway.commands(shop.staging.step().outgoing):
        gateway.take(shop, command)  # put, and not armed yet
    assert states(shop) == {label_id(0): SlotState.ARMED, label_id(1): SlotState.STORED}
    shop.writer.write(
        lambda tx: guarding.freeze_store(tx, STORE, shop.time.now(), actor="boss", reason="till")
    )
    said = gateway.run(shop)
    assert not any(isinstance(command, Show) for command in said)
    assert [type(command) for command in said] == [Cancel]
    beat(shop, gateway, clock, IN_AN_HOUR + 1)
    assert gateway.show_what_is_due(shop) == []
    assert gateway.run(shop) == []
