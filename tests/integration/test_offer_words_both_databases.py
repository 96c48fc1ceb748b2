"""From intake to the face: tags that promotions select by, whose a price is, and 3 for 2."""

from collections.abc import Iterator
from typing import Any

import pytest

from esl.domain.entry import Entry, PromotionKind, StatedPromotion
from esl.domain.face import Face, Multibuy
from esl.domain.ids import Sku, SourceId
from esl.domain.source import Source
from esl.domain.till_channel import TillChannel, TillSetting
from esl.intake.product_json import ProductPut
from esl.services import catalogue, till_channels
from esl.services.listening import take_entries
from esl.services.promotions.explaining import explain_label
from esl.store import places, promoted
from esl.store.database import Database
from esl.store.due_labels import load_due
from tests.builders import (
    STORE,
    Controller,
    SimulatedClock,
    a_change,
    a_product,
    build_shelf,
    label_id,
)
from tests.promotions import HOUR, LABELS, a_promotion, run, shown, shows_truth
from tests.unit.gateway.staged_gateway import StagedGateway, on_the_line

ERP = Source(source_id=SourceId("erp"), name="ERP", store_id=STORE)
SKU = Sku("sku-0")


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def shop(database: Database, clock: SimulatedClock) -> Iterator[Controller]:
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=LABELS)
    controller = Controller(database, clock)
    yield controller
    controller.close()


@pytest.fixture
def gateway(shop: Controller, clock: SimulatedClock) -> StagedGateway:
    return on_the_line(shop, clock)


def face(shop: Controller, number: int = 0) -> Face:
    with shop.database.read() as tx:
        [due] = load_due(tx, [label_id(number)])
    assert due.face is not None
    return due.face


def take(shop: Controller, sku: Sku = SKU, **said: Any) -> None:
    entry = Entry(store_id=STORE, sku=sku, currency="EUR", **said)
    now = shop.time.now()
    shop.writer.write(lambda tx: take_entries(tx, ERP, [entry], now, actor="erp", batch_id=None))


def test_a_promotion_follows_the_tags_of_products(shop: Controller, gateway: StagedGateway) -> None:
    a_promotion(shop, None, HOUR, selection={"tags": ["BIO"]})
    run(shop, gateway)
    assert shown(shop) == {}
    take(shop, tags=("regional", "Bio"))
    put = ProductPut(product=a_product("sku-2", tags=frozenset({"bio"})), price=None)
    now = shop.time.now()
    shop.writer.write(lambda tx: catalogue.put_products(tx, STORE, [put], now, actor="t"))
    run(shop, gateway)
    assert shown(shop) == {"sku-0": 96, "sku-2": 96}
    assert shows_truth(shop, gateway)
    with shop.database.read() as tx:
        product = promoted.products_of(tx, STORE, [SKU])[SKU]
    assert product.tags == {"regional", "Bio"}
    take(shop, tags=("regional",))
    take(shop, Sku("sku-2"), brand="Dukat")
    run(shop, gateway)
    assert shown(shop) == {"sku-2": 96}, "what an entry leaves out stays"
    take(shop, Sku("sku-2"), tags=None)
    run(shop, gateway)
    assert shown(shop) == {}
    assert shows_truth(shop, gateway)


def test_promotions_that_begin_later_find_the_products_by_their_tags(
    shop: Controller, gateway: StagedGateway
) -> None:
    take(shop, tags=("Bio",))
    a_promotion(shop, None, HOUR, selection={"tags": ["bio"], "brands": ["Dukat"]})
    run(shop, gateway)
    assert shown(shop) == {}, "it is of another brand"
    take(shop, brand="dukat")
    run(shop, gateway)
    assert shown(shop) == {"sku-0": 96}


def test_the_tills_club_stands_on_the_face(shop: Controller, gateway: StagedGateway) -> None:
    club = StatedPromotion(
        promotion_id="c", kind=PromotionKind.MEMBER, price_minor=99, club="Plava kartica"
    )
    take(shop, price_minor=129, promotion=club)
    run(shop, gateway)
    said = face(shop)
    assert (said.price_minor, said.member_price_minor) == (129, 99)
    assert said.member_condition == "Plava kartica"
    assert shows_truth(shop, gateway)


def test_a_members_promotion_says_whose_price_it_is(
    shop: Controller, gateway: StagedGateway
) -> None:
    a_promotion(shop, None, HOUR, club="Gold")
    run(shop, gateway)
    said = face(shop)
    assert (said.price_minor, said.member_price_minor, said.member_condition) == (129, 96, "Gold")
    assert shows_truth(shop, gateway)


def test_three_for_two_stays_three_for_two_when_the_price_changes(
    shop: Controller, gateway: StagedGateway
) -> None:
    a_promotion(shop, None, HOUR, gives={"quantity": 3, "pay_for": 2})
    run(shop, gateway)
    assert face(shop).multibuy == Multibuy(quantity=3, total_minor=258, pay_for=2)
    take(shop, price_minor=200)
    run(shop, gateway)
    assert face(shop).multibuy == Multibuy(quantity=3, total_minor=400, pay_for=2)
    assert shows_truth(shop, gateway)


def test_explain_says_who_waits_for_whom(shop: Controller, gateway: StagedGateway) -> None:
    def words() -> tuple[int | None, str]:
        now = shop.time.now()
        with shop.database.read() as tx:
            store = places.store_named(tx, STORE)
            [told] = explain_label(tx, store, label_id(0), now, now)
        return told.price_minor, told.words[-1]

    safe = TillSetting(store_id=STORE, channel=TillChannel.PULL, is_safe=True)
    now = shop.time.now()
    shop.writer.write(lambda tx: till_channels.put_till(tx, safe, now, actor="anna"))
    run(shop, gateway)
    shop.price(a_change(SKU, 99))
    price, last = words()
    assert price == 129, "labels show it still"
    assert "Labels go on showing 1.29 EUR: the till has not acknowledged" in last
    assert "charges 0.99 EUR" in last
    shop.price(a_change(SKU, 199))
    price, last = words()
    assert price == 199
    assert "The till goes on charging" in last
    assert "until every label shows 1.99 EUR" in last
