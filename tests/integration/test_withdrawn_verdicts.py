"""A price that was taken away before any glass showed it was never shown: found by chaos."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert, update

from esl.domain.ids import Sku
from esl.domain.neutral import NEUTRAL_TEMPLATE
from esl.domain.verdict import Outcome, Verdict
from esl.services import verdicts, withdrawals
from esl.services.pricing import apply_price_changes
from esl.store.database import Database
from esl.store.tables import display_log, issued, labels
from tests.builders import GATEWAY, NOON, STORE, a_change, build_shelf, label_id

SOON = NOON + timedelta(seconds=10)


@pytest.fixture
def tx(either_database: Database) -> Iterator[Connection]:
    """One label whose product has a price, on a database of either kind."""
    with either_database.writing.begin() as opened:
        build_shelf(opened)
        yield opened


def price(tx: Connection, price_minor: int) -> int:
    change = a_change("sku-0", price_minor)
    [result] = apply_price_changes(tx, STORE, [change], NOON, actor="t").results
    assert result.rev is not None
    return result.rev


def show(tx: Connection, rev: int, template: str) -> None:
    """Let the label say that it shows a picture of that revision."""
    picture = {"label_id": label_id(0), "rev": rev, "digest": "ab" * 32, "gateway_id": GATEWAY}
    tx.execute(insert(issued), [picture | {"template": template, "issued_at": NOON}])
    seen = picture | {"incarnation": 1, "session": "s", "painted_at": SOON, "recorded_at": SOON}
    tx.execute(insert(display_log), [seen])
    tx.execute(update(labels).values(shown_rev=rev, settled_rev=rev, due_at=None))


def verdict_of(tx: Connection, rev: int) -> Verdict:
    [verdict] = verdicts.verdicts_of_change(tx, STORE, rev, SOON).verdicts
    return verdict


def test_a_price_withdrawn_before_it_was_shown_is_superseded(tx: Connection) -> None:
    rev = price(tx, 150)
    withdrawals.withdraw_prices(tx, STORE, [Sku("sku-0")], NOON)
    assert verdict_of(tx, rev).outcome is Outcome.SUPERSEDED
    show(tx, rev + 1, NEUTRAL_TEMPLATE)
    assert verdict_of(tx, rev).outcome is Outcome.SUPERSEDED


def test_a_price_that_was_shown_stays_shown_when_it_is_withdrawn(tx: Connection) -> None:
    rev = price(tx, 150)
    show(tx, rev, "standard")
    assert verdict_of(tx, rev).outcome is Outcome.SHOWN
    withdrawals.withdraw_prices(tx, STORE, [Sku("sku-0")], NOON)
    assert verdict_of(tx, rev).outcome is Outcome.SHOWN


def test_the_neutral_face_between_two_prices_shows_neither(tx: Connection) -> None:
    rev = price(tx, 150)
    withdrawals.withdraw_prices(tx, STORE, [Sku("sku-0")], NOON)
    show(tx, rev + 1, NEUTRAL_TEMPLATE)
    newer = price(tx, 160)
    assert verdict_of(tx, rev).outcome is Outcome.SUPERSEDED
    assert verdict_of(tx, newer).outcome is Outcome.PENDING
