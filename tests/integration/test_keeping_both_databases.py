"""No table grows for ever unless that was decided; what the intake has done with goes in time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Table, func, insert, select

from esl.domain.staged import FlipState
from esl.services import keeping
from esl.services.retention import (
    HISTORY_KEPT,
    HOOKS_KEPT,
    ORDERS_KEPT,
    PROBLEMS_KEPT,
    ROWS_A_STEP,
    Forgetting,
)
from esl.store import places, tables
from esl.store.database import Database
from esl.store.writer import Writer
from tests.builders import STORE, a_store, running_writer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OF_A_PRICE = {"store_id": STORE, "sku": "s", "source": "till", "said": "{}", "actor": "t"}
OF_A_FILE = {
    "source": "till",
    "sha256": "ab" * 32,
    "name": "a.csv",
    "size_bytes": 1,
    "modified_ns": 1,
    "result": "none",
    "rev_before": 0,
    "seen_at": NOON,
}


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    with running_writer(database) as opened:
        opened.write(lambda tx: places.put_store(tx, a_store()))
        yield opened


def test_every_table_is_bounded_or_pruned_or_kept_on_purpose() -> None:
    """A new table stands in `esl.services.keeping`, and if it is pruned, in a test."""
    said = [*keeping.BOUNDED, *keeping.PRUNED, *keeping.FOR_GOOD]
    assert len(said) == len(set(said)), "a table has one fate"
    assert set(said) - {"alembic_version"} == set(tables.metadata.tables)


def held(number: int, **more: Any) -> dict[str, Any]:
    return {
        **OF_A_PRICE,
        "price_minor": 129,
        "currency": "EUR",
        "reasons": "rise",
        "received_at": NOON,
        "expires_at": NOON,
        "sku": f"s{number}",
    } | more


def planned(**more: Any) -> dict[str, Any]:
    return {**OF_A_PRICE, "valid_from": NOON, "received_at": NOON, "state": "done"} | more


def a_batch(**more: Any) -> dict[str, Any]:
    return {"store_id": STORE, "source": "till", "actor": "t", "began_at": NOON} | more


def an_event(number: int, **more: Any) -> dict[str, Any]:
    made = {"source": "shop", "event_id": str(number), "system": "shopify", "body": b"{}"}
    return made | {"received_at": NOON, "state": "done", "due_at": None} | more


def a_proposal(**more: Any) -> dict[str, Any]:
    made = {name: value for name, value in OF_A_PRICE.items() if name != "said"}
    told = {"price_minor": 129, "currency": "EUR", "reason": "footfall", "received_at": NOON}
    return made | told | {"rev": None, "quarantine_id": None} | more


def a_flip(**more: Any) -> dict[str, Any]:
    made = {"store_id": STORE, "show_at": NOON, "changes": "[]", "actor": "t", "planned_at": NOON}
    return made | more


def a_walk(**more: Any) -> dict[str, Any]:
    return {"store_id": STORE, "seed": 7, "size": 50, "begun_at": NOON, "begun_by": "t"} | more


def a_ticket(**more: Any) -> dict[str, Any]:
    label = {"store_id": STORE, "label_id": "l-1", "rev": 1, "was_settled": False, "skus": "s"}
    paper = {"sheet": "00", "name": "n", "width_tenths_mm": 1, "height_tenths_mm": 1}
    return label | paper | {"picture": b"", "printed_at": NOON, "printed_by": "t"} | more


def a_task(**more: Any) -> dict[str, Any]:
    return {"store_id": STORE, "label_id": "l-1", "reason": "r", "opened_at": NOON} | more


FATES: list[tuple[Table, timedelta, list[dict[str, Any]], list[dict[str, Any]]]] = [
    (
        tables.quarantine,
        HISTORY_KEPT,
        [held(1, state="approved"), held(2, state="superseded")],
        [held(3, state="open")],
    ),
    (
        tables.scheduled_prices,
        PROBLEMS_KEPT,
        [planned(due_at=None)],
        [planned(state="waiting", due_at=NOON + 900 * DAY)],
    ),
    (
        tables.flips,
        ORDERS_KEPT,
        [a_flip(state=int(FlipState.BEGUN), ended_at=NOON)],
        [a_flip(state=int(FlipState.PLANNED), ended_at=None)],
    ),
    (tables.hook_events, HOOKS_KEPT, [an_event(1)], [an_event(2, state="new", due_at=NOON)]),
    (tables.remove_tasks, PROBLEMS_KEPT, [a_task(done_at=NOON)], [a_task(done_at=None)]),
    (
        tables.sign_in_links,
        ORDERS_KEPT,
        [{"secret_sha256": "a", "person": "p", "uses_left": 0, "expires_at": NOON}],
        [{"secret_sha256": "b", "person": "p", "uses_left": 1, "expires_at": NOON + 900 * DAY}],
    ),
    (
        tables.seen_files,
        HISTORY_KEPT,
        [OF_A_FILE | {"instance": "a", "state": "gone"}],
        [OF_A_FILE | {"instance": "b", "state": "found"}],
    ),
    (
        tables.proposals,
        PROBLEMS_KEPT,
        [a_proposal(state="refused"), a_proposal(state="rejected")],
        [a_proposal(state="accepted", rev=7), a_proposal(state="held", quarantine_id=7)],
    ),
    (tables.batches, HISTORY_KEPT, [a_batch()], [a_batch(began_at=NOON + 10 * DAY)]),
    (tables.paper_tickets, PROBLEMS_KEPT, [a_ticket(gone_at=NOON)], [a_ticket(gone_at=None)]),
    (tables.inspections, HISTORY_KEPT, [a_walk()], [a_walk(begun_at=NOON + 10 * DAY)]),
]


def go_round(forgetting: Forgetting, now: datetime) -> None:
    for _ in range(500):
        if not forgetting.step(now, now):
            return
    raise AssertionError("a round ends")


def count(tx: Connection, table: Table) -> int:
    return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def test_what_is_over_goes_in_time_and_what_is_not_stays(
    database: Database, writer: Writer
) -> None:
    def fill(tx: Connection) -> None:
        for table, _, over, open_still in FATES:
            for row in [*over, *open_still]:
                tx.execute(insert(table).values(**row))

    def counts() -> dict[str, int]:
        with database.read() as tx:
            return {table.name: count(tx, table) for table, _, _, _ in FATES}

    writer.write(fill)
    forgetting = Forgetting(database=database, writer=writer)
    for table, kept, over, open_still in sorted(FATES, key=lambda fate: fate[1]):
        before = counts()[table.name]
        if before > len(open_still):  # not gone with another that is kept as long
            go_round(forgetting, NOON + kept - DAY)
            assert counts()[table.name] == len(over) + len(open_still), "no sooner than said"
        go_round(forgetting, NOON + kept + DAY)
        assert counts()[table.name] == len(open_still)


def test_an_inspection_goes_with_its_items(database: Database, writer: Writer) -> None:
    item = {"label_id": "l-1", "sku": "s", "name": "n"}

    def fill(tx: Connection) -> None:
        for begun_at in (NOON, NOON + 10 * DAY):
            walk = insert(tables.inspections).values(**a_walk(begun_at=begun_at))
            number = tx.execute(walk.returning(tables.inspections.c.inspection_id)).scalar_one()
            for place in (1, 2):
                row = item | {"inspection_id": number, "number": place}
                tx.execute(insert(tables.inspection_items).values(**row))

    writer.write(fill)
    go_round(Forgetting(database=database, writer=writer), NOON + HISTORY_KEPT + DAY)
    with database.read() as tx:
        assert count(tx, tables.inspections) == 1
        assert count(tx, tables.inspection_items) == 2


def test_a_batch_whose_missing_products_wait_stays(database: Database, writer: Writer) -> None:
    missing = {"store_id": STORE, "sku": "s", "source": "till", "noted_at": NOON}

    def fill(tx: Connection) -> None:
        made = insert(tables.batches).values(**a_batch()).returning(tables.batches.c.batch_id)
        number = tx.execute(made).scalar_one()
        tx.execute(insert(tables.missing_products).values(**missing, batch_id=number))

    writer.write(fill)
    go_round(Forgetting(database=database, writer=writer), NOON + HISTORY_KEPT + DAY)
    with database.read() as tx:
        assert count(tx, tables.batches) == 1


def test_one_round_forgets_all_however_much_there_is(database: Database, writer: Writer) -> None:
    many = ROWS_A_STEP * 2 + 500
    rows = [an_event(number) for number in range(many)]
    writer.write(lambda tx: tx.execute(insert(tables.hook_events), rows) and None)
    forgetting = Forgetting(database=database, writer=writer)
    go_round(forgetting, NOON + HOOKS_KEPT + DAY)
    assert forgetting.removed == many
