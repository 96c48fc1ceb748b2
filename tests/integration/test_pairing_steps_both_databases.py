"""What was done to labels: written down with its end, taken back exactly, or refused with why."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from esl.domain.errors import Conflict, InvalidInput, NotFound, UnknownLabel
from esl.domain.ids import LabelId, Sku
from esl.domain.pairing import UNDO_WITHIN, Action, Ending, Hanging, PairingEvent
from esl.domain.place import Pairing
from esl.services import pairing, repairing
from esl.services.withdrawals import delist_products
from esl.store import pairing_events
from esl.store.database import Database
from esl.store.tables import audit_entries, labels
from tests.builders import (
    GATEWAY,
    NOON,
    STORE,
    Controller,
    FakeGateway,
    SimulatedClock,
    build_shelf,
    label_id,
)

SHELF = 4
WHO = "token:anna"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def gateway(clock: SimulatedClock) -> FakeGateway:
    return FakeGateway(GATEWAY, clock)


@pytest.fixture
def shop(database: Database, clock: SimulatedClock, gateway: FakeGateway) -> Iterator[Controller]:
    """Four labels, each with a product; the last is free to be taken."""
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=SHELF)
        pairing.unpair_labels(tx, STORE, [label_id(3)], NOON)
    with closing(Controller(database, clock)) as shop:
        shop.hear(gateway.state(online=True), gateway.hello())
        shop.settle(gateway)
        yield shop


def done(shop: Controller, work: Callable[[Connection], Any]) -> Any:
    return shop.writer.write(work)


def pair(shop: Controller, number: int, *skus: str, place: str | None = None) -> None:
    one = Pairing(
        label_id=label_id(number), sku=Sku(skus[0]), more=tuple(map(Sku, skus[1:])), place=place
    )
    now = shop.time.now()
    done(shop, lambda tx: pairing.pair_labels(tx, STORE, [one], now, single=True, actor=WHO))


def undo(shop: Controller, step: int) -> tuple[LabelId, ...]:
    now = shop.time.now()
    found: tuple[LabelId, ...] = done(
        shop, lambda tx: repairing.undo_step(tx, STORE, step, now, actor=WHO)
    )
    return found


def replace(shop: Controller, broken: int, new: int) -> tuple[LabelId, ...]:
    now, one, other = shop.time.now(), label_id(broken), label_id(new)
    found: tuple[LabelId, ...] = done(
        shop, lambda tx: repairing.replace_label(tx, STORE, one, other, now, actor=WHO)
    )
    return found


def hangs(shop: Controller, number: int) -> Hanging:
    with shop.database.read() as tx:
        return pairing_events.hangings(tx, [label_id(number)])[label_id(number)]


def steps(shop: Controller, number: int) -> list[tuple[PairingEvent, Ending]]:
    with shop.database.read() as tx:
        found = repairing.history(tx, STORE, label_id=label_id(number))
    return [(event, ended.ending) for event, ended in found]


def last(shop: Controller, number: int) -> int:
    return steps(shop, number)[0][0].event_id


def test_a_pairing_is_confirmed_only_when_the_glass_reported_it(
    shop: Controller, gateway: FakeGateway
) -> None:
    pair(shop, 0, "sku-1", place="3/2")
    [(event, ending), *_] = steps(shop, 0)
    assert (event.actor, event.action, ending) == (WHO, Action.CHANGED, Ending.PENDING)
    assert event.before == Hanging((Sku("sku-0"),))
    assert event.after == Hanging((Sku("sku-1"),), "3/2")
    puts = gateway.obey(shop.dispatcher.step().outgoing)
    assert steps(shop, 0)[0][1] is Ending.PENDING, "sent is not shown"
    for put in puts:
        shop.hear(gateway.paint(put))
    assert steps(shop, 0)[0][1] is Ending.CONFIRMED


def test_a_step_that_another_overtook_is_superseded(shop: Controller, gateway: FakeGateway) -> None:
    pair(shop, 0, "sku-1")
    pair(shop, 0, "sku-2")
    shop.settle(gateway)
    endings = [ending for _, ending in steps(shop, 0)]
    assert endings[:2] == [Ending.CONFIRMED, Ending.SUPERSEDED]


def test_the_same_pairing_again_is_no_step(shop: Controller) -> None:
    pair(shop, 0, "sku-1")
    before = steps(shop, 0)
    pair(shop, 0, "sku-1")
    assert steps(shop, 0) == before


def test_undo_is_the_exact_inverse(shop: Controller, gateway: FakeGateway) -> None:
    pair(shop, 0, "sku-2", "sku-1", place="3/2")
    held = hangs(shop, 0)
    pair(shop, 0, "sku-3", "sku-2", place="9")
    step = last(shop, 0)
    assert undo(shop, step) == (label_id(0),)
    assert hangs(shop, 0) == held, "products in their order, and the place"
    shop.settle(gateway)
    assert shop.label(0).shown_digest == shop.wanted_digest(0)
    [(event, ending), (undone, _), *_] = steps(shop, 0)
    assert (event.action, ending) == (Action.UNDONE, Ending.CONFIRMED)
    assert undone.undone_by == event.event_id
    assert undo(shop, step) == (), "again it does nothing"
    assert steps(shop, 0)[0][0].event_id == event.event_id


def test_what_was_unpaired_or_retired_comes_back(shop: Controller, gateway: FakeGateway) -> None:
    now = shop.time.now()
    done(shop, lambda tx: pairing.unpair_labels(tx, STORE, [label_id(0)], now, actor=WHO))
    undo(shop, last(shop, 0))
    done(shop, lambda tx: pairing.retire_labels(tx, STORE, [label_id(1)], now, actor=WHO))
    assert hangs(shop, 1).is_retired
    undo(shop, last(shop, 1))
    assert hangs(shop, 0) == Hanging((Sku("sku-0"),))
    assert hangs(shop, 1) == Hanging((Sku("sku-1"),))
    shop.settle(gateway)
    assert all(shop.label(n).shown_digest == shop.wanted_digest(n) for n in (0, 1))


def test_undo_is_refused_with_the_reason(shop: Controller, clock: SimulatedClock) -> None:
    pair(shop, 0, "sku-1")
    first = last(shop, 0)
    pair(shop, 0, "sku-2")
    with pytest.raises(Conflict, match=f"step {last(shop, 0)} of the label .* came after it"):
        undo(shop, first)
    done(shop, lambda tx: pairing.unpair_labels(tx, STORE, [label_id(1)], NOON, actor=WHO))
    step = last(shop, 1)
    done(shop, lambda tx: delist_products(tx, STORE, [Sku("sku-1")], NOON))
    with pytest.raises(Conflict, match="no product 'sku-1' any more"):
        undo(shop, step)
    pair(shop, 2, "sku-0")
    clock.pass_s(UNDO_WITHIN.total_seconds() + 1)
    with pytest.raises(Conflict, match="more than 10 minutes old"):
        undo(shop, last(shop, 2))
    assert hangs(shop, 2) == Hanging((Sku("sku-0"),))
    with pytest.raises(NotFound):
        undo(shop, 10**9)


def test_undo_is_refused_where_the_label_was_changed_by_another_way(shop: Controller) -> None:
    pair(shop, 0, "sku-1", "sku-2")
    step = last(shop, 0)
    done(shop, lambda tx: delist_products(tx, STORE, [Sku("sku-2")], NOON))
    with pytest.raises(Conflict, match="changed since, by another way"):
        undo(shop, step)


def test_a_new_label_takes_the_products_and_the_place_of_a_broken_one(
    shop: Controller, gateway: FakeGateway
) -> None:
    pair(shop, 0, "sku-0", "sku-2", place="3/2/1")
    assert replace(shop, 0, 3) == (label_id(0), label_id(3))
    assert hangs(shop, 3) == Hanging((Sku("sku-0"), Sku("sku-2")), "3/2/1")
    assert hangs(shop, 0) == Hanging((), "3/2/1", is_retired=True)
    shop.settle(gateway)
    [(event, ending), *_] = steps(shop, 3)
    assert (event.action, event.beside, ending) == (
        Action.REPLACES,
        label_id(0),
        Ending.CONFIRMED,
    )
    assert replace(shop, 0, 3) == (), "again it does nothing"
    assert undo(shop, event.event_id) == (label_id(0), label_id(3))
    assert hangs(shop, 0) == Hanging((Sku("sku-0"), Sku("sku-2")), "3/2/1")
    assert hangs(shop, 3) == Hanging()


def test_what_cannot_replace_is_refused(shop: Controller) -> None:
    with pytest.raises(Conflict, match="speaks for 'sku-1'; take one that is free"):
        replace(shop, 0, 1)
    with pytest.raises(Conflict, match="speaks for nothing"):
        replace(shop, 3, 1)
    with pytest.raises(InvalidInput):
        replace(shop, 0, 0)
    with pytest.raises(UnknownLabel):
        replace(shop, 0, 99)
    assert hangs(shop, 0) == Hanging((Sku("sku-0"),))


def test_every_step_stands_in_the_audit(shop: Controller) -> None:
    pair(shop, 0, "sku-1")
    undo(shop, last(shop, 0))
    with shop.database.read() as tx:
        query = select(audit_entries).where(audit_entries.c.actor == WHO)
        found = tx.execute(query.order_by(audit_entries.c.entry_id)).all()
    assert [row.action for row in found] == ["pairing", "pairing"]
    assert '["sku-1"]' in found[0].detail
    assert '"undone"' in found[1].detail


def test_steps_are_forgotten_by_age_and_no_sooner(shop: Controller) -> None:
    then = NOON + timedelta(days=400)
    with shop.database.read() as tx:
        kept = len(pairing_events.events_of_store(tx, STORE))
    assert kept > 0
    assert done(shop, lambda tx: pairing_events.forget_events(tx, NOON, most=1000)) == 0
    assert done(shop, lambda tx: pairing_events.forget_events(tx, then, most=1000)) == kept


def test_many_pairings_of_one_request_are_all_written_down(shop: Controller) -> None:
    """Every label of a request has its step, and the audit holds each of them."""
    many = 1_200
    rows = [
        {"label_id": f"many-{n:05}", "store_id": STORE, "panel_id": "bwry-296x128"}
        for n in range(many)
    ]
    pairs = [Pairing(label_id=LabelId(str(r["label_id"])), sku=Sku("sku-1")) for r in rows]

    def work(tx: Connection) -> None:
        tx.execute(labels.insert(), rows)
        pairing.pair_labels(tx, STORE, pairs, NOON, single=False, actor=WHO)

    done(shop, work)
    with shop.database.read() as tx:
        found = pairing_events.events_of_store(tx, STORE, limit=5_000)
        entries = tx.execute(select(audit_entries).where(audit_entries.c.actor == WHO)).all()
    assert sum(one.label_id.startswith("many-") for one in found) == many
    assert [entry.subject for entry in entries] == ["500 labels", "500 labels", "200 labels"]
