"""Stock: a thousand sales change no label until one changes its face."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.ids import Sku, SourceId, TemplateName
from esl.domain.label import LabelState
from esl.domain.source import unregistered
from esl.domain.template_rule import StockIs, TemplateRule
from esl.intake.product_json import ProductPut
from esl.services import catalogue
from esl.services.listening import take_entries
from esl.services.templates import put_rules
from esl.store import labels, products
from esl.store.database import Database
from esl.store.truth_beside import whole_truth_of_store
from tests.builders import NOON, STORE, a_product, build_shelf, label_id, the_gallery

SKU = Sku("sku-0")
LATER = NOON + timedelta(hours=1)
TILL = unregistered(SourceId("till"), STORE)
OUT = TemplateRule(template=TemplateName("out-of-stock"), stock=StockIs.OUT)
LOW = TemplateRule(template=TemplateName("promotion"), stock=StockIs.LOW, stock_most=10)


@pytest.fixture
def database(either_database: Database) -> Database:
    """A shelf whose store has faces for a low stock and none; 1,010 pieces are there."""
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=2)
        use(tx, OUT, LOW)
        by_till(tx, 1010)
    return either_database


def use(tx: Connection, *rules: TemplateRule) -> None:
    put_rules(tx, STORE, rules, LATER, gallery=set(the_gallery()), seen=None)


def by_till(tx: Connection, stock: int) -> int:
    """Say a stock as a source's event does; return how many labels want something for it."""
    entry = Entry(store_id=STORE, sku=SKU, currency="EUR", path="", stock=stock)
    taken = take_entries(tx, TILL, [entry], LATER, actor="till", batch_id=None)
    return len(taken.labels)


def by_api(tx: Connection, stock: int) -> int:
    put = ProductPut(product=replace(a_product(SKU), stock=stock), price=None)
    return len(catalogue.put_products(tx, STORE, [put], LATER, actor="api").labels)


def told(tx: Connection) -> int | None:
    [truth] = [t for t in whole_truth_of_store(tx, STORE) if t.sku == SKU]
    assert truth.face is not None
    return truth.face.stock


def label(tx: Connection) -> LabelState:
    return labels.label_named(tx, label_id(0))


def test_a_thousand_pieces_sold_want_nothing_until_the_band_changes(database: Database) -> None:
    with database.writing.begin() as tx:
        before = label(tx).wanted_rev
        for left in range(1005, 510, -5):
            assert by_till(tx, left) == 0
        for left in range(510, 15, -5):
            assert by_api(tx, left) == 0
        assert by_till(tx, 11) == 0
        assert label(tx).wanted_rev == before
        assert products.product_named(tx, STORE, SKU).stock == 11, "the level is known all the same"
        assert by_till(tx, 10) == 1
        assert label(tx).wanted_rev > before


def test_a_few_pieces_around_a_threshold_do_not_turn_the_label_to_and_fro(
    database: Database,
) -> None:
    with database.writing.begin() as tx:
        assert by_till(tx, 10) == 1
        assert [by_till(tx, level) for level in (11, 10, 12, 9, 11)] == [0] * 5
        assert told(tx) == 10
        assert by_api(tx, 12) == 0
        assert by_till(tx, 13) == 1
        assert told(tx) == 13
        assert [by_till(tx, level) for level in (0, 1, 0)] == [1, 1, 1]


def test_the_first_stock_of_a_product_shows_by_either_door(database: Database) -> None:
    with database.writing.begin() as tx:
        before = label(tx).wanted_rev
        by_till(tx, 10)
        use(tx, OUT, replace(LOW, stock_most=9))  # labels go by the stock itself again
        assert by_api(tx, 0) == 1
        assert told(tx) == 0
        assert by_api(tx, 700) == 1
        assert label(tx).wanted_rev > before


def test_where_a_face_prints_the_number_each_piece_counts(database: Database) -> None:
    with database.writing.begin() as tx:
        use(tx, TemplateRule(template=TemplateName("shelf-info")))
        assert [by_till(tx, level) for level in (1008, 1007)] == [1, 1]
        assert by_api(tx, 1006) == 1
        assert told(tx) == 1006


def test_new_rules_make_labels_go_by_the_stock_itself(database: Database) -> None:
    with database.writing.begin() as tx:
        by_till(tx, 10)
        by_till(tx, 12)
        assert told(tx) == 10
        before = label(tx).wanted_rev
        use(tx, OUT, replace(LOW, stock_most=11))
        assert told(tx) == 12
        assert label(tx).wanted_rev > before, "it shows low, and 12 is not"


def test_another_change_of_the_product_shows_as_ever(database: Database) -> None:
    with database.writing.begin() as tx:
        named = replace(a_product(SKU), stock=900, name="Novi kruh")
        put = ProductPut(product=named, price=None)
        assert len(catalogue.put_products(tx, STORE, [put], LATER, actor="api").labels) == 1
