"""Events on SQLite and on PostgreSQL: each book told once, whole, in order, and nothing skipped."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from api.books import Books
from api.listeners import event_teller
from api.listeners.event_teller import SECRET_KIND, EventTeller, secret_of
from api.secret_box import open_box
from api.stage_clock import StageClock
from esl.domain.clock import EffectiveClock
from esl.domain.errors import EditConflict
from esl.domain.ids import Sku, StoreId
from esl.domain.place import Pairing
from esl.domain.subscription import (
    HAPPENINGS,
    Event,
    EventType,
    Places,
    Subscription,
    SubscriptionPut,
)
from esl.services import pairing, subscriptions
from esl.services.event_messages import Gathered, gather, write_message
from esl.services.pricing import apply_price_changes
from esl.services.retention import HOOKS_KEPT
from esl.store import audit, event_deliveries
from esl.store import subscriptions as rows
from esl.store.database import Database
from esl.store.event_books import Settled
from esl.store.tables import (
    display_log,
    labels,
    problems,
    products,
    stock_told,
)
from esl.store.tables import (
    event_deliveries as deliveries,
)
from tests.builders import (
    GATEWAY,
    NOON,
    STORE,
    SimulatedClock,
    a_change,
    build_shelf,
    label_id,
    running_writer,
)
from tests.pages import ROOT, blocks_of
from tests.receiver import Receiver, running_receiver

OTHER = StoreId("rovinj-2")
ALL = frozenset(EventType)
MINUTE = timedelta(minutes=1)


class Shop:
    """A shelf of three labels, the first two of which speak for one product; somebody listens."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.write(lambda tx: build_shelf(tx, labels_count=3))
        pairs = [Pairing(label_id=label_id(1), sku=Sku("sku-0"))]
        self.write(lambda tx: pairing.pair_labels(tx, STORE, pairs, NOON, single=False))
        self.paint(0, 1, 2)
        self.settled = Settled()
        self.subscribe()

    def write(self, work: Callable[[Connection], Any]) -> Any:
        with self.database.writing.begin() as tx:
            return work(tx)

    def subscribe(self, **changes: Any) -> None:
        put = SubscriptionPut(
            subscription_id="erp", store_id=STORE, url="https://erp.example", events=ALL
        )
        put = replace(put, **changes)
        self.write(
            lambda tx: subscriptions.put_subscription(tx, put, NOON, actor="anna", sealed=b"s")
        )

    def price(self, minor: int, sku: str = "sku-0", at: datetime = NOON + MINUTE) -> None:
        changes = [a_change(sku, minor)]
        self.write(lambda tx: apply_price_changes(tx, STORE, changes, at, actor="till"))

    def paint(self, *numbers: int, at: datetime = NOON + 2 * MINUTE) -> None:
        """Let labels say that they show what they want."""
        for number in numbers:
            name = label_id(number)

            def say(tx: Connection, name: str = name) -> None:
                wanted = select(labels.c.wanted_rev).where(labels.c.label_id == name)
                rev = tx.execute(wanted).scalar_one()
                said = {"label_id": name, "rev": rev, "digest": "0" * 64, "incarnation": 1}
                said |= {"gateway_id": GATEWAY, "session": "s", "recorded_at": at}
                tx.execute(insert(display_log).values(**said))
                now = {"shown_rev": rev, "settled_rev": rev, "due_at": None}
                tx.execute(update(labels).where(labels.c.label_id == name).values(**now))

            self.write(say)

    def stock(self, pieces: int | None, sku: str = "sku-0") -> None:
        of_it = (products.c.store_id == STORE) & (products.c.sku == sku)
        self.write(lambda tx: tx.execute(update(products).where(of_it).values(stock=pieces)))

    def seen(self) -> Subscription:
        with self.database.read() as tx:
            return rows.subscription_named(tx, "erp")

    def whole(self) -> Places:
        with self.database.read() as tx:
            self.settled.look(tx)
        with self.database.read() as tx:
            return self.settled.look(tx)

    def gather(self, *, with_stock: bool = False) -> Gathered:
        whole = self.whole()
        with self.database.read() as tx:
            seen = rows.subscription_named(tx, "erp")
            return gather(tx, seen, whole, NOON, message_id="evt_1", with_stock=with_stock)

    def take(self, *, with_stock: bool = False) -> list[Event]:
        """Gather the next message, and write down that it was heard."""
        found = self.gather(with_stock=with_stock)

        def keep(tx: Connection) -> bool:
            seen = rows.subscription_named(tx, "erp")
            rows.put_told(tx, "erp", found.told)
            return rows.claim_turn(tx, seen, until=NOON, at=found.at)

        assert self.write(keep)
        return list(found.events)


@pytest.fixture
def shop(either_database: Database) -> Shop:
    return Shop(either_database)


def cancel(tx: Connection, at: datetime, promotion: str = "spring") -> None:
    detail = {"from": "active", "to": "rolled_back", "version": 1}
    audit.note(
        tx,
        at,
        actor="ana",
        action="promotion_cancel",
        subject=promotion,
        store_id=STORE,
        reason="wrong",
        detail=detail,
    )


def a_problem(tx: Connection, subject: str = "label-0001") -> None:
    row = {"store_id": STORE, "kind": "battery_low", "subject": subject, "since": NOON}
    row |= {"reason": "low", "what_to_do": "Change it."}
    tx.execute(insert(problems).values(**row))


def test_what_was_before_is_not_told_and_nothing_is_told_twice(shop: Shop) -> None:
    assert shop.take() == []
    shop.price(139)
    [event] = shop.take()
    assert (event.type, event.store_id) == ("price.changed", STORE)
    assert (event.data["sku"], event.data["price"], event.data["before"]) == (
        "sku-0",
        "1.39",
        "1.29",
    )
    assert shop.take() == []


def test_books_are_merged_by_their_moments_and_cut_without_loss(shop: Shop) -> None:
    for minute in range(1, 8):
        shop.price(200 + minute, f"sku-{minute % 3}", NOON + minute * MINUTE)
    shop.write(lambda tx: cancel(tx, NOON + 3 * MINUTE + timedelta(seconds=1)))
    shop.write(a_problem)
    shop.subscribe(batch_most=3)
    told: list[str] = []
    while events := shop.take():
        assert len(events) <= 3
        told += [event.event_id.partition("-")[0] for event in events]
    assert told == ["problem", "price", "price", "price", "promotion", *["price"] * 4]


def test_a_stretch_without_events_is_gone_over_once(shop: Shop) -> None:
    shop.subscribe(events=frozenset({EventType.PRICE_CHANGED}))
    shop.write(lambda tx: build_shelf(tx, labels_count=0, store_id=OTHER, gateways=()))
    for number in range(3):
        shop.write(lambda tx, n=number: a_problem(tx, f"label-{n}"))
    found = shop.gather()
    assert found.events == ()
    assert found.at == shop.whole()


def test_a_store_hears_of_itself_alone_and_the_chain_of_all(shop: Shop) -> None:
    shop.write(lambda tx: build_shelf(tx, labels_count=0, store_id=OTHER, gateways=()))
    chain = SubscriptionPut(
        subscription_id="chain", store_id=None, url="https://x.example", events=ALL
    )
    elsewhere = replace(chain, subscription_id="other", store_id=OTHER)
    for put in (chain, elsewhere):
        shop.write(
            lambda tx, put=put: subscriptions.put_subscription(
                tx, put, NOON, actor="a", sealed=b"s"
            )
        )
    shop.price(139)
    shop.write(lambda tx: cancel(tx, NOON))
    shop.write(a_problem)
    shop.paint(0, 1)
    whole = shop.whole()
    told = {}
    with shop.database.read() as tx:
        for name in ("erp", "chain", "other"):
            seen = rows.subscription_named(tx, name)
            found = gather(tx, seen, whole, NOON, message_id="evt_1", with_stock=False)
            told[name] = sorted(event.event_id for event in found.events)
    assert told["erp"] == told["chain"]
    assert len(told["erp"]) == 5
    assert told["other"] == []


def test_a_price_is_shown_when_its_last_label_says_so(shop: Shop) -> None:
    shop.subscribe(events=frozenset({EventType.PRICE_SHOWN}))
    shop.price(139)
    shop.paint(0)
    assert shop.take() == [], "the second label has not said so"
    shop.paint(1)
    [event] = shop.take()
    assert (event.type, dict(event.data)) == (
        "price.shown",
        {
            "sku": "sku-0",
            "price": "1.39",
            "currency": "EUR",
            "rev": event.data["rev"],
            "labels": 2,
        },
    )
    shop.paint(0, 1)
    assert shop.take() == [], "they say it again"
    shop.price(149)
    shop.paint(0)
    shop.price(159)
    shop.paint(1)
    assert shop.take() == [], "of the first price no label speaks for the second"
    shop.paint(0)
    [event] = shop.take()
    assert event.data["price"] == "1.59"


def test_a_label_that_showed_it_before_is_not_waited_for(shop: Shop) -> None:
    shop.subscribe(events=frozenset({EventType.PRICE_SHOWN}))
    shop.price(139)
    settled = {"settled_rev": labels.c.wanted_rev, "due_at": None}
    of_it = labels.c.label_id == label_id(1)
    shop.write(lambda tx: tx.execute(update(labels).where(of_it).values(**settled)))
    shop.paint(0)
    assert [event.data["labels"] for event in shop.take()] == [2]


def test_stock_is_told_as_labels_go_by_it(shop: Shop) -> None:
    shop.subscribe(
        events=frozenset({EventType.STOCK_LOW, EventType.STOCK_OUT, EventType.STOCK_BACK}),
        low_stock=5,
    )
    told: list[tuple[str, int]] = []
    for stock in (9, 6, 5, 3, 0, -1, 2, 6, 0, 6, 7, None, 0, 30):
        shop.stock(stock)
        told += [(event.type, event.data["stock"]) for event in shop.take(with_stock=True)]
    assert told == [
        ("stock.low", 5),
        ("stock.out", 0),
        ("stock.low", 2),
        ("stock.out", 0),
        ("stock.low", 6),
        ("stock.back", 7),
        ("stock.out", 0),
        ("stock.back", 30),
    ]
    with shop.database.read() as tx:
        assert tx.execute(select(stock_told)).all() == []


def test_stock_that_is_not_asked_for_is_not_told(shop: Shop) -> None:
    shop.subscribe(events=frozenset({EventType.STOCK_OUT}), low_stock=5)
    told = []
    for stock in (3, 0, 3, 0):
        shop.stock(stock)
        told += [event.type for event in shop.take(with_stock=True)]
    assert told == ["stock.out", "stock.out"]


def test_what_is_asked_for_later_is_heard_from_then_on(shop: Shop) -> None:
    shop.subscribe(events=frozenset({EventType.PROBLEM_OPENED}))
    shop.price(139)
    shop.write(a_problem)
    shop.subscribe(events=frozenset({EventType.PROBLEM_OPENED, EventType.PRICE_CHANGED}))
    shop.price(149)
    assert [event.type for event in shop.take()] == ["problem.opened", "price.changed"]


def test_of_two_that_are_made_at_once_one_is(shop: Shop) -> None:
    put = SubscriptionPut(
        subscription_id="erp", store_id=STORE, url="https://erp.example", events=ALL
    )
    with pytest.raises(EditConflict):
        shop.write(
            lambda tx: rows.insert_subscription(
                tx, put, NOON, actor="a", sealed=b"other", at=Places()
            )
        )


def test_a_turn_is_taken_by_one(shop: Shop) -> None:
    seen = shop.seen()
    until = NOON + MINUTE
    assert shop.write(lambda tx: rows.claim_turn(tx, seen, until=until))
    assert not shop.write(lambda tx: rows.claim_turn(tx, seen, until=until))
    assert not shop.write(lambda tx: rows.note_taken(tx, "erp", seen.turn))
    assert shop.write(lambda tx: rows.note_taken(tx, "erp", seen.turn + 1))


@pytest.mark.parametrize("either_database", ["postgresql"], indirect=True)
def test_a_row_that_is_committed_late_is_not_skipped(shop: Shop) -> None:
    """PostgreSQL gives numbers out before it commits; in SQLite one connection writes at a time."""
    with shop.database.writing.connect() as late, late.begin():
        cancel(late, NOON, "late")
        shop.write(lambda tx: cancel(tx, NOON, "early"))
        assert shop.take() == [], "a lower number is not seen yet"
    told = [event.data["promotion"] for event in shop.take()]
    assert told == ["late", "early"]


def test_messages_are_bounded_and_go_in_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_deliveries, "KEPT_MOST", 20)

    def put(tx: Connection, number: int) -> int:
        made = event_deliveries.put_delivery(
            tx, "erp", message_id=f"evt_{number}", body=b"{}", events=1, now=NOON
        )
        if number:
            event_deliveries.note_attempt(tx, made, NOON, status=200, error=None)
        return made

    most = event_deliveries.KEPT_MOST
    shop.write(lambda tx: [put(tx, number) for number in range(most + 10)])
    with shop.database.read() as tx:
        kept = event_deliveries.list_deliveries(tx, "erp", before=None, limit=most * 2)
        waiting = event_deliveries.first_open(tx, "erp")
    assert len(kept) == most + 1, "the first waits, and waits on"
    assert waiting is not None
    assert (waiting[0].message_id, waiting[1]) == ("evt_0", b"{}")
    later = NOON + HOOKS_KEPT + MINUTE
    before = later - HOOKS_KEPT
    gone = shop.write(lambda tx: event_deliveries.forget_deliveries(tx, before, most=1000))
    assert gone == most
    with shop.database.read() as tx:
        assert len(tx.execute(select(deliveries)).all()) == 1


def shape(value: Any) -> Any:
    """Return which fields a value has, and which fields those have."""
    return {key: shape(one) for key, one in value.items()} if isinstance(value, dict) else None


def test_the_page_shows_events_as_they_are(shop: Shop) -> None:
    shop.subscribe(low_stock=5)
    shop.price(139)
    shop.write(lambda tx: cancel(tx, NOON))
    shop.write(a_problem)
    shop.paint(0, 1)
    shop.stock(4)
    found = shop.gather(with_stock=True)
    message = json.loads(write_message("erp", found.events, NOON))
    told = {event["type"]: event for event in message["data"]["events"]}
    bodies = [json.loads(b.text) for b in blocks_of(ROOT / "docs/events.md") if b.kind == "json"]
    shown = [bodies[1]["data"]["events"][0], *bodies[2:]]
    shown = [one for one in shown if one["type"] not in HAPPENINGS]
    assert {one["type"] for one in shown} == told.keys()
    for one in shown:
        assert shape(one) == shape(told[one["type"]])
    assert shape(bodies[1] | {"data": None}) == shape(message | {"data": None})


@dataclass(frozen=True)
class Telling:
    """Somebody who hears of prices, told by a teller that is stepped by hand."""

    machine: SimulatedClock
    clock: EffectiveClock
    receiver: Receiver
    teller: EventTeller
    put_again: Callable[[], None]


@pytest.fixture
def telling(shop: Shop, tmp_path: Path) -> Iterator[Telling]:
    (tmp_path / "keys").mkdir()
    machine = SimulatedClock()
    with running_receiver() as receiver, running_writer(shop.database, machine) as writer:
        clock = EffectiveClock(machine)
        books = Books(database=shop.database, writer=writer, clock=clock, stages=StageClock())
        sealed = open_box(tmp_path).seal(
            "whsec_QUJDREVGR0g=", source=secret_of("erp"), kind=SECRET_KIND
        )
        shop.write(lambda tx: subscriptions.delete_subscription(tx, shop.seen(), NOON, actor="a"))
        put = SubscriptionPut(
            subscription_id="erp",
            store_id=None,
            url=receiver.url,
            events=frozenset({EventType.PRICE_CHANGED}),
            allow_private=True,
        )

        def put_again() -> None:
            shop.write(
                lambda tx: subscriptions.put_subscription(tx, put, NOON, actor="a", sealed=sealed)
            )

        put_again()
        teller = EventTeller(books, tmp_path, chance=lambda: 0.5)
        yield Telling(machine, clock, receiver, teller, put_again)


def test_what_was_gathered_while_somebody_changed_the_subscription_is_not_lost(
    shop: Shop, telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = [telling.put_again]

    def gather_slowly(*given: Any, **options: Any) -> Gathered:
        found = gather(*given, **options)
        if changes:
            changes.pop()()  # between reading the books and writing the message down
        return found

    monkeypatch.setattr(event_teller, "gather", gather_slowly)
    shop.price(200)
    telling.teller.look()  # in PostgreSQL a book is whole with the second look
    assert telling.teller.step() == 0, "it was changed, so nothing was kept"
    assert changes == []
    assert telling.teller.step() == 1
    assert [event["data"]["price"] for event in told_by(telling.receiver)] == ["2.00"]


def told_by(receiver: Receiver) -> list[dict[str, Any]]:
    return [event for got in receiver.got for event in json.loads(got.body)["data"]["events"]]


def test_a_teller_waits_longer_and_longer_and_gives_up_after_three_days(
    shop: Shop, telling: Telling
) -> None:
    clock, machine, receiver = telling.clock, telling.machine, telling.receiver
    teller = telling.teller
    receiver.status = 500
    for minor in range(200, 230):
        shop.price(minor)
    teller.look()  # in PostgreSQL a book is whole with the second look
    began, tried = clock.now(), []
    while (seen := shop.seen()).is_running:
        assert len(tried) < 30
        wait = max(seen.next_at or began, clock.now()) - clock.now()
        machine.pass_s((wait if len(tried) < 12 else timedelta(hours=12)).total_seconds())
        teller.step()
        tried.append((clock.now() - began).total_seconds())
    assert len(receiver.got) == len(tried)
    assert len({got.body for got in receiver.got}) == 1, "the same each time"
    pauses = [round(later - before) for before, later in pairwise(tried)]
    assert (pauses[:4], set(pauses[9:11])) == ([11, 22, 44, 88], {3960})
    assert 3 <= (clock.now() - began) / timedelta(days=1) <= 3.6
    receiver.status = 200
    telling.put_again()
    assert teller.step() == 1
    events = json.loads(receiver.got[-1].body)["data"]["events"]
    assert len(events) == 30
