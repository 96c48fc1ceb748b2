"""What a store's own categories are by law reaches its labels; a new law judges piece by piece."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection, update

from esl.domain.face import Face, ReferenceKind, Unit
from esl.domain.ids import Sku
from esl.domain.product import NetContent
from esl.intake.product_json import ProductPut
from esl.services import catalogue, judging
from esl.services.pricing import apply_price_changes
from esl.services.promotions import turning
from esl.services.promotions.explaining import explain_label
from esl.store import offers, places
from esl.store.due_labels import load_due
from esl.store.tables import products
from tests.builders import NOON, STORE, a_change, a_product, a_store, build_shelf, label_id
from tests.history import rewrite_price_events


def face_of(tx: Connection) -> Face:
    [due] = load_due(tx, [label_id(0)])
    assert due.face is not None
    return due.face


def put_law(tx: Connection, law: str, goods: str | None = None) -> None:
    catalogue.put_store(tx, replace(a_store(), law=law, law_goods=goods), NOON)


def scent(tx: Connection, category: str | None) -> None:
    content = NetContent(milli=50, unit=Unit.LITRE)
    product = a_product(name="Eau de toilette", category=category, net_content=content)
    catalogue.put_products(tx, STORE, [ProductPut(product=product, price=None)], NOON, actor="till")


@pytest.mark.parametrize(
    ("law", "category", "shows"),
    [
        ("de", "PARFUM", False),
        ("de", "Seife", True),
        ("de", None, True),
        ("hr", "Parfum", True),  # the same goods, under a law that does not exempt them
    ],
)
@pytest.mark.parametrize("stated", [None, 40000])
def test_goods_that_the_law_exempts_show_no_unit_price(
    tx: Connection, law: str, category: str | None, stated: int | None, *, shows: bool
) -> None:
    build_shelf(tx, price_minor=2000)
    put_law(tx, law, '{"perfume": ["Parfum"]}')
    scent(tx, category)
    change = a_change(Sku("sku-0"), 2100, unit_price_minor=stated)
    apply_price_changes(tx, STORE, [change], NOON, actor="till")
    assert (face_of(tx).unit_price_minor is not None) is shows


@pytest.mark.parametrize(
    ("category", "shows"), [("hrana", True), ("Elektronika", False), (None, True)]
)
def test_the_price_of_the_day_is_shown_for_the_goods_that_need_it(
    tx: Connection, category: str | None, *, shows: bool
) -> None:
    build_shelf(tx, price_minor=2000)
    put_law(tx, "hr", '{"food": ["HRANA"]}')
    scent(tx, category)
    tx.execute(update(products).values(anchor_minor=1900))
    kinds = [each.kind for each in face_of(tx).reference_prices]
    assert kinds == ([ReferenceKind.ANCHOR] if shows else [])


def test_a_new_law_judges_what_tills_claim_piece_by_piece(
    tx: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turning, "AT_ONCE", 2)
    build_shelf(tx, labels_count=5, price_minor=100)
    put_law(tx, "none")
    skus = [Sku(f"sku-{n}") for n in range(5)]
    for sku in skus:
        apply_price_changes(tx, STORE, [a_change(sku, 90, was_minor=95)], NOON, actor="till")
        rewrite_price_events(tx, received_at=NOON.replace(year=2025, month=10, day=1))
    apply_price_changes(
        tx, STORE, [a_change(sku, 94, was_minor=99) for sku in skus], NOON, actor="till"
    )
    assert offers.offers_of(tx, STORE, skus) == {}
    put_law(tx, "de")
    assert sorted(offers.offers_of(tx, STORE, skus)) == skus[:2]
    assert places.stores_to_judge(tx) == [STORE]
    assert judging.judge_on(tx, STORE, NOON)
    assert sorted(offers.offers_of(tx, STORE, skus)) == skus[:4]
    judging.judge_on(tx, STORE, NOON)
    assert sorted(offers.offers_of(tx, STORE, skus)) == skus
    assert places.stores_to_judge(tx) == []
    assert judging.judge_on(tx, STORE, NOON) == ()
    put_law(tx, "none")
    put_law(tx, "de")  # while the other is still on its way
    while places.stores_to_judge(tx):
        judging.judge_on(tx, STORE, NOON)
    assert sorted(offers.offers_of(tx, STORE, skus)) == skus


def words_of(tx: Connection) -> str:
    store = places.store_named(tx, STORE)
    [one] = explain_label(tx, store, label_id(0), NOON, NOON)
    return " ".join(one.words)


def test_explain_says_what_the_law_leaves_out_and_what_is_not_known(tx: Connection) -> None:
    build_shelf(tx, price_minor=2000)
    put_law(tx, "de", '{"perfume": ["Parfum"]}')
    scent(tx, "Parfum")
    assert "goods of this kind need none (Perfumes and scented waters)" in words_of(tx)
    put_law(tx, "hr")
    assert "whether it needs one is not known" in words_of(tx)
    put_law(tx, "hr", '{"toiletries": ["Parfum"]}')
    assert "should show the price of 2025-05-02, and nobody has sent it" in words_of(tx)
    put_law(tx, "hr", '{"food": ["HRANA"]}')
    assert "2025-05-02" not in words_of(tx)
    tx.execute(update(products).values(content_milli=None, content_unit=None))
    assert "nobody said how much is in it" in words_of(tx)
