"""Sources that are put again, on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from esl.domain.ids import SourceId
from esl.domain.source import Source, SourceKind
from esl.services import sources
from esl.store import connectors
from esl.store.database import Database
from tests.builders import NOON, STORE, build_shelf

SHOP = Source(source_id=SourceId("shop"), name="Shop", store_id=STORE, kind=SourceKind.MQTT)
HOLD, BACK_OFF = timedelta(minutes=2), timedelta(minutes=5)


@pytest.fixture
def database(either_database: Database) -> Database:
    """A database of either kind with a source that has failed and backs off."""
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=1)
        sources.put_source(tx, SHOP, NOON, actor="t")
        fail(tx)
    return either_database


def fail(tx: Connection) -> None:
    held = connectors.claim_connector(tx, "shop", NOON, until=NOON + HOLD)
    assert held is not None
    failed = replace(held, due_at=NOON + BACK_OFF, attempts=7, problem="wrong password")
    assert connectors.save_state(tx, failed, held_until=NOON + HOLD)


def is_due(tx: Connection) -> bool:
    return connectors.due_sources(tx, NOON, ["shop"]) == ["shop"]


def test_a_source_that_is_put_again_is_asked_at_once(database: Database) -> None:
    with database.writing.begin() as tx:
        assert not is_due(tx)
        sources.put_source(tx, replace(SHOP, name="Shop 2"), NOON, actor="t")
        assert is_due(tx)
        assert connectors.connector_state(tx, "shop", NOON).attempts == 0


def test_a_source_with_a_new_secret_is_asked_at_once(database: Database) -> None:
    with database.writing.begin() as tx:
        sources.add_secret(tx, SHOP.source_id, "token", b"sealed", NOON, actor="t", keep_old=None)
        assert is_due(tx)


def test_one_that_runs_keeps_what_it_holds(database: Database) -> None:
    """What it reads now may be read once more after it."""
    with database.writing.begin() as tx:
        sources.put_source(tx, SHOP, NOON, actor="t")
        held = connectors.claim_connector(tx, "shop", NOON, until=NOON + HOLD)
        assert held is not None
        sources.put_source(tx, SHOP, NOON, actor="t")
        assert not is_due(tx), "it does not back off"
        assert connectors.save_state(tx, held, held_until=NOON + HOLD)
