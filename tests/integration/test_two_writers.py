"""What two transactions at once may not do to each other: put an old price on a shelf."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from esl.domain.ids import Digest, Sku
from esl.domain.label import Lane
from esl.domain.place import Pairing
from esl.domain.pricing import PriceChange
from esl.services import deliveries, pairing, pricing
from esl.services.deliveries import Plan, Sending
from esl.store import labels
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.revisions import take_revision
from tests.builders import GATEWAY, NOON, STORE, build_shelf, label_id


@pytest.fixture
def two_shelves(fresh_postgres_url: str) -> Iterator[tuple[Database, Database]]:
    """One PostgreSQL database as two processes have it open, with two labels."""
    with closing(Database(fresh_postgres_url)) as one, closing(Database(fresh_postgres_url)) as two:
        migrate(one, NOON)
        with one.writing.begin() as tx:
            build_shelf(tx, labels_count=2)
        yield one, two


def test_a_price_change_waits_for_a_pairing_and_reaches_the_label_it_adds(
    two_shelves: tuple[Database, Database],
) -> None:
    one, two = two_shelves
    change = PriceChange(store_id=STORE, sku=Sku("sku-1"), price_minor=777, currency="EUR")

    def change_price() -> pricing.Applied:
        with two.writing.begin() as tx:
            return pricing.apply_price_changes(tx, STORE, [change], NOON, actor="till")

    with ThreadPoolExecutor(1) as pool:
        with one.writing.begin() as tx:
            moved = [Pairing(label_id=label_id(0), sku=Sku("sku-1"))]
            pairing.pair_labels(tx, STORE, moved, NOON, single=True)
            applied = pool.submit(change_price)
            with pytest.raises(TimeoutError):
                applied.result(0.5)
        assert set(applied.result(30).labels) == {label_id(0), label_id(1)}


def test_a_renewed_revision_never_carries_a_truth_older_than_the_label_wants(
    tmp_path: Path,
) -> None:
    with closing(Database(f"sqlite:///{tmp_path}/esl.db")) as database:
        migrate(database, NOON)
        with database.writing.begin() as tx:
            build_shelf(tx)
            read = labels.label_named(tx, label_id(0)).wanted_rev
        with database.writing.begin() as tx:  # a price changes while the old one is drawn
            newer = take_revision(tx)
            labels.want(tx, [label_id(0)], newer, NOON, lane=Lane.NORMAL)
        old = Sending(
            label_id=label_id(0),
            gateway_id=GATEWAY,
            rev=read,
            digest=Digest("0" * 64),
            due_at=NOON + timedelta(minutes=1),
        )
        with database.writing.begin() as tx:
            plan = Plan(sendings=[old], renewed=[label_id(0)])
            recorded = deliveries.record(tx, plan, {GATEWAY: 1}, NOON)
            label = labels.label_named(tx, label_id(0))
    assert recorded.sendings == ()
    assert (label.wanted_rev, label.due_at) == (newer, NOON)
