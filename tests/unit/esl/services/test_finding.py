"""Labels are found by words as people write them, by how they do, and by where they hang."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, insert, select, update

from esl.domain.ids import LabelId
from esl.domain.label import Phase
from esl.domain.shelf_place import Walk
from esl.services.finding import find_labels, find_products, fold
from esl.store import migration, shelf_places
from esl.store.database import Database
from esl.store.product_pages import Which
from esl.store.tables import labels, product_gtins, products
from tests.builders import GATEWAY, STORE, bare_labels, build_shelf, label_id

ONLINE = frozenset({GATEWAY})


@pytest.fixture
def tx(either_database: Database) -> Iterator[Connection]:
    """A shelf of three labels with a product each; the second one is of chocolate."""
    with either_database.writing.begin() as connection:
        build_shelf(connection, labels_count=3)
        chocolate = {"name": "Čokolada za kuhanje 40 %", "gtin": "04006381333931"}
        connection.execute(update(products).where(products.c.sku == "sku-1").values(chocolate))
        more = {"store_id": STORE, "sku": "sku-1", "gtin": "00036000291452", "position": 1}
        connection.execute(insert(product_gtins), more)
        yield connection


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("čokolada", [1]),
        ("COKOLADA", [1]),
        ("kuhanje cokolada", [1]),
        (label_id(1), [1]),
        ("sku-1", [1]),
        ("4006381333931", [1]),
        ("36000291452", [1]),
        ("čokolada 36000291452", [1]),
        ("jogurt", [0, 2]),
        ("  ", [0, 1, 2]),
        ("šokolada", []),
        ("čokolada zobena", []),
        ("jogurt 36000291452", []),
    ],
)
def test_each_word_is_in_name_sku_label_or_a_gtin(
    tx: Connection, search: str, found: list[int]
) -> None:
    assert find_labels(tx, STORE, online=ONLINE, search=search) == [label_id(n) for n in found]


def test_order_and_area_and_phase_narrow_together(tx: Connection) -> None:
    placed: dict[LabelId, str | None] = {label_id(0): "2/1", label_id(1): "1/1", label_id(2): None}
    migration.put_places(tx, placed)
    walked = find_labels(tx, STORE, online=ONLINE, by_walk=True)
    assert walked == [label_id(1), label_id(0), label_id(2)]
    shelf_places.put_walk(tx, STORE, Walk(first=("2", "1")))
    waiting = [Phase.WAITING]
    assert find_labels(tx, STORE, online=ONLINE, phases=waiting, by_walk=True) == [
        label_id(0),
        label_id(1),
        label_id(2),
    ]
    assert find_labels(tx, STORE, online=ONLINE, phases=waiting, area="1") == [label_id(1)]
    assert find_labels(tx, STORE, online=ONLINE, phases=[Phase.FAILED], area="1") == []
    assert find_labels(tx, STORE, online=frozenset(), phases=[Phase.UNREACHABLE], search="jog") == [
        label_id(0),
        label_id(2),
    ]


def test_a_label_without_a_product_is_found_by_its_id_alone(tx: Connection) -> None:
    bare_labels(tx, [{"label_id": "a-first"}])
    assert find_labels(tx, STORE, online=ONLINE, search="A-FIRST") == ["a-first"]


def test_some_labels_are_walked_in_the_order_of_all_of_them(tx: Connection) -> None:
    placed: dict[LabelId, str | None] = {label_id(0): "1/1", label_id(1): "2/1", label_id(2): "2/2"}
    migration.put_places(tx, placed)
    shelf_places.put_walk(tx, STORE, Walk(is_serpentine=True))
    settled = {"settled_rev": labels.c.wanted_rev, "due_at": None}
    tx.execute(update(labels).where(labels.c.label_id == label_id(0)).values(settled))
    walked = find_labels(tx, STORE, online=ONLINE, by_walk=True)
    assert walked == [label_id(0), label_id(2), label_id(1)]  # the second aisle from its end
    some = find_labels(tx, STORE, online=ONLINE, phases=[Phase.WAITING], by_walk=True)
    assert some == walked[1:]


ODD = {
    "A_1%": "Čokolada 40 %",
    "a\\2": "cokolada_40",
    "ŠIFRA-3": "Zobena kaša",
    "sifra-4": "ZOBENA KASA",
    "5": "Straße 10/20",
    "6": "strasse 10 20",
    "7": "m² in 250 g",
    "8": "İstanbul Kelvin K",
    "9": "１２３４５６ wide",
    "10": "[a-z]* 'or' \"1\"=1",
}


@pytest.mark.parametrize(
    "search",
    [
        "coko",
        "ČOKO",
        "%",
        "_",
        "a_",
        "\\",
        "sifra",
        "ŠIFRA",
        "zobena kaša",
        "ss",
        "ß",
        "10/",
        "m2",
        "250",
        "istanbul k",
        "123456",
        "[a",
        "*",
        "'or'",
        '"1"',
        "40 %",
        "4006381",
        "cokolada 36000291",
        "KASA sifra",
        "nothing",
        "İ",
    ],
)
def test_products_are_found_as_though_each_text_were_folded(tx: Connection, search: str) -> None:
    row = {"store_id": STORE, "brand": None, "gtin": None}
    some = tx.execute(select(products).where(products.c.sku == "sku-0")).one()._asdict()
    rows = [some | row | {"sku": sku, "name": name} for sku, name in ODD.items()]
    tx.execute(insert(products), rows)
    codes = {"sku-1": ["04006381333931", "00036000291452"]}
    texts = {
        one.sku: fold(" ".join([one.sku, one.name, *codes.get(one.sku, [])]))
        for one in tx.execute(select(products.c.sku, products.c.name))
    }
    wanted = {sku for sku, text in texts.items() if all(w in text for w in fold(search).split())}
    found = find_products(tx, STORE, Which(), search, after="", limit=50)
    assert set(found) == wanted
    assert len(found) == len(wanted)


@pytest.mark.parametrize(
    ("one", "other"), [("Straße", "STRASSE"), ("Ελιές", "ελιεσ"), ("Ёлка", "елка"), ("ﬁn", "FIN")]
)
def test_scripts_fold_as_their_readers_do(one: str, other: str) -> None:
    assert fold(one) == fold(other)
