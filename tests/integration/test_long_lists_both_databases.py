"""What a long list asks of the database, on SQLite and PostgreSQL."""

from sqlalchemy import text

from esl.domain.ids import LabelId, Sku, SourceId
from esl.domain.place import Pairing
from esl.store import labels, price_intake
from esl.store.database import Database
from esl.store.price_intake import SaidBy, SourcePosition
from esl.store.statistics import learn_sizes
from tests.builders import NOON, STORE, build_shelf, label_id

ERP, TILL = SourceId("erp"), SourceId("till")


def test_postgresql_learns_once_how_long_a_new_list_is(database: Database) -> None:
    made = text(
        "INSERT INTO product (store_id, sku, name, rev)"
        " SELECT :store, 'new-' || g, 'Kruh', 1 FROM generate_series(1, 2000) AS g"
    )
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=2)
        if database.is_sqlite:
            assert learn_sizes(tx) == []
            return
        tx.execute(made, {"store": STORE})
        learnt = learn_sizes(tx)
        assert "product" in learnt
        assert "product" not in learn_sizes(tx)  # it knows of 2,002


def test_labels_of_products_come_by_product_in_their_order(database: Database) -> None:
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=12)
        first = Sku("sku-0")
        pairs = [Pairing(label_id=label_id(n), sku=first) for n in (11, 0, 7)]
        labels.pair(tx, STORE, pairs, NOON)
        found = labels.lock_labels_of_products(tx, STORE, [Sku("sku-3"), first, Sku("none"), first])
    assert found == {
        first: sorted(LabelId(label_id(n)) for n in (0, 7, 11)),
        "sku-3": [label_id(3)],
    }


def test_positions_of_one_source_are_those_of_several(database: Database) -> None:
    reached: dict[SaidBy, SourcePosition] = {
        (ERP, Sku("sku-0")): SourcePosition(7, None),
        (ERP, Sku("sku-1")): SourcePosition(None, NOON),
        (TILL, Sku("sku-0")): SourcePosition(1, NOON),
    }
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=2)
        price_intake.put_source_positions(tx, STORE, reached)
        of_erp = {(ERP, Sku("sku-0")), (ERP, Sku("sku-1")), (ERP, Sku("sku-2"))}
        alone = price_intake.source_positions(tx, STORE, of_erp)
        together = price_intake.source_positions(tx, STORE, {*of_erp, (TILL, Sku("sku-0"))})
    assert together == reached
    assert alone == {key: at for key, at in reached.items() if key[0] == ERP}
