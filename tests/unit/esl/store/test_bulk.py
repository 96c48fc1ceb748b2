"""What SQLite makes of the bulk statements, and what never enters them.

That both databases do the same with them: tests/integration/test_bulk_both_databases.py.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, select

import esl.store
from esl.domain.label import Lane
from esl.store import bulk, wall_counts
from esl.store.bulk import ROWS_MOST, Bulk
from esl.store.columns import instant_text
from esl.store.tables import labels
from tests.builders import NOON, bare_labels, build_shelf, label_id, open_database


def every_statement() -> Iterator[tuple[str, Bulk]]:
    """All bulk statements of the store, by module and name."""
    for module in pkgutil.iter_modules(esl.store.__path__, "esl.store."):
        if not module.ispkg:
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, Bulk):
                    yield f"{module.name.rpartition('.')[2]}.{name}", value


WIDEST = 24
OVER_ROWS = {
    name: b
    for name, b in every_statement()
    if b.takes_rows and "pg_advisory" not in b.sqlite(1, WIDEST)  # PostgreSQL alone is asked that
}
SIZES = (1, 2, 16, ROWS_MOST)


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[Connection]:
    database = open_database(tmp_path)
    with database.writing.begin() as opened:
        build_shelf(opened, labels_count=0)
        yield opened
    database.close()


def plan_of(tx: Connection, statement: Bulk, rows: int = 2) -> list[str]:
    text = statement.sqlite(rows, WIDEST)
    found = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", (None,) * text.count("?"))
    return [row[3] for row in found]


def after_the_rows(steps: list[str]) -> list[str]:
    """What comes after the steps that make the list of rows; it is looked at but once."""
    ends = [n for n, step in enumerate(steps) if step.startswith("SCAN (subquery")]
    assert len(ends) == 1
    assert [step for step in steps[: ends[0]] if "label" in step or "SEARCH" in step] == []
    return steps[ends[0] + 1 :]


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("name", OVER_ROWS)
def test_the_rows_are_the_outer_loop_and_all_else_is_found_by_key(
    tx: Connection, name: str, rows: int
) -> None:
    steps = plan_of(tx, OVER_ROWS[name], rows)
    text = OVER_ROWS[name].sqlite(1, WIDEST)
    if "DELETE" in text:
        by_key, subquery, *steps = steps  # the rows are found first, then removed
        assert by_key.startswith("SEARCH")
        assert subquery.startswith("LIST SUBQUERY")
    elif name == "sources._HEARD_FOR":  # rows that another has locked are passed over
        assert [step.split()[0] for step in steps[:4]] == ["SEARCH", "LIST", "SEARCH", "LIST"]
        del steps[:4]
    inner = after_the_rows(steps)
    if inner[:1] == ["SCAN j"]:
        del inner[0]  # the list, where it is more than the values themselves
    assert inner or "INSERT" in text or "DELETE" in text or "_HEARD_FOR" in name
    assert not [step for step in inner if "SCAN" in step]


def test_a_plan_the_wrong_way_round_is_found(tx: Connection) -> None:
    wrong = Bulk("SELECT label_id FROM label CROSS JOIN {rows} WHERE label_id > j.value->>0")
    assert after_the_rows(plan_of(tx, wrong))[0].startswith("SCAN label")


def test_what_is_due_is_counted_from_the_index_alone(tx: Connection) -> None:
    assert "COVERING INDEX ix_label_due" in plan_of(tx, bulk.PEEK)[0]


def test_a_claim_walks_the_index_of_what_is_due_and_sorts_nothing(tx: Connection) -> None:
    steps = plan_of(tx, bulk.CLAIM)
    assert any("INDEX ix_label_due (gateway_id=?)" in step for step in steps)
    assert not [step for step in steps if "TEMP B-TREE" in step or step == "SCAN label"]


@pytest.mark.parametrize("name", ["_COUNT_PAIRED", "_COUNT_UNSETTLED"])
def test_a_store_is_counted_from_indexes_that_hold_what_is_counted(
    tx: Connection, name: str
) -> None:
    steps = [step for step in plan_of(tx, getattr(wall_counts, name)) if " label" in step]
    steps += [step for step in plan_of(tx, getattr(wall_counts, name)) if " pairing" in step]
    assert steps
    allowed = ("ix_label_due", "ix_label_stuck", "ix_pairing_first")
    assert [step for step in steps if not any(index in step for index in allowed)] == []


@pytest.mark.parametrize(
    "instant",
    [
        NOON,
        NOON + timedelta(microseconds=7),
        datetime(2026, 1, 1, 1, 2, 3, 40, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_an_instant_in_text_is_the_one_that_the_column_stores(
    tx: Connection, instant: datetime
) -> None:
    bare_labels(tx, [{"label_id": label_id(0), "due_at": instant}])
    stored = tx.exec_driver_sql("SELECT due_at FROM label").scalar_one()
    assert stored == instant_text(instant)
    assert tx.execute(select(labels.c.due_at)).scalar_one() == instant


def test_a_naive_instant_has_no_text() -> None:
    with pytest.raises(ValueError, match="naive"):
        instant_text(datetime(2026, 1, 1))  # noqa: DTZ001


def test_an_instant_that_did_not_become_text_is_refused(tx: Connection) -> None:
    with pytest.raises(TypeError, match="instant_text"):
        bulk.RECORD_LABELS.run(tx, [["label-0000", 1, "gw-1", NOON]])  # type: ignore[list-item]


@pytest.mark.parametrize("count", [1, 2, 3, 511, 512, 513, 1100])
def test_a_batch_of_any_size_is_taken_whole_and_nothing_beside_it(
    tx: Connection, count: int
) -> None:
    bare_labels(tx, [{"label_id": label_id(n)} for n in range(1200)])
    mark = Bulk(
        "UPDATE label SET lane = CAST(j.value->>1 AS bigint) + :more FROM {rows}"
        " WHERE label.label_id = j.value->>0 RETURNING label.label_id"
    )
    returned = mark.run(tx, [(label_id(n), n % 100) for n in range(count)], more=5)
    assert sorted(returned) == sorted((label_id(n),) for n in range(count))
    lanes = {r.label_id: r.lane for r in tx.execute(select(labels.c.label_id, labels.c.lane))}
    normal = int(Lane.NORMAL)
    for n in range(1200):
        assert lanes[label_id(n)] == (n % 100 + 5 if n < count else normal)


def test_texts_alone_are_rows_too(tx: Connection) -> None:
    bare_labels(tx, [{"label_id": label_id(n)} for n in range(4)])
    some = Bulk("SELECT label_id FROM {rows} CROSS JOIN label WHERE label_id = {item}")
    assert some.run(tx, [label_id(2), "none", label_id(0)]) == [(label_id(2),), (label_id(0),)]


def test_an_empty_batch_asks_the_database_nothing(tx: Connection) -> None:
    asked: list[str] = []
    event.listen(tx, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert bulk.ISSUED_AS.run(tx, []) == []
    assert asked == []
