"""Labels in groups: by aisle as one walks, by gateway, by product; on both databases."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, update

from esl.domain.ids import LabelId, Sku
from esl.domain.place import Pairing
from esl.services.wall_groups import GroupBy, group_labels
from esl.store import labels as label_rows
from esl.store import products
from esl.store.database import Database
from esl.store.revisions import take_revision
from esl.store.tables import labels
from tests.builders import GATEWAY, NOON, STORE, a_product, build_shelf, label_id

PLACES = {0: "10/1", 1: "2/1", 2: None, 3: "2/3", 4: "2/2"}


@pytest.fixture
def tx(either_database: Database) -> Iterator[Connection]:
    with either_database.writing.begin() as opened:
        build_shelf(opened, labels_count=5)
        for number, place in PLACES.items():
            at = labels.c.label_id == label_id(number)
            opened.execute(update(labels).where(at).values(place=place))
        yield opened


def groups(
    tx: Connection, by: GroupBy, wanted: list[LabelId] | None = None
) -> list[tuple[str | None, int, list[int]]]:
    found = group_labels(tx, STORE, by, wanted)
    parts: list[tuple[str | None, int, list[int]]] = []
    for one in found.order:
        if one in found.begins:
            group = found.begins[one]
            parts.append((group.name, group.labels, []))
        parts[-1][2].append(int(one[-4:]))
    return parts


def test_aisles_come_as_one_walks_and_labels_without_a_place_last(tx: Connection) -> None:
    assert groups(tx, GroupBy.AISLE) == [("2", 3, [1, 4, 3]), ("10", 1, [0]), (None, 1, [2])]
    tx.execute(update(labels).where(labels.c.label_id == label_id(1)).values(retired_at=NOON))
    assert groups(tx, GroupBy.AISLE)[-1] == (None, 2, [2, 1]), "it may hang still"


def test_a_search_leaves_only_what_it_found(tx: Connection) -> None:
    wanted = [label_id(4), label_id(0)]
    assert groups(tx, GroupBy.AISLE, wanted) == [("2", 1, [4]), ("10", 1, [0])]
    assert groups(tx, GroupBy.GATEWAY, []) == []


def test_gateways_and_labels_that_none_has(tx: Connection) -> None:
    tx.execute(update(labels).where(labels.c.label_id == label_id(3)).values(gateway_id=None))
    assert groups(tx, GroupBy.GATEWAY) == [(GATEWAY, 4, [0, 1, 2, 4]), (None, 1, [3])]


def test_products_on_several_labels_come_first(tx: Connection) -> None:
    named = {"a": "Čaj", "b": "Avokado"}
    made = [a_product(sku, name=name) for sku, name in named.items()]
    products.put_products(tx, made, take_revision(tx))
    hung = {0: "a", 1: "b", 2: "a", 3: "b"}
    pairs = [Pairing(label_id=label_id(n), sku=Sku(sku)) for n, sku in hung.items()]
    label_rows.pair(tx, STORE, pairs, NOON)
    assert groups(tx, GroupBy.PRODUCT) == [
        ("Avokado", 2, [1, 3]),
        ("Čaj", 2, [0, 2]),
        (None, 1, [4]),
    ]
