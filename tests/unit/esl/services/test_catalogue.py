from dataclasses import replace

import pytest
from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.errors import Conflict, InvalidInput, UnknownProduct, UnknownStore
from esl.domain.face import Unit
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import Decision
from esl.domain.product import NetContent
from esl.domain.source import Source
from esl.intake.product_json import ProductPut
from esl.services import deliveries
from esl.services.catalogue import ProductsPut, Put, put_products, put_store
from esl.services.listening import take_entries
from esl.store import batches, labels, places, products, sources
from tests.builders import (
    NOON,
    STORE,
    a_change,
    a_product,
    a_store,
    believe_every_price,
    build_shelf,
    label_id,
)


def put(tx: Connection, *items: ProductPut) -> ProductsPut:
    return put_products(tx, STORE, items, NOON, actor="token:1")


def test_a_product_is_stored_as_it_was_sent(tx: Connection) -> None:
    put_store(tx, a_store(), NOON)
    full = a_product(
        brand="Franck",
        category="kava",
        gtin="9520123456788",
        net_content=NetContent(milli=250, unit=Unit.KILOGRAM),
        priced_per=Unit.KILOGRAM,
        link="https://shop.example/p",
        origin="Brazil",
        stock=0,
        deposit_minor=7,
    )
    put(tx, ProductPut(product=full, price=None))
    assert products.product_named(tx, STORE, Sku("sku-0")) == full
    bare = a_product()
    put(tx, ProductPut(product=bare, price=None))
    assert products.product_named(tx, STORE, Sku("sku-0")) == bare, "a PUT replaces the whole"
    with pytest.raises(UnknownProduct):
        products.product_named(tx, STORE, Sku("sku-9"))


def test_each_item_is_answered_by_itself_and_prices_are_one_batch(tx: Connection) -> None:
    build_shelf(tx, labels_count=2, price_minor=100)
    same = products.product_named(tx, STORE, Sku("sku-0"))
    done = put(
        tx,
        ProductPut(product=same, price=a_change("sku-0", 101, source_seq=None)),
        ProductPut(product=a_product("sku-1", name="Kefir"), price=None),
        ProductPut(product=a_product("new"), price=a_change("new", 300, source_seq=None)),
    )
    assert [r.put for r in done.results] == [Put.UNCHANGED, Put.CHANGED, Put.ADDED]
    assert [r.labels for r in done.results] == [1, 1, 0]
    told = [r.price.decision if r.price is not None else None for r in done.results]
    assert told == [Decision.ACCEPTED, None, Decision.ACCEPTED]
    assert done.batch_id is not None
    assert batches.skus_of(tx, STORE, done.batch_id) == ["new", "sku-0"]


def test_labels_of_a_product_that_changed_want_something_new(tx: Connection) -> None:
    build_shelf(tx, labels_count=2)
    before = {s.label_id: s for s in labels.list_labels(tx, STORE)}
    renamed = a_product("sku-0", name="Kefir")
    same = a_product("sku-1")
    applied = put(tx, ProductPut(product=renamed, price=None), ProductPut(product=same, price=None))
    assert applied.labels == (label_id(0),)
    after = {s.label_id: s for s in labels.list_labels(tx, STORE)}
    assert after[label_id(0)].wanted_rev > before[label_id(0)].wanted_rev
    assert after[label_id(1)] == before[label_id(1)]


def test_the_currency_of_a_store_with_deposits_stays(tx: Connection) -> None:
    put_store(tx, a_store(), NOON)
    returnable = ProductPut(product=a_product(deposit_minor=7), price=None, currency="EUR")
    put(tx, returnable)
    with pytest.raises(Conflict, match="deposits in EUR"):
        put_store(tx, a_store(currency="HUF"), NOON)
    put_store(tx, a_store(name="Another name"), NOON)
    put(tx, ProductPut(product=a_product(), price=None))
    put_store(tx, a_store(currency="HUF"), NOON)
    with pytest.raises(Conflict, match="send the products again"):
        put(tx, returnable)


def test_a_price_that_comes_along_is_applied(tx: Connection) -> None:
    build_shelf(tx, price_minor=None)
    applied = put(
        tx,
        ProductPut(
            product=a_product(name="Kefir"), price=a_change(price_minor=99, source_seq=None)
        ),
    )
    [result] = applied.results
    assert result.price is not None
    assert (result.put, result.price.decision) == (Put.CHANGED, Decision.ACCEPTED)
    assert (result.labels, applied.batch_id) == (1, None)
    assert set(applied.labels) == {label_id(0)}
    assert products.current_prices(tx, STORE, [Sku("sku-0")])[Sku("sku-0")].price_minor == 99
    assert labels.label_named(tx, label_id(0)).wanted_rev == result.price.rev


def test_a_price_that_cannot_be_applied_refuses_the_request(tx: Connection) -> None:
    build_shelf(tx)
    numbered = [a_change(price_minor=p, source_seq=7, path="/1") for p in (100, 200)]
    put(tx, ProductPut(product=a_product(), price=numbered[0]))
    with pytest.raises(InvalidInput) as refused:
        put(tx, ProductPut(product=a_product(), price=numbered[1]))
    assert [p.path for p in refused.value.problems] == ["/1/source_seq"]


def test_of_several_items_with_one_sku_the_last_counts(tx: Connection) -> None:
    put_store(tx, a_store(), NOON)
    put(tx, *(ProductPut(product=a_product(name=n), price=None) for n in ("one", "two")))
    assert products.product_named(tx, STORE, Sku("sku-0")).name == "two"


def test_a_store_that_changes_changes_its_labels(tx: Connection) -> None:
    build_shelf(tx, labels_count=2)
    before = labels.label_named(tx, label_id(0)).wanted_rev
    touched = put_store(tx, a_store(link_base="https://shop.example"), NOON)
    assert set(touched) == {label_id(0), label_id(1)}
    assert labels.label_named(tx, label_id(0)).wanted_rev > before
    assert places.store_named(tx, STORE).link_base == "https://shop.example"
    with pytest.raises(UnknownStore):
        places.store_named(tx, StoreId("nowhere"))


def links(tx: Connection, *numbers: int) -> list[str | None]:
    due = {d.label_id: d.face for d in deliveries.load(tx, [label_id(n) for n in numbers])}
    faces = [due[label_id(n)] for n in numbers]
    return [face.link if face is not None else None for face in faces]


def test_labels_follow_the_stores_own_link(tx: Connection) -> None:
    build_shelf(tx, labels_count=2)
    gtin = ProductPut(product=a_product("sku-0", gtin="9520123456788"), price=None)
    put(tx, gtin)
    pattern = "https://shop.example/{gtin}?s={store}&l={label}"
    touched = put_store(tx, a_store(shop_link=pattern), NOON)
    assert set(touched) == {label_id(0), label_id(1)}
    own = f"https://shop.example/09520123456788?s={STORE}&l={label_id(0)}"
    assert links(tx, 0, 1) == [own, None], "the second product has no GTIN"
    before = labels.label_named(tx, label_id(0)).wanted_rev
    put_store(tx, a_store(), NOON)
    assert labels.label_named(tx, label_id(0)).wanted_rev > before
    assert labels.label_named(tx, label_id(0)).due_at == NOON
    assert links(tx, 0) == ["HTTPS://ID.GS1.ORG/01/09520123456788"]


def test_the_currency_of_a_store_with_prices_stays(tx: Connection) -> None:
    build_shelf(tx, price_minor=None)
    put_store(tx, a_store(currency="HUF"), NOON)
    put_store(tx, a_store(currency="EUR"), NOON)
    put(tx, ProductPut(product=a_product(), price=a_change()))
    with pytest.raises(Conflict, match="EUR"):
        put_store(tx, a_store(currency="HUF"), NOON)
    assert places.store_named(tx, STORE).currency == "EUR"


def test_a_field_that_a_source_of_higher_priority_said_stays(tx: Connection) -> None:
    put_store(tx, a_store(), NOON)
    believe_every_price(tx)
    erp = Source(source_id=SourceId("erp"), name="ERP", priority=80, priorities={"stock": 10})
    sources.put_source(tx, erp, NOON)
    said = Entry(
        store_id=STORE,
        sku=Sku("sku-0"),
        currency="EUR",
        name="Kefir 1 l",
        origin="Hrvatska",
        stock=5,
        price_minor=129,
    )
    take_entries(tx, erp, [said], NOON, actor="tests", batch_id=None)
    mine = a_product(name="KEFIR", brand="Vindija", origin=None, stock=7)
    put(tx, ProductPut(product=mine, price=None))
    held = products.product_named(tx, STORE, Sku("sku-0"))
    assert (held.name, held.origin) == ("Kefir 1 l", "Hrvatska"), "the ERP said so"
    assert (held.brand, held.stock) == ("Vindija", 7), "the ERP said nothing, or yields"
    take_entries(tx, erp, [replace(said, brand="Dukat", stock=4)], NOON, actor="t", batch_id=None)
    held = products.product_named(tx, STORE, Sku("sku-0"))
    assert (held.brand, held.stock) == ("Dukat", 4), "who is not registered owns nothing"


def test_without_priorities_the_last_word_counts(tx: Connection) -> None:
    put_store(tx, a_store(), NOON)
    till = Source(source_id=SourceId("till"), name="Till")
    sources.put_source(tx, till, NOON)
    said = Entry(store_id=STORE, sku=Sku("sku-0"), currency="EUR", name="Kefir", price_minor=129)
    take_entries(tx, till, [said], NOON, actor="tests", batch_id=None)
    put(tx, ProductPut(product=a_product(name="KEFIR"), price=None))
    assert products.product_named(tx, STORE, Sku("sku-0")).name == "KEFIR"
