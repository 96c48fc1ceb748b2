import pytest
from sqlalchemy import Connection

from esl.domain.errors import (
    AlreadyExists,
    EslError,
    InvalidInput,
    UnknownGateway,
    UnknownLabel,
    UnknownPanel,
)
from esl.domain.ids import GatewayId, LabelId, PanelId, Sku, StoreId
from esl.domain.place import NewLabel, Pairing
from esl.intake.product_json import ProductPut
from esl.services.catalogue import put_products
from esl.services.pairing import pair_labels, register_labels
from esl.store import labels, places, wall
from tests.builders import GATEWAY, NOON, PANEL, STORE, a_product, build_shelf, label_id
from tests.panels import PANELS

OTHER = StoreId("split-1")


@pytest.fixture(autouse=True)
def shelf(tx: Connection) -> None:
    build_shelf(tx, labels_count=2)
    build_shelf(tx, labels_count=0, store_id=OTHER, gateways=(GatewayId("gw-split"),))


def new(number: int = 9, **changes: object) -> NewLabel:
    fields: dict[str, object] = {
        "label_id": label_id(number),
        "store_id": STORE,
        "panel_id": PANEL,
        "gateway_id": GATEWAY,
    }
    return NewLabel(**(fields | changes))  # type: ignore[arg-type]


def test_labels_are_registered_once(tx: Connection) -> None:
    assert register_labels(tx, STORE, [new(8), new(9, gateway_id=None)], NOON, panels=PANELS) == 2
    assert register_labels(tx, STORE, [new(8), new(9), new(10)], NOON, panels=PANELS) == 1
    assert labels.label_named(tx, label_id(9)).gateway_id == GATEWAY, "named anew, it moves"
    state = labels.label_named(tx, label_id(8))
    assert (state.paired, state.wanted_rev, state.due_at) == (False, 0, None)


@pytest.mark.parametrize(
    ("label", "store", "error"),
    [
        (new(panel_id=PanelId("bwry-1x1")), STORE, UnknownPanel),
        (new(gateway_id=GatewayId("gw-split")), STORE, UnknownGateway),
        (new(gateway_id=GatewayId("nowhere")), STORE, UnknownGateway),
        (new(0, panel_id=PanelId("bwry-400x300")), STORE, AlreadyExists),
        (new(0, store_id=OTHER, gateway_id=None), OTHER, AlreadyExists),
    ],
)
def test_a_label_that_cannot_be_registered_is_refused(
    tx: Connection, label: NewLabel, store: StoreId, error: type[EslError]
) -> None:
    with pytest.raises(error):
        register_labels(
            tx, store, [new(20, store_id=store, gateway_id=None), label], NOON, panels=PANELS
        )


def test_a_paired_label_wants_its_product_and_forgets_the_one_before(tx: Connection) -> None:
    before = labels.label_named(tx, label_id(0)).wanted_rev
    pairs = [Pairing(label_id=label_id(0), sku=Sku("sku-1"))]
    assert pair_labels(tx, STORE, pairs, NOON, single=True) == (label_id(0),)
    label = labels.label_named(tx, label_id(0))
    assert label.wanted_rev > before
    assert label.due_at == NOON
    assert [tile.sku for tile in wall.wall_of(tx, STORE)] == ["sku-1", "sku-1"]


def test_of_two_pairings_of_one_label_the_last_counts(tx: Connection) -> None:
    pairs = [Pairing(label_id=label_id(0), sku=Sku(s)) for s in ("sku-1", "sku-0")]
    assert pair_labels(tx, STORE, pairs, NOON, single=False) == (label_id(0),)
    assert [tile.sku for tile in wall.wall_of(tx, STORE)] == ["sku-0", "sku-1"]


@pytest.mark.parametrize(("single", "path"), [(True, "/sku"), (False, "/0/sku")])
def test_an_unknown_product_is_named_by_its_path(
    tx: Connection, path: str, *, single: bool
) -> None:
    pairs = [Pairing(label_id=label_id(0), sku=Sku("nope"))]
    with pytest.raises(InvalidInput) as refused:
        pair_labels(tx, STORE, pairs, NOON, single=single)
    assert [p.path for p in refused.value.problems] == [path]


@pytest.mark.parametrize(("label", "store"), [("nowhere", STORE), ("label-0000", OTHER)])
def test_a_label_of_another_store_is_unknown(tx: Connection, label: str, store: StoreId) -> None:
    item = ProductPut(product=a_product("sku-0", store_id=OTHER), price=None)
    put_products(tx, OTHER, [item], NOON, actor="t")
    with pytest.raises(UnknownLabel):
        pair_labels(
            tx, store, [Pairing(label_id=LabelId(label), sku=Sku("sku-0"))], NOON, single=True
        )


def test_a_gateway_belongs_to_one_store(tx: Connection) -> None:
    assert places.put_gateway(tx, GATEWAY, STORE).store_id == STORE
    with pytest.raises(AlreadyExists):
        places.put_gateway(tx, GATEWAY, OTHER)
    with pytest.raises(UnknownGateway):
        places.gateway_named(tx, GatewayId("nowhere"))
    assert [g.gateway_id for g in places.list_gateways(tx)] == ["gw-1", "gw-split"]
    assert [g.gateway_id for g in places.list_gateways(tx, OTHER)] == ["gw-split"]


def test_the_wall_is_read_in_pages_and_shows_unpaired_labels_too(tx: Connection) -> None:
    register_labels(tx, STORE, [new(9)], NOON, panels=PANELS)
    whole = wall.wall_of(tx, STORE)
    assert [(t.label.label_id, t.name, t.price_minor, t.label.paired) for t in whole] == [
        (label_id(0), "Jogurt sku-0", 129, True),
        (label_id(1), "Jogurt sku-1", 129, True),
        (label_id(9), None, None, False),
    ]
    assert wall.wall_of(tx, STORE, limit=1) == whole[:1]
    assert wall.wall_of(tx, STORE, after=label_id(0)) == whole[1:]
    assert wall.wall_of(tx, OTHER) == []
    assert wall.tiles_of(tx, [label_id(9), LabelId("nowhere"), label_id(0)]) == [whole[0], whole[2]]
