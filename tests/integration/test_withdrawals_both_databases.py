"""A price that is taken away stands in its product's history, on both databases."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, select

from esl.domain.errors import NotFound
from esl.domain.ids import Sku
from esl.domain.verdict import Outcome
from esl.services import verdicts, withdrawals
from esl.services.pricing import apply_price_changes
from esl.store.database import Database
from esl.store.tables import labels, price_events
from tests.builders import NOON, STORE, a_change, build_shelf, label_id


@pytest.fixture
def tx(either_database: Database) -> Iterator[Connection]:
    """Two labels whose products have a price, on a database of either kind."""
    with either_database.writing.begin() as opened:
        build_shelf(opened, labels_count=2)
        yield opened


def history(tx: Connection, sku: str) -> list[tuple[str, int, str]]:
    query = (
        select(price_events.c.decision, price_events.c.price_minor, price_events.c.actor)
        .where(price_events.c.store_id == STORE, price_events.c.sku == sku)
        .order_by(price_events.c.event_id)
    )
    return [tuple(row) for row in tx.execute(query)]


@pytest.mark.parametrize("end", [withdrawals.withdraw_prices, withdrawals.delist_products])
def test_a_withdrawal_is_a_line_of_the_history_with_its_revision(
    tx: Connection, end: Callable[..., tuple[str, ...]]
) -> None:
    assert end(tx, STORE, [Sku("sku-0")], NOON, actor="person:ana") == (label_id(0),)
    assert history(tx, "sku-0") == [
        ("accepted", 129, "tests"),
        ("withdrawn", 129, "person:ana"),
    ]
    assert history(tx, "sku-1") == [("accepted", 129, "tests")]
    [wanted] = tx.execute(
        select(labels.c.wanted_rev).where(labels.c.label_id == label_id(0))
    ).scalars()
    last = select(price_events.c.rev).where(price_events.c.decision == "withdrawn")
    assert tx.execute(last).scalar_one() == wanted
    with pytest.raises(NotFound):  # no price change was answered this revision
        verdicts.verdicts_of_change(tx, STORE, wanted, NOON)


def test_what_has_no_price_is_withdrawn_without_a_line(tx: Connection) -> None:
    withdrawals.withdraw_prices(tx, STORE, [Sku("sku-0")], NOON)
    withdrawals.withdraw_prices(tx, STORE, [Sku("sku-0"), Sku("sku-1")], NOON)
    assert [line[0] for line in history(tx, "sku-0")] == ["accepted", "withdrawn"]
    assert [line[0] for line in history(tx, "sku-1")] == ["accepted", "withdrawn"]


def test_a_withdrawal_supersedes_the_price_before_it(tx: Connection) -> None:
    [changed] = apply_price_changes(tx, STORE, [a_change("sku-0", 150)], NOON, actor="t").results
    assert changed.rev is not None
    withdrawals.withdraw_prices(tx, STORE, [Sku("sku-0")], NOON)
    apply_price_changes(tx, STORE, [a_change("sku-0", 150)], NOON, actor="t")
    [verdict] = verdicts.verdicts_of_change(tx, STORE, changed.rev, NOON).verdicts
    assert verdict.outcome is Outcome.SUPERSEDED
