"""Several products on one label: paired, drawn, delivered, changed and let go one by one."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select

from esl.domain.errors import InvalidInput, NotFound
from esl.domain.face import Face
from esl.domain.ids import Sku
from esl.domain.place import Pairing
from esl.domain.pricing import CurrentPrice
from esl.services import deliveries, pairing
from esl.services.template_choice import preview_rules
from esl.services.withdrawals import delist_products, withdraw_prices
from esl.store.database import Database
from esl.store.future import future_faces
from esl.store.migrate import migrate
from esl.store.tables import pairings
from renderer.render import Renderer
from tests.builders import (
    GATEWAY,
    NOON,
    STORE,
    Controller,
    FakeGateway,
    SimulatedClock,
    a_change,
    build_shelf,
    label_id,
)

SHELF = 8
PRICE = 129


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database of either kind."""
    url = f"sqlite:///{tmp_path}/esl.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres_url")
    with closing(Database(url)) as opened:
        migrate(opened, NOON)
        yield opened


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def gateway(clock: SimulatedClock) -> FakeGateway:
    return FakeGateway(GATEWAY, clock)


@pytest.fixture
def shop(database: Database, clock: SimulatedClock, gateway: FakeGateway) -> Iterator[Controller]:
    """A shelf of eight labels; the first speaks for the first two products, really drawn."""
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=SHELF)
        _pair(tx, 0, "sku-0", "sku-1")
    with closing(Controller(database, clock, renderer=Renderer())) as shop:
        shop.hear(gateway.state(online=True), gateway.hello())
        shop.settle(gateway)
        yield shop


def _pair(tx: Connection, number: int, *skus: str) -> None:
    pair = Pairing(
        label_id=label_id(number), sku=Sku(skus[0]), more=tuple(Sku(sku) for sku in skus[1:])
    )
    pairing.pair_labels(tx, STORE, [pair], NOON, single=True)


def _due(shop: Controller, number: int = 0) -> deliveries.DueLabel:
    with shop.database.read() as tx:
        [due] = deliveries.load(tx, [label_id(number)])
    return due


def _skus(face: Face | None) -> list[str | None]:
    return [] if face is None else [one.sku for one in (face, *face.others)]


def _places(shop: Controller, number: int = 0) -> list[tuple[int, str]]:
    with shop.database.read() as tx:
        query = select(pairings.c.position, pairings.c.sku).order_by(pairings.c.position)
        return [
            tuple(row) for row in tx.execute(query.where(pairings.c.label_id == label_id(number)))
        ]


def _write(shop: Controller, work: Any) -> Any:
    return shop.writer.write(work)


def _shows_the_truth(shop: Controller, number: int = 0) -> bool:
    label = shop.label(number)
    return label.shown_digest == shop.wanted_digest(number) and label.due_at is None


def test_a_label_with_two_products_is_drawn_with_both_and_shown(shop: Controller) -> None:
    due = _due(shop)
    assert _skus(due.face) == ["sku-0", "sku-1"]
    assert due.template is not None
    assert due.template.name == "two-products"
    assert _shows_the_truth(shop)
    assert _skus(_due(shop, 1).face) == ["sku-1"]


def test_another_price_of_the_second_product_repaints_the_label(
    shop: Controller, gateway: FakeGateway
) -> None:
    before = shop.label().shown_digest
    applied = shop.price(a_change("sku-1", 777))
    assert sorted(applied.labels) == [label_id(0), label_id(1)]
    shop.settle(gateway)
    assert _shows_the_truth(shop)
    assert shop.label().shown_digest != before
    face = _due(shop).face
    assert face is not None
    assert [face.price_minor, *(other.price_minor for other in face.others)] == [129, 777]


def test_three_and_four_products_take_the_template_that_shows_four(
    shop: Controller, gateway: FakeGateway
) -> None:
    for skus in (("sku-0", "sku-1", "sku-2"), ("sku-3", "sku-2", "sku-1", "sku-0")):
        _write(shop, lambda tx, skus=skus: _pair(tx, 0, *skus))
        shop.settle(gateway)
        due = _due(shop)
        assert _skus(due.face) == list(skus)
        assert due.template is not None
        assert due.template.name == "four-products"
        assert _shows_the_truth(shop)


def test_more_products_than_the_template_shows_fail_that_label_alone(
    shop: Controller, gateway: FakeGateway
) -> None:
    _write(shop, lambda tx: _pair(tx, 0, *(f"sku-{n}" for n in range(5))))
    shop.price(a_change("sku-1", 555))
    shop.settle(gateway)
    assert shop.label(0).trouble is not None
    assert _shows_the_truth(shop, 1)


def test_one_product_is_let_go_and_those_behind_it_move_up(
    shop: Controller, gateway: FakeGateway
) -> None:
    _write(shop, lambda tx: _pair(tx, 0, "sku-0", "sku-1", "sku-2"))
    let_go = lambda sku: _write(  # noqa: E731
        shop, lambda tx: pairing.unpair_product(tx, STORE, label_id(0), Sku(sku), NOON)
    )
    assert let_go("sku-1") == (label_id(0),)
    shop.settle(gateway)
    assert _places(shop) == [(0, "sku-0"), (1, "sku-2")]
    assert _shows_the_truth(shop)
    let_go("sku-0")
    shop.settle(gateway)
    assert _places(shop) == [(0, "sku-2")]
    assert _skus(_due(shop).face) == ["sku-2"]
    assert _shows_the_truth(shop)
    with pytest.raises(NotFound):
        let_go("sku-0")
    let_go("sku-2")
    assert (_places(shop), shop.label().paired, _due(shop).face) == ([], False, None)


def test_a_product_that_leaves_the_assortment_leaves_the_others_on_their_labels(
    shop: Controller, gateway: FakeGateway
) -> None:
    touched = _write(shop, lambda tx: delist_products(tx, STORE, [Sku("sku-0")], NOON))
    assert touched == (label_id(0),)
    shop.settle(gateway)
    assert _places(shop) == [(0, "sku-1")]
    assert _shows_the_truth(shop)
    assert _skus(_due(shop).face) == ["sku-1"]


def test_a_product_without_a_price_keeps_its_place_and_the_others_say_theirs(
    shop: Controller, gateway: FakeGateway
) -> None:
    shown = shop.label().shown_digest
    _write(shop, lambda tx: withdraw_prices(tx, STORE, [Sku("sku-0")], NOON))
    due = _due(shop)
    assert due.face is not None
    assert due.template is not None
    assert (_skus(due.face), due.template.name) == (["sku-0", "sku-1"], "two-products")
    assert (due.face.price_minor, due.face.currency) == (None, "EUR")
    assert due.face.others[0].price_minor == PRICE
    shop.settle(gateway)
    assert _shows_the_truth(shop)
    assert shop.label().shown_digest != shown
    with shop.database.read() as tx:
        preview = preview_rules(tx, STORE, [])
    assert preview.without_price == 0, "it has the other's"
    _write(shop, lambda tx: withdraw_prices(tx, STORE, [Sku("sku-1")], NOON))
    assert _due(shop).face is None
    shop.price(a_change("sku-1", 888), a_change("sku-0", 111))
    shop.settle(gateway)
    assert _skus(_due(shop).face) == ["sku-0", "sku-1"]
    assert _shows_the_truth(shop)


def test_what_it_will_show_has_all_its_products_at_the_prices_of_then(shop: Controller) -> None:
    def then(now: Mapping[Sku, CurrentPrice]) -> dict[Sku, tuple[CurrentPrice, None]]:
        minor = {"sku-1": 999}
        return {
            sku: (replace(price, price_minor=minor.get(sku, 129)), None)
            for sku, price in now.items()
        }

    with shop.database.read() as tx:
        face = future_faces(tx, [label_id(0)], then)[label_id(0)]
    assert [(one.sku, one.price_minor) for one in (face, *face.others)] == [
        ("sku-0", 129),
        ("sku-1", 999),
    ]


def test_a_preview_of_rules_counts_the_products(shop: Controller) -> None:
    with shop.database.read() as tx:
        preview = preview_rules(tx, STORE, [])
    assert {count.choice.template: count.labels for count in preview.by_rule} == {
        "two-products": 1,
        "standard": SHELF - 1,
    }


def test_loading_costs_the_same_statements_however_many_have_several(shop: Controller) -> None:
    def statements(numbers: range) -> int:
        seen: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(shop.database.reading, "before_cursor_execute", note)
        try:
            with shop.database.read() as tx:
                assert len(deliveries.load(tx, [label_id(n) for n in numbers])) == len(numbers)
        finally:
            event.remove(shop.database.reading, "before_cursor_execute", note)
        return len(seen)

    one = statements(range(1))
    for number in range(SHELF - 1):
        _write(shop, lambda tx, n=number: _pair(tx, n, f"sku-{n}", f"sku-{n + 1}"))
    assert statements(range(SHELF)) == one
    assert statements(range(SHELF - 1, SHELF)) == one - 1  # none with several: not even asked


def test_an_unknown_product_is_named_by_its_place(shop: Controller) -> None:
    with pytest.raises(InvalidInput) as refused:
        _write(shop, lambda tx: _pair(tx, 0, "sku-0", "nobody"))
    assert refused.value.problems[0].path == "/skus/1"
    assert _places(shop) == [(0, "sku-0"), (1, "sku-1")]
