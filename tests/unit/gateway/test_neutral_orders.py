"""A store that was ordered to show no prices shows none, and afterwards what holds."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from esl.domain.ids import Sku
from esl.domain.label import Lane, SlotState
from esl.domain.place import Neutral, Pairing, StorePolicy
from esl.domain.problem import ProblemKind
from esl.domain.verdict import Outcome
from esl.services import fleet, guarding, neutral_orders, pairing, problems, verdicts
from esl.services.neutral_orders import NeutralStanding
from esl.services.promotions.explaining import explain_label
from esl.store import audit, places, remove_tasks
from gateway.wire.messages import Show
from tests.builders import (
    GATEWAY,
    STORE,
    Controller,
    FakeGateway,
    SimulatedClock,
    a_change,
    label_id,
)
from tests.panels import PANELS
from tests.unit.gateway.staged_gateway import on_the_line
from tests.unit.gateway.test_staging_doubt import IN_AN_HOUR, beat, plan, states
from tests.witness import Witness, prices

MANY = 4


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def shop(
    open_shop: Callable[..., Controller], gateway: FakeGateway, witness: Witness
) -> Controller:
    """Labels that show their first price, 1.29."""
    controller = open_shop(labels_count=MANY, renderer=witness)
    controller.hear(gateway.hello())
    controller.settle(gateway)
    assert prices(gateway, witness) == [129] * MANY
    return controller


def order(shop: Controller, reason: str = "wrong prices everywhere") -> tuple[str, ...]:
    now = shop.time.now()
    _, told = shop.writer.write(
        lambda tx: neutral_orders.order_neutral(tx, STORE, now, actor="boss", reason=reason)
    )
    return told


def end(shop: Controller) -> bool:
    now = shop.time.now()
    was, _ = shop.writer.write(lambda tx: neutral_orders.end_neutral(tx, STORE, now, actor="boss"))
    return was


def standing(shop: Controller, *, online: bool = True) -> NeutralStanding:
    with shop.database.read() as tx:
        return neutral_orders.standing_of(
            tx, STORE, online={GATEWAY} if online else set(), panels=PANELS
        )


def outcome(shop: Controller, rev: int | None) -> Outcome:
    assert rev is not None
    with shop.database.read() as tx:
        [verdict] = verdicts.verdicts_of_change(tx, STORE, rev, shop.time.now()).verdicts
    return verdict.outcome


def test_no_label_shows_a_price_until_the_order_ends_and_then_each_shows_what_holds(
    shop: Controller, gateway: FakeGateway, witness: Witness, clock: SimulatedClock
) -> None:
    assert len(order(shop)) == MANY
    assert {label.lane for label in shop.states()} == {Lane.CORRECTION}
    shop.settle(gateway)
    assert prices(gateway, witness) == [None] * MANY
    assert (standing(shop).done, standing(shop).labels) == (MANY, MANY)

    [changed] = shop.price(a_change("sku-1", 150)).results
    clock.pass_s(3600)
    hanging = dict(gateway.showing)
    shop.settle(gateway)
    assert gateway.showing == hanging, "a price is kept, and nothing is sent"
    assert outcome(shop, changed.rev) is Outcome.PENDING, "no glass shows it"

    assert end(shop)
    assert outcome(shop, changed.rev) is Outcome.PENDING
    shop.settle(gateway)
    assert prices(gateway, witness) == [129, 150, 129, 129]
    assert outcome(shop, changed.rev) is Outcome.SHOWN
    assert standing(shop).done == MANY
    assert not end(shop)


def test_an_order_that_holds_stays_as_it_is(shop: Controller, gateway: FakeGateway) -> None:
    order(shop, "first")
    shop.settle(gateway)
    assert order(shop, "second") == ()
    assert standing(shop).order is not None
    assert shop.dispatcher.step().looked_at == 0
    with shop.database.read() as tx:
        noted = [e for e in audit.entries_of(tx, STORE) if e.action == "neutral"]
    assert [(e.actor, e.reason) for e in noted] == [("boss", "first")]


@pytest.mark.parametrize("orders", [True, False])
def test_a_picture_drawn_before_the_word_gives_way_to_the_one_after_it(
    shop: Controller, gateway: FakeGateway, witness: Witness, *, orders: bool
) -> None:
    if not orders:
        order(shop)
        shop.settle(gateway)
    shop.price(a_change("sku-0", 150))
    shop.price(a_change("sku-1", 160))
    batch = shop.dispatcher.begin()
    assert batch is not None
    draft = shop.dispatcher.draw(batch)
    if orders:
        order(shop)
    else:
        end(shop)
    step = shop.dispatcher.finish(draft)
    for put in gateway.obey(step.outgoing):
        shop.hear(gateway.paint(put))
    shop.settle(gateway)
    assert prices(gateway, witness) == ([None] * MANY if orders else [150, 160, 129, 129])


def test_a_report_of_an_old_price_that_comes_late_does_not_settle_a_label(
    shop: Controller, gateway: FakeGateway, witness: Witness
) -> None:
    shop.price(a_change("sku-0", 150))
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    order(shop)
    shop.hear(gateway.paint(put))
    assert standing(shop).done == 0
    shop.settle(gateway)
    assert prices(gateway, witness) == [None] * MANY


def test_a_policy_of_tasks_does_not_keep_prices_on_the_glass(
    shop: Controller, gateway: FakeGateway, witness: Witness
) -> None:
    now = shop.time.now()
    policy = StorePolicy(neutral=Neutral.TASK)
    shop.writer.write(lambda tx: fleet.put_policy(tx, STORE, policy, now))
    order(shop)
    shop.settle(gateway)
    assert prices(gateway, witness) == [None] * MANY


def test_a_label_that_is_hung_under_the_order_shows_its_neutral_face(
    open_shop: Callable[..., Controller], gateway: FakeGateway, witness: Witness
) -> None:
    shop = open_shop(labels_count=2, renderer=witness)
    order(shop)
    shop.hear(gateway.hello())
    shop.settle(gateway)
    assert prices(gateway, witness) == [None, None]
    pairs = [Pairing(label_id=label_id(0), sku=Sku("sku-1"))]
    now = shop.time.now()
    shop.writer.write(lambda tx: pairing.pair_labels(tx, STORE, pairs, now, single=True))
    shop.settle(gateway)
    assert prices(gateway, witness) == [None, None]
    end(shop)
    shop.settle(gateway)
    assert prices(gateway, witness) == [129, 129]


def test_no_timed_show_brings_a_price_onto_the_glass(
    open_shop: Callable[..., Controller], clock: SimulatedClock, witness: Witness
) -> None:
    shop = open_shop(labels_count=2, renderer=witness)
    gateway = on_the_line(shop, clock)
    plan(shop, {"sku-0": "1.49"})
    gateway.run(shop)
    plan(shop, {"sku-1": "1.49"})
    gateway.loses_cancels = True
    assert SlotState.ARMED in states(shop).values()
    order(shop)
    said = gateway.run(shop)
    assert not any(isinstance(command, Show) for command in said)
    beat(shop, gateway, clock, IN_AN_HOUR + 1)
    gateway.show_what_is_due(shop)
    gateway.run(shop)
    assert prices(gateway, witness) == [None, None], "the flip began, and nothing of it is shown"
    end(shop)
    gateway.run(shop)
    assert prices(gateway, witness) == [149, 149]


def test_another_controller_on_the_same_books_and_one_that_starts_again_obey_it(
    shop: Controller, gateway: FakeGateway, witness: Witness, clock: SimulatedClock
) -> None:
    order(shop)
    again = Controller(shop.database, clock, renderer=witness)
    gateway.begin_session("boot-2")
    again.hear(gateway.hello())
    again.settle(gateway)
    assert prices(gateway, witness) == [None] * MANY
    shop.price(a_change("sku-0", 150))
    again.settle(gateway)
    assert prices(gateway, witness) == [None] * MANY
    end(again)
    again.settle(gateway)
    assert prices(gateway, witness) == [150, 129, 129, 129]
    again.close()


def test_stop_sending_is_the_stronger_and_says_so(
    shop: Controller, gateway: FakeGateway, witness: Witness
) -> None:
    now = shop.time.now()
    shop.writer.write(
        lambda tx: guarding.freeze_store(tx, STORE, now, actor="boss", reason="first")
    )
    order(shop)
    shop.settle(gateway)
    assert prices(gateway, witness) == [129] * MANY
    found = standing(shop)
    assert (found.is_frozen, found.not_reached) == (True, MANY)
    assert set(found.reasons) == {neutral_orders.FROZEN}
    shop.writer.write(lambda tx: guarding.unfreeze_store(tx, STORE, now, actor="b", reason=""))
    shop.settle(gateway)
    assert prices(gateway, witness) == [None] * MANY


def test_labels_that_are_not_reached_are_named_and_become_tasks_for_a_person(
    shop: Controller, clock: SimulatedClock
) -> None:
    order(shop)
    found = standing(shop, online=False)
    assert (found.done, found.on_their_way, found.not_reached) == (0, 0, MANY)
    assert found.reasons == {neutral_orders.GATEWAY_AWAY: MANY}
    assert [one.label_id for one in found.behind] == [label_id(n) for n in range(MANY)]
    clock.pass_s(1000)
    shop.upkeep.step()
    with shop.database.read() as tx:
        assert len(remove_tasks.list_tasks(tx, STORE)) == MANY, "a price hangs that must not"


def test_a_neutral_face_that_cannot_be_drawn_is_a_task_and_no_price(
    shop: Controller, gateway: FakeGateway, witness: Witness
) -> None:
    witness.broken = {"Jogurt sku-0": ValueError("no letter"), "Trgovina": ValueError("nor that")}
    order(shop)
    shop.settle(gateway)
    assert prices(gateway, witness)[1:] == [None] * (MANY - 1)
    assert standing(shop).reasons == {"neutral_order": 1}
    with shop.database.read() as tx:
        [task] = remove_tasks.list_tasks(tx, STORE)
    assert task.label_id == label_id(0)
    witness.broken.clear()
    end(shop)
    shop.settle(gateway)
    assert prices(gateway, witness) == [129] * MANY


def test_it_is_a_problem_and_no_failure_of_labels_and_explained(
    shop: Controller, gateway: FakeGateway
) -> None:
    order(shop)
    shop.settle(gateway)
    now = shop.time.now()
    with shop.database.read() as tx:
        found = problems.find_problems(
            tx, STORE, now, online={GATEWAY}, silent_after=timedelta(days=1)
        )
        [one] = explain_label(tx, places.store_named(tx, STORE), label_id(0), now, now)
    [problem] = found
    assert problem.kind is ProblemKind.STORE_NEUTRAL
    assert "wrong prices everywhere" in problem.reason
    assert "esl neutral" in problem.what_to_do
    assert one.price_minor is None
    assert "shows its neutral face" in one.words[0]
    assert "boss" in one.words[0]
    later = now + timedelta(hours=1)
    shop.clock.pass_s(7200)
    end(shop)
    with shop.database.read() as tx:
        store = places.store_named(tx, STORE)
        [now_again] = explain_label(tx, store, label_id(0), shop.time.now(), shop.time.now())
        [then] = explain_label(tx, store, label_id(0), later, shop.time.now())
    assert now_again.price_minor == 129
    assert then.price_minor is None, "at that moment it was under the order"


def test_what_it_costs_is_reckoned_before_anything_is_done(
    shop: Controller, gateway: FakeGateway
) -> None:
    cost = standing(shop).estimate
    assert (cost.labels, standing(shop).order) == (MANY, None)
    assert cost.air_s == pytest.approx(MANY * 3.9)
    assert 0 < cost.battery_mah < 1
    order(shop)
    assert standing(shop).estimate.labels == 0, "none of them is to be turned back yet"
    shop.settle(gateway)
    assert standing(shop).estimate.labels == MANY
