"""What a store does with labels in doubt, and what a gateway said it can."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from esl.domain.place import Neutral, StorePolicy, UnknownLabels
from esl.services import deliveries
from esl.store import places
from esl.store.tables import gateways
from tests.builders import GATEWAY, NOON, STORE, a_store, build_shelf, label_id, open_database


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[Connection]:
    database = open_database(tmp_path)
    with database.writing.begin() as opened:
        build_shelf(opened)
        yield opened
    database.close()


def test_a_policy_stays_when_the_store_is_put_again(tx: Connection) -> None:
    assert places.store_policies(tx) == {STORE: StorePolicy()}
    policy = StorePolicy(
        neutral=Neutral.TASK,
        unknown_labels=UnknownLabels.ADOPT,
        adopt_until=NOON,
        verdict_within=timedelta(minutes=5),
    )
    places.put_store_policy(tx, STORE, policy)
    places.put_store(tx, a_store(name="Another name"))
    assert places.store_policies(tx) == {STORE: policy}
    assert places.store_named(tx, STORE).name == "Another name"


def test_what_a_gateway_said_it_can_comes_with_its_due_labels(tx: Connection) -> None:
    [before] = deliveries.load(tx, [label_id(0)])
    assert (before.level, before.payload_bytes, before.send_full) == (None, None, False)
    places.note_gateway_heard(
        tx, GATEWAY, NOON, session="b", level="full", payload_bytes=9000, features="{}"
    )
    places.note_gateway_heard(tx, GATEWAY, NOON, session="b")
    [after] = deliveries.load(tx, [label_id(0)])
    assert (after.level, after.payload_bytes) == ("full", 9000)
    assert tx.execute(select(gateways.c.features)).scalar_one() == "{}"
