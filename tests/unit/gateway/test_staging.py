"""Pictures that wait in labels for their moment, and prices that begin together."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from esl.domain.ids import GatewayId
from esl.domain.label import Lane, SlotState
from esl.domain.problem import ProblemKind
from esl.domain.staged import FlipState
from esl.services import flips, slots_heard, withdrawals
from esl.services.flips import Planned
from esl.services.shown import shown_then
from esl.store import flips as flip_rows
from esl.store.deliveries import DueCount, Share
from esl.store.problems import list_problems
from esl.store.tables import staged
from gateway.batch import PAYLOAD_LEAST_BYTES, Step
from gateway.easel import Easel
from gateway.ledger import Ledger
from gateway.staging import StagingDispatcher
from gateway.wire.messages import FEATURE_PAYLOAD_BYTES, Cancel, Command, Put, Show
from tests.builders import (
    GATEWAY,
    KEY,
    STORE,
    Controller,
    SimulatedClock,
    a_change,
    build_shelf,
    label_id,
    open_database,
)
from tests.panels import PANELS
from tests.unit.gateway.staged_gateway import StagedGateway, on_the_line

LABELS = 3
IN_AN_HOUR = 3600.0


@pytest.fixture
def shop(open_shop: Callable[..., Controller]) -> Controller:
    return open_shop(labels_count=LABELS)


@pytest.fixture
def gateway(shop: Controller, clock: SimulatedClock) -> StagedGateway:
    found = on_the_line(shop, clock)
    assert all(state.due_at is None and state.shown_rev > 0 for state in shop.states())
    return found


def plan(
    shop: Controller,
    prices: dict[str, str],
    after_s: float = IN_AN_HOUR,
    *,
    said: list[dict[str, object]] | None = None,
) -> Planned:
    said = said or [{"sku": sku, "price": price} for sku, price in prices.items()]
    changes = [a_change(sku, int(price.replace(".", ""))) for sku, price in prices.items()]
    now = shop.time.now()
    return shop.writer.write(
        lambda tx: flips.plan_flip(
            tx,
            STORE,
            now + timedelta(seconds=after_s),
            changes,
            json.dumps(said),
            now,
            actor="t",
            panels=PANELS,
        )
    )


def told_of_flips(shop: Controller) -> list[tuple[str, bool]]:
    """The open problems of flips, and whether each says what to do."""
    with shop.database.read() as tx:
        return [
            (p.subject, "Send the prices again" in p.what_to_do)
            for p in list_problems(tx, STORE)
            if p.kind == ProblemKind.FLIP_FAILED
        ]


def cancel(shop: Controller, flip_id: int) -> None:
    shop.writer.write(lambda tx: flips.cancel_flip(tx, STORE, flip_id, shop.time.now()))


def states(shop: Controller) -> dict[str, SlotState]:
    with shop.database.read() as tx:
        found = tx.execute(select(staged.c.label_id, staged.c.state).order_by(staged.c.label_id))
        return {label: SlotState(state) for label, state in found}


def shows_truth(shop: Controller, gateway: StagedGateway, number: int = 0) -> bool:
    return gateway.showing[label_id(number)][1].hex() == shop.wanted_digest(number)


def pass_with_heartbeats(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock, seconds: float
) -> None:
    """Let time pass as it does: the gateway's heart beats."""
    until = clock.seconds + seconds
    while clock.seconds < until:
        clock.pass_s(min(30.0, until - clock.seconds))
        shop.hear(gateway.heartbeat(level="staged"))


def test_a_flip_is_put_and_armed_ahead_and_shown_together_at_its_moment(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    before = dict(gateway.showing)
    planned = plan(shop, {"sku-0": "1.99", "sku-1": "2.99"})
    assert (planned.labels, planned.staged) == (2, 2)
    said = gateway.run(shop)
    puts = [c for c in said if isinstance(c, Put)]
    shows = [c for c in said if isinstance(c, Show)]
    assert [p.show for p in puts] == [False, False]
    assert {p.slot for p in puts} == {1}
    assert sum(len(s.entries) for s in shows) == 2
    assert set(states(shop).values()) == {SlotState.ARMED}
    assert gateway.showing == before, "nothing changes before the moment"

    pass_with_heartbeats(shop, gateway, clock, IN_AN_HOUR - 60)
    assert gateway.run(shop) == []
    assert gateway.show_what_is_due(shop) == []

    clock.pass_s(61)
    assert gateway.show_what_is_due(shop) == [label_id(0), label_id(1)]
    said = gateway.run(shop)
    assert said == [], "labels that flipped by themselves are sent nothing"
    assert all(state.due_at is None for state in shop.states())
    assert [shows_truth(shop, gateway, n) for n in range(LABELS)] == [True] * LABELS
    assert states(shop) == {}


def test_what_a_timed_show_told_is_signed_and_found_again(
    shop: Controller,
    gateway: StagedGateway,
    clock: SimulatedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = Ledger(writer=shop.writer, clock=shop.time, key=KEY)
    take_a_step = shop.staging.step

    def step() -> Step:
        taken = take_a_step()
        for outgoing in taken.outgoing:
            ledger.note(outgoing)
        return taken

    monkeypatch.setattr(shop.staging, "step", step)
    plan(shop, {"sku-0": "1.99", "sku-1": "2.99"})
    gateway.run(shop)
    assert len(ledger) == 1, "the pictures that were only put into slots are not told to be shown"
    ledger.write()
    clock.pass_s(IN_AN_HOUR + 1)
    assert gateway.show_what_is_due(shop) == [label_id(0), label_id(1)]
    now = shop.time.now()
    with shop.database.read() as tx:
        told = [shown_then(tx, label_id(n), now, now).published for n in range(LABELS)]
    assert told[0] is not None
    assert told[1] is not None
    assert (told[0].payload_id, told[0].commands) == (told[1].payload_id, 2)
    assert told[2] is None, "what it shows was published before anybody took note"


def test_a_label_whose_timed_show_is_not_reported_is_sent_its_price_after_a_grace(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    plan(shop, {"sku-0": "1.99"})
    gateway.run(shop)
    gateway.armed.clear()  # the gateway lost it
    pass_with_heartbeats(shop, gateway, clock, IN_AN_HOUR + 1)
    assert gateway.run(shop) == [], "it is given time to speak"
    pass_with_heartbeats(shop, gateway, clock, 80)
    assert [c.show for c in gateway.run(shop) if isinstance(c, Put)] == [True]
    assert shows_truth(shop, gateway)


def test_a_basic_gateway_is_sent_the_price_at_the_moment_and_nothing_before(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    shop.hear(gateway.heartbeat(level="basic"))
    plan(shop, {"sku-0": "1.99"})
    assert gateway.run(shop) == []
    clock.pass_s(IN_AN_HOUR)
    shop.hear(gateway.heartbeat(level="basic"))
    assert [c.show for c in gateway.run(shop) if isinstance(c, Put)] == [True]
    assert shows_truth(shop, gateway)


def test_a_price_change_meanwhile_is_shown_and_the_flip_staged_anew(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    plan(shop, {"sku-0": "1.99"})
    gateway.run(shop)
    [(_, before)] = gateway.armed.values()
    shop.price(a_change("sku-0", 155, was_minor=300))
    said = gateway.run(shop)
    # The flip keeps the old price that the change brought, so its picture is another one.
    assert [c.show for c in said if isinstance(c, Put)] == [True, False]
    [(_, after)] = gateway.armed.values()
    assert after.rev > gateway.showing[label_id(0)][0] > before.rev
    assert after.digest != before.digest
    pass_with_heartbeats(shop, gateway, clock, IN_AN_HOUR + 1)
    assert gateway.show_what_is_due(shop) == [label_id(0)]
    assert gateway.run(shop) == []
    assert shows_truth(shop, gateway)


def test_a_change_that_leaves_the_future_picture_as_it_is_only_arms_anew(
    shop: Controller, gateway: StagedGateway
) -> None:
    plan(shop, {"sku-0": "1.99"})
    gateway.run(shop)
    [(_, before)] = gateway.armed.values()
    shop.price(a_change("sku-0", 155))
    said = gateway.run(shop)
    assert [c.show for c in said if isinstance(c, Put)] == [True]
    [(_, after)] = gateway.armed.values()
    assert after.digest == before.digest
    assert after.rev > gateway.showing[label_id(0)][0] > before.rev


@pytest.mark.parametrize("loses", [False, True], ids=["cancel arrives", "cancel is lost"])
def test_a_cancelled_flip_is_never_shown_whether_its_cancel_arrives_or_not(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock, *, loses: bool
) -> None:
    gateway.loses_cancels = loses
    planned = plan(shop, {"sku-0": "1.99"})
    gateway.run(shop)
    before = gateway.showing[label_id(0)]
    cancel(shop, planned.flip_id)
    said = gateway.run(shop)
    assert any(isinstance(c, Cancel) for c in said)
    # The picture that hangs is shown again under a higher revision: the old show refuses itself.
    rev, digest = gateway.showing[label_id(0)]
    assert digest == before[1]
    assert rev > before[0]
    assert bool(gateway.armed) is loses
    pass_with_heartbeats(shop, gateway, clock, IN_AN_HOUR + 1)
    assert gateway.show_what_is_due(shop) == []
    gateway.run(shop)
    assert gateway.showing[label_id(0)][1] == before[1]
    assert states(shop) == {}


def test_a_label_that_lost_its_slots_is_filled_again(
    shop: Controller, gateway: StagedGateway
) -> None:
    plan(shop, {"sku-0": "1.99"})
    gateway.run(shop)
    gateway.slots.clear()
    shop.hear(gateway.beacon_with_slots(label_id(0)))
    said = gateway.run(shop)
    assert [c.show for c in said if isinstance(c, Put)] == [False]
    assert any(isinstance(c, Show) for c in said)


def test_a_new_session_of_the_gateway_arms_anew_with_the_same_revision(
    shop: Controller, gateway: StagedGateway
) -> None:
    plan(shop, {"sku-0": "1.99"})
    gateway.run(shop)
    [(_, before)] = gateway.armed.values()
    gateway.armed.clear()
    gateway.begin_session("boot-2")
    shop.hear(gateway.hello(level="staged"))
    gateway.run(shop)
    [(_, after)] = gateway.armed.values()
    assert after == before


def test_no_staged_payload_is_larger_than_its_gateway_takes(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    many = 40
    database = open_database(tmp_path)
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=many)
    shop = Controller(database, clock)
    gateway = StagedGateway(GATEWAY, clock)
    features = {FEATURE_PAYLOAD_BYTES: PAYLOAD_LEAST_BYTES}
    shop.hear(gateway.hello(level="staged", features=features))
    gateway.run(shop)
    planned = plan(shop, {f"sku-{n}": "1.99" for n in range(many)})
    said: list[Command] = []
    sizes: list[int] = []
    for _ in range(30):
        outgoing = shop.staging.step().outgoing
        sizes += [len(one.payload) for one in outgoing]
        for command in gateway.commands(outgoing):
            said.append(command)
            gateway.take(shop, command)
    shown = [entry.label for c in said if isinstance(c, Show) for entry in c.entries]
    assert sorted(shown) == [label_id(n) for n in range(many)]
    cancel(shop, planned.flip_id)
    outgoing = shop.staging.step().outgoing
    sizes += [len(one.payload) for one in outgoing]
    gone = [e.label for c in gateway.commands(outgoing) if isinstance(c, Cancel) for e in c.entries]
    assert sorted(gone) == [label_id(n) for n in range(many)]
    assert max(sizes) <= PAYLOAD_LEAST_BYTES
    shop.close()
    database.close()


@pytest.mark.usefixtures("gateway")
def test_two_flips_of_one_label_do_not_share_a_slot(shop: Controller) -> None:
    assert plan(shop, {"sku-0": "1.99"}).staged == 1
    # Panels of the tests have two picture memories, and slot 0 is for what is shown at once.
    assert plan(shop, {"sku-0": "2.99"}, IN_AN_HOUR * 2).staged == 0


def test_a_flip_whose_product_is_gone_fails_and_says_so(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    planned = plan(shop, {"sku-0": "1.99"})
    gateway.run(shop)
    now = shop.time.now()
    shop.writer.write(lambda tx: withdrawals.delist_products(tx, STORE, ["sku-0"], now))
    gateway.run(shop)
    pass_with_heartbeats(shop, gateway, clock, IN_AN_HOUR + 1)
    gateway.show_what_is_due(shop)
    gateway.run(shop)
    with shop.database.read() as tx:
        flip = flip_rows.flip_named(tx, planned.flip_id)
    assert flip.state is FlipState.FAILED
    assert "no product" in flip.detail
    shop.upkeep.step()
    assert told_of_flips(shop) == [(f"flip/{planned.flip_id}", True)]
    pass_with_heartbeats(shop, gateway, clock, 60)
    shop.upkeep.step()
    assert told_of_flips(shop) == [(f"flip/{planned.flip_id}", True)], "once"
    clock.pass_s(flips.TOLD_FOR.total_seconds())
    shop.upkeep.step()
    assert told_of_flips(shop) == [], "nobody will send the price of a product that is gone"


def test_a_failed_flip_is_a_problem_until_its_products_have_prices_again(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    till = {"source": "till", "source_seq": 5}
    said = [{"sku": "sku-0", "price": "1.99", **till}, {"sku": "sku-1", "price": "2.99"}]
    planned = plan(shop, {"sku-0": "1.99", "sku-1": "2.99"}, said=said)
    shop.price(a_change("sku-0", 555, **till))  # the number is used up: the flip cannot begin
    pass_with_heartbeats(shop, gateway, clock, IN_AN_HOUR + 1)
    shop.staging.begin_flips()
    clock.pass_s(60)
    shop.upkeep.step()
    assert told_of_flips(shop) == [(f"flip/{planned.flip_id}", True)]

    shop.price(a_change("sku-0", 199))
    clock.pass_s(60)
    shop.upkeep.step()
    assert told_of_flips(shop) == [(f"flip/{planned.flip_id}", True)], "one is left"
    shop.price(a_change("sku-1", 299))
    clock.pass_s(60)
    shop.upkeep.step()
    assert told_of_flips(shop) == []


class Books:
    """Stands for the leases of one of several workers; remembers what it was asked."""

    def __init__(self) -> None:
        self.busy = True
        self.asked: list[dict[GatewayId, int]] = []

    def look(
        self, tx: Connection, now: datetime, room: Mapping[GatewayId, int]
    ) -> Sequence[DueCount]:
        del tx, now
        self.asked.append(dict(room))
        return [DueCount(gateway_id=GATEWAY, lane=Lane.NORMAL, count=1)] if self.busy else []

    def fence(self, tx: Connection, shares: Sequence[Share]) -> Sequence[Share]:
        del tx
        return shares


@pytest.mark.usefixtures("gateway")
def test_one_of_several_workers_asks_only_for_its_own_gateways_whether_pictures_wait(
    shop: Controller,
) -> None:
    books = Books()
    ours = StagingDispatcher(
        database=shop.database,
        writer=shop.writer,
        roster=shop.roster,
        painter=shop.painter,
        easel=Easel(painter=shop.painter, panels=PANELS),
        panels=PANELS,
        key=KEY,
        clock=shop.time,
        backoff=shop.backoff,
        leases=books,
    )
    plan(shop, {"sku-0": "1.99"})
    assert ours.step().outgoing == (), "its gateway has other pictures to wait for"
    books.busy = False
    assert len(ours.step().outgoing) == 1
    assert books.asked == [{GATEWAY: 1}] * 2


@pytest.mark.usefixtures("gateway")
def test_a_flip_begins_once_though_two_look(shop: Controller, clock: SimulatedClock) -> None:
    planned = plan(shop, {"sku-0": "1.99"})
    clock.pass_s(IN_AN_HOUR)
    now: datetime = shop.time.now()

    def begin() -> object:
        return shop.writer.write(
            lambda tx: flips.begin_flip(tx, planned.flip_id, now, grace=timedelta(seconds=60))
        )

    assert begin() is not None
    assert begin() is None


def test_a_picture_is_believed_to_be_stored_only_if_it_is_the_one_that_was_put(
    shop: Controller, gateway: StagedGateway
) -> None:
    plan(shop, {"sku-0": "1.99"})
    [put] = gateway.obey(shop.staging.step().outgoing)
    wrong = slots_heard.HeldSlot(
        label_id=label_id(0),
        slot=1,
        rev=put.rev,
        digest="ab" * 32,  # type: ignore[arg-type]
    )
    assert shop.writer.write(lambda tx: slots_heard.hear_slots(tx, [wrong], shop.time.now())) == []
    assert set(states(shop).values()) == {SlotState.PUT}
