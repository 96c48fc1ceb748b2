"""The phases that SQL counts are those that `phase_of` names, on both databases."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import Connection, insert

from esl.domain.ids import GatewayId, StoreId
from esl.domain.label import Phase, phase_of
from esl.services import catalogue
from esl.store import labels, places
from esl.store.database import Database
from esl.store.tables import issued, pairings
from esl.store.wall_counts import count_phases, entries_of, ids_in, places_in
from tests.builders import GATEWAY, NOON, STORE, a_store, bare_labels, build_shelf, label_id

AWAY = GatewayId("gw-2")
ONLINE = frozenset({GATEWAY})


@pytest.fixture
def tx(either_database: Database) -> Iterator[Connection]:
    """A transaction on an empty database of either kind."""
    with either_database.writing.begin() as connection:
        yield connection


def _hang_every_kind_of_label(tx: Connection) -> None:
    build_shelf(tx, labels_count=1, gateways=(GATEWAY, AWAY))
    kinds = product(
        (GATEWAY, AWAY, None),
        ((5, 5, 5), (5, 5, 4), (5, 4, 4), (0, 0, 0)),  # wanted, sent, settled
        (0, 1, 2),  # attempts
        (None, NOON, NOON + timedelta(seconds=60)),  # due at
        (None, "no_price"),
        (True, False),  # paired
        (None, (5, "neutral"), (5, "shelf"), (4, "neutral")),  # revision refused, drawn with
    )
    rows, paired, drawn = [], [], []
    for number, kind in enumerate(kinds, 1):
        gateway, revs, attempts, due_at, problem, is_paired, refused = kind
        wanted, sent, settled = revs
        refused_rev, template = refused or (None, "shelf")
        issue = {"label_id": label_id(number), "rev": sent, "digest": "d", "gateway_id": "gw-1"}
        drawn.append(issue | {"template": template, "issued_at": NOON})
        rows.append(
            {
                "label_id": label_id(number),
                "gateway_id": gateway,
                "wanted_rev": wanted,
                "sent_rev": sent,
                "settled_rev": settled,
                "attempts": attempts,
                "due_at": due_at,
                "problem": problem,
                "refused_rev": refused_rev,
                "refused_code": "missing_glyph",
            }
        )
        if is_paired:
            paired.append({"label_id": label_id(number), "position": 0, "store_id": STORE})
    bare_labels(tx, rows)
    tx.execute(insert(issued), drawn)
    more = {"sku": "sku-0", "paired_at": NOON}
    tx.execute(insert(pairings), [row | more for row in paired])


@pytest.mark.parametrize("online", [ONLINE, frozenset(), frozenset({GATEWAY, AWAY})])
def test_counting_in_sql_agrees_with_naming_each_phase(
    tx: Connection, online: frozenset[GatewayId]
) -> None:
    _hang_every_kind_of_label(tx)
    named: dict[Phase, set[str]] = {phase: set() for phase in Phase}
    for state in labels.list_labels(tx, STORE, limit=10_000):
        named[phase_of(state, gateway_online=state.gateway_id in online)].add(state.label_id)

    counted = count_phases(tx, STORE, online)

    assert Counter(counted) == Counter({p: len(ids) for p, ids in named.items() if ids})
    for phase, ids in named.items():
        listed = entries_of(tx, STORE, online, phases={phase})
        assert {entry.label_id for entry in listed} == ids
        assert ids_in(tx, STORE, online, {phase}) == sorted(ids)
        assert places_in(tx, STORE, online, {phase}).keys() == ids
        others = named.keys() - {phase}
        beside = {label for other in others for label in named[other]}
        assert ids_in(tx, STORE, online, others) == sorted(beside)
    if online == ONLINE:
        assert all(named.values()), "not every phase was tried"


def test_a_list_is_by_id_and_knows_the_product(tx: Connection) -> None:
    build_shelf(tx, labels_count=3)
    bare_labels(tx, [{"label_id": "a-first"}])
    listed = entries_of(tx, STORE, ONLINE)
    assert [entry.label_id for entry in listed] == ["a-first", *map(label_id, range(3))]
    assert (listed[0].sku, listed[0].name) == (None, None)
    assert (listed[1].sku, listed[1].name) == ("sku-0", "Jogurt sku-0")


def test_other_stores_are_neither_counted_nor_listed(tx: Connection) -> None:
    other = a_store(StoreId("pula"))
    build_shelf(tx, labels_count=2)
    catalogue.put_store(tx, other, NOON)
    places.put_gateway(tx, GatewayId("gw-p"), other.store_id)
    bare_labels(tx, [{"label_id": "p-1", "store_id": other.store_id, "gateway_id": "gw-p"}])
    assert sum(count_phases(tx, STORE, ONLINE).values()) == 2
    assert count_phases(tx, other.store_id, ONLINE) == {Phase.UNPAIRED: 1}
    assert [entry.label_id for entry in entries_of(tx, other.store_id, ONLINE)] == ["p-1"]
