"""Events told in sum, on both databases: one for one cause, each once, with what they are about."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, update

from esl.domain.guards import Guards
from esl.domain.promotion.life import Action, State
from esl.domain.subscription import HAPPENINGS, NAMED_MOST, EventType
from esl.services import event_recorder, guarding, problems
from esl.services.batches import apply_batch
from esl.services.pricing import apply_price_changes
from esl.services.retention import ORDERS_KEPT
from esl.store import happenings as rows
from esl.store.database import Database
from esl.store.event_books import SettledEnds
from esl.store.happenings import RecordedUpTo
from esl.store.tables import gateways, happenings, labels
from tests.builders import (
    GATEWAY,
    NOON,
    STORE,
    Controller,
    SimulatedClock,
    a_change,
    build_shelf,
    label_id,
)
from tests.pages import ROOT, blocks_of
from tests.promotions import HOUR, a_promotion, run, sleep, state, stop
from tests.unit.gateway.staged_gateway import on_the_line

LABELS = 120
SILENT_AFTER = timedelta(days=1)
LATER = NOON + timedelta(minutes=20)


@pytest.fixture
def tx(either_database: Database) -> Iterator[Connection]:
    """A writing transaction; a shelf of many labels that all show their prices."""
    with either_database.writing.begin() as opened:
        build_shelf(opened, labels_count=LABELS)
        settle(opened)
        opened.execute(update(gateways).values(online=True, heard_at=NOON, session="boot-1"))
        yield opened


def settle(tx: Connection) -> None:
    values = {"sent_rev": labels.c.wanted_rev, "shown_rev": labels.c.wanted_rev, "due_at": None}
    values |= {"settled_rev": labels.c.wanted_rev, "shown_digest": "ab" * 32, "seen_at": NOON}
    tx.execute(update(labels).values(values))


def look(tx: Connection, now: datetime) -> problems.Changes:
    return problems.find_changes(tx, now, silent_after=SILENT_AFTER)


def told(tx: Connection) -> list[tuple[str, dict[str, Any]]]:
    found = tx.execute(select(happenings).order_by(happenings.c.happening_id))
    return [(row.type, json.loads(row.data)) for row in found]


def price_all(tx: Connection, minor: int) -> None:
    changes = [a_change(f"sku-{n}", minor) for n in range(LABELS)]
    apply_price_changes(tx, STORE, changes, NOON, actor="till")


def test_a_lost_gateway_is_one_event_and_its_return_another(tx: Connection) -> None:
    problems.write_changes(tx, look(tx, LATER), LATER)
    [(kind, data)] = told(tx)
    assert (kind, data["gateway"], data["labels"]) == ("gateway.offline", GATEWAY, LABELS)
    tx.execute(update(gateways).values(heard_at=LATER))
    problems.write_changes(tx, look(tx, LATER), LATER)
    _, (kind, data) = told(tx)
    assert (kind, data["gateway"], data["labels"]) == ("gateway.online", GATEWAY, LABELS)
    assert data["offline_since"] == LATER.isoformat().replace("+00:00", "Z")


def test_labels_behind_a_lost_gateway_are_one_event_however_many(tx: Connection) -> None:
    price_all(tx, 150)
    changes = look(tx, LATER)
    assert len(changes.opened) == LABELS + 1
    for _ in range(2):  # two processes looked at the same moment
        problems.write_changes(tx, changes, LATER)
    events = dict(told(tx))
    assert len(told(tx)) == len(events) == 3
    late = events["label.problem"]
    assert (late["kind"], late["gateway"], late["count"]) == ("late", GATEWAY, LABELS)
    assert len(late["labels"]) == NAMED_MOST
    failed = events["price.failed"]
    assert (failed["why"], failed["labels"], failed["products"]) == ("deadline", LABELS, LABELS)
    assert failed["prices"][0]["price"] == "1.50"
    settle(tx)
    tx.execute(update(gateways).values(heard_at=LATER))
    problems.write_changes(tx, look(tx, LATER), LATER)
    over = dict(told(tx))["label.problem.closed"]
    assert (over["kind"], over["count"], len(over["labels"])) == ("late", LABELS, NAMED_MOST)


def test_a_label_alone_is_told_without_its_gateway(tx: Connection) -> None:
    tx.execute(update(gateways).values(heard_at=LATER))
    problem = {"problem": "label_timeout", "problem_detail": "no answer"}
    tx.execute(update(labels).where(labels.c.label_id == label_id(7)).values(**problem))
    problems.write_changes(tx, look(tx, LATER), LATER)
    events = dict(told(tx))
    assert events.keys() == {"label.problem", "price.failed"}
    assert events["label.problem"]["gateway"] is None
    [price] = events["price.failed"]["prices"]
    assert (price["label"], price["sku"], events["price.failed"]["why"]) == (
        label_id(7),
        "sku-7",
        "given_up",
    )


def test_no_statement_is_run_for_each_label(tx: Connection) -> None:
    price_all(tx, 150)
    changes = look(tx, LATER)
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(str(arguments[2]))

    event.listen(tx.engine, "before_cursor_execute", note)
    try:
        problems.write_changes(tx, changes, LATER)
    finally:
        event.remove(tx.engine, "before_cursor_execute", note)
    assert len(told(tx)) == 3
    assert len(statements) < 20


def test_what_is_rolled_back_is_not_told(either_database: Database) -> None:
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=1)
        settle(tx)
        tx.execute(update(gateways).values(online=True, heard_at=NOON, session="boot-1"))
    tx = either_database.writing.connect()
    begun = tx.begin()
    problems.write_changes(tx, look(tx, LATER), LATER)
    assert told(tx)
    begun.rollback()
    tx.close()
    with either_database.writing.begin() as tx:
        assert told(tx) == []
        problems.write_changes(tx, look(tx, LATER), LATER)
        assert [kind for kind, _ in told(tx)] == ["gateway.offline"]


def test_a_list_that_is_held_back_is_one_event_told_once(either_database: Database) -> None:
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=LABELS, price_minor=100)
        guarding.put_guards(tx, STORE, Guards(), NOON, actor="t", reason="")
        shifted = [a_change(f"sku-{n}", 1000 + n, source_seq=None) for n in range(LABELS)]
        _, number = apply_batch(tx, STORE, shifted, NOON, actor="till")
    settled = SettledEnds(rows.ends_of, RecordedUpTo(0, 0))
    recorded = 0
    for _ in range(3):
        with either_database.read() as tx:
            whole = settled.look(tx)
            has_news = event_recorder.has_news(tx, whole)
        if has_news:
            with either_database.writing.begin() as tx:
                recorded += event_recorder.record(tx, whole, NOON)
    assert recorded == 1
    with either_database.read() as tx:
        [(kind, data)] = told(tx)
    assert (kind, data["batch"], data["count"]) == ("quarantine.opened", number, LABELS)
    assert len(data["prices"]) == NAMED_MOST
    assert data["reasons"]


def record(shop: Controller) -> list[tuple[str, dict[str, Any]]]:
    """Record what is new, as a controller does from time to time."""
    with shop.database.read() as tx:
        whole = rows.ends_of(tx)
    shop.writer.write(lambda tx: event_recorder.record(tx, whole, shop.time.now()))
    with shop.database.read() as tx:
        return told(tx)


def test_a_promotion_is_finished_once_its_labels_show_so_or_time_is_up(
    either_database: Database,
) -> None:
    clock = SimulatedClock()
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=3)
    shop = Controller(either_database, clock)
    gateway = on_the_line(shop, clock)
    a_promotion(shop, None, 2 * HOUR)
    run(shop, gateway)
    assert state(shop) is State.ACTIVE
    assert record(shop) == []
    stop(shop, Action.END)
    shop.staging.begin_flips()
    assert state(shop) is State.ENDED
    assert record(shop) == [], "its labels still show it"
    run(shop, gateway)
    [(kind, data)] = record(shop)
    assert kind == "promotion.finished"
    assert (data["promotion"], data["outcome"], data["stragglers"]) == ("weekend", "ended", 0)
    assert data["counts"] == {"shown": 2}
    assert len(record(shop)) == 1

    a_promotion(shop, None, 2 * HOUR, id="second")
    run(shop, gateway)
    stop(shop, Action.END, "second")
    shop.staging.begin_flips()
    assert len(record(shop)) == 1
    sleep(shop, gateway, clock, event_recorder.FINISH_PATIENCE.total_seconds() + 1)
    _, (kind, data) = record(shop)
    assert (data["promotion"], data["stragglers"], data["labels"]) == ("second", 2, 2)
    assert {one["label"] for one in data["behind"]} == {label_id(0), label_id(1)}
    assert len(record(shop)) == 2
    shop.close()


def test_old_happenings_go_but_the_newest_whose_number_would_come_again(tx: Connection) -> None:
    for heard_at in (NOON, LATER, NOON):
        tx.execute(update(gateways).values(heard_at=heard_at))
        problems.write_changes(tx, look(tx, LATER), LATER)
    assert len(told(tx)) == 3
    assert rows.forget_happenings(tx, LATER, most=1000) == 0
    after = LATER + ORDERS_KEPT + timedelta(seconds=1)
    assert rows.forget_happenings(tx, after - ORDERS_KEPT, most=1000) == 2
    assert [kind for kind, _ in told(tx)] == ["gateway.offline"]


def test_the_page_shows_all_of_them() -> None:
    bodies = [json.loads(b.text) for b in blocks_of(ROOT / "docs/events.md") if b.kind == "json"]
    shown = {one["type"] for one in bodies if "type" in one}
    assert {kind.value for kind in HAPPENINGS} <= shown
    page = (ROOT / "docs/events.md").read_text()
    assert all(f"`{kind}`" in page for kind in EventType)
