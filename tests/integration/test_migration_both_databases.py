"""Labels and past prices of another system, taken over on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from esl.domain.entry import DatedPrice, Entry, PastKind
from esl.domain.errors import UnknownStore
from esl.domain.ids import GatewayId, LabelId, PanelId, Sku, SourceId, StoreId
from esl.domain.lowest_price import Basis
from esl.domain.migration import Done, PairingRow, RowDecision, RowOutcome
from esl.domain.pricing import Decision
from esl.domain.source import Source
from esl.services import batches as batch_services
from esl.services.listening import take_entries
from esl.services.lowest_price import lowest_price_of
from esl.services.migration import Moved, Wishes, take_pairings
from esl.services.pairing import retire_labels
from esl.store import batches, labels, migration
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.tables import audit_entries, price_events
from tests.builders import GATEWAY, NOON, PANEL, STORE, a_store, build_shelf, label_id
from tests.panels import PANELS

OTHER = StoreId("split-1")
OLD = Source(source_id=SourceId("old"), name="Old", store_id=STORE)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Two paired labels with their gateway, and a shop next door, on a database of either kind."""
    url, name, server = f"sqlite:///{tmp_path_factory.mktemp('migration')}/esl.db", None, None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        name = server.create_database()
        url = server.url(name)
    opened = Database(url)
    migrate(opened, NOON)
    with opened.writing.begin() as tx:
        build_shelf(tx, labels_count=2)
        build_shelf(tx, labels_count=0, store_id=OTHER, gateways=(GatewayId("gw-split"),))
    yield opened
    opened.close()
    if server is not None:
        server.drop_database(name)


@pytest.fixture
def tx(database: Database) -> Iterator[Connection]:
    """One transaction, of which nothing is kept."""
    with database.writing.connect() as opened:
        outer = opened.begin()
        yield opened
        outer.rollback()


def row(label: str = "new-1", number: int = 2, **said: str | None) -> PairingRow:
    given = {"panel_id": str(PANEL)} | said
    return PairingRow(row=number, label_id=LabelId(label), **given)  # type: ignore[arg-type]


def take(tx: Connection, *rows: PairingRow, dry_run: bool = False, **wishes: object) -> Moved:
    return take_pairings(
        tx,
        STORE,
        rows,
        NOON,
        panels=PANELS,
        wishes=Wishes(**wishes),  # type: ignore[arg-type]
        actor="token:1",
        dry_run=dry_run,
    )


def one(moved: Moved) -> RowOutcome:
    [outcome] = moved.outcomes
    return outcome


def known(tx: Connection, label: str = "new-1") -> migration.KnownLabel:
    return migration.known_labels(tx, [LabelId(label)])[LabelId(label)]


def test_a_new_label_is_expected_paired_and_placed_and_the_same_row_again_is_nothing(
    tx: Connection,
) -> None:
    whole = row(sku="sku-0", gateway_id=str(GATEWAY), place="Aisle 3")
    trial = take(tx, whole, dry_run=True)
    assert migration.known_labels(tx, [LabelId("new-1")]) == {}, "a dry run stores nothing"
    moved = take(tx, whole)
    assert trial.outcomes == moved.outcomes
    assert one(moved).done == (Done.REGISTERED, Done.PAIRED, Done.PLACED)
    assert moved.labels == ("new-1",)
    assert known(tx) == migration.KnownLabel(
        store_id=STORE,
        panel_id=PANEL,
        gateway_id=GATEWAY,
        place="Aisle 3",
        skus=(Sku("sku-0"),),
        is_retired=False,
    )
    state = labels.label_named(tx, LabelId("new-1"))
    assert (state.wanted_rev > 0, state.due_at) == (True, NOON), "it wants its price"
    again = take(tx, whole)
    assert (one(again).decision, one(again).done, again.labels) == (RowDecision.UNCHANGED, (), ())
    counted = select(func.count()).where(audit_entries.c.action == "pairings_migrated")
    assert tx.execute(counted).scalar_one() == 1


def test_a_label_without_a_product_is_expected_and_keeps_its_pairing(tx: Connection) -> None:
    assert one(take(tx, row())).done == (Done.REGISTERED,)
    assert known(tx).skus == ()
    assert one(take(tx, row("label-0000"))).decision is RowDecision.UNCHANGED
    assert known(tx, "label-0000").skus == ("sku-0",)


def test_two_rows_that_say_the_same_do_it_once(tx: Connection) -> None:
    moved = take(tx, row(sku="sku-0"), row(sku="sku-0", number=3))
    assert [o.decision for o in moved.outcomes] == [RowDecision.TAKEN, RowDecision.UNCHANGED]


def test_what_is_paired_here_stays_unless_it_is_to_move(tx: Connection) -> None:
    refused = one(take(tx, row("label-0000", sku="sku-1")))
    assert (refused.decision, refused.field, refused.before) == (
        RowDecision.REJECTED,
        "sku",
        ("sku-0",),
    )
    assert "--move" in refused.fix
    assert known(tx, "label-0000").skus == ("sku-0",)
    moved = take(tx, row("label-0000", sku="sku-1"), moves=True)
    assert (one(moved).done, one(moved).before) == ((Done.MOVED,), ("sku-0",))
    assert known(tx, "label-0000").skus == ("sku-1",)
    assert one(take(tx, row("label-0000", sku="sku-1"))).decision is RowDecision.UNCHANGED


def test_a_gateway_that_we_heard_counts_more_than_one_that_is_remembered(tx: Connection) -> None:
    take(tx, row())
    assert one(take(tx, row(gateway_id=str(GATEWAY)))).done == (Done.ROUTED,)
    assert known(tx).gateway_id == GATEWAY
    build_shelf(tx, labels_count=0, gateways=(GatewayId("gw-9"),))
    assert one(take(tx, row(gateway_id="gw-9"))).decision is RowDecision.UNCHANGED
    assert known(tx).gateway_id == GATEWAY


def test_a_label_that_left_the_shop_is_taken_back(tx: Connection) -> None:
    retire_labels(tx, STORE, [label_id(0)], NOON)
    assert known(tx, label_id(0)).is_retired
    assert one(take(tx, row(label_id(0), sku="sku-1"))).done == (Done.REGISTERED, Done.PAIRED)
    assert not known(tx, label_id(0)).is_retired
    assert known(tx, label_id(0)).skus == ("sku-1",)


@pytest.mark.parametrize(
    ("wrong", "field", "words", "fix"),
    [
        (row(sku="nope"), "sku", "no product", "products first"),
        (row(panel_id=None), "panel", "which model", "--panel"),
        (row(panel_id="bwry-296x12"), "panel", "no panel model", "bwry-296x128"),
        (row("label-0000", panel_id="bwry-400x300"), "panel", "is a bwry", "register it anew"),
        (row(gateway_id="nowhere"), "gateway", "no gateway", "Enrol"),
        (row(gateway_id="gw-split"), "gateway", "no gateway", "Enrol"),
    ],
)
def test_a_row_that_cannot_be_taken_is_refused_by_itself(
    tx: Connection, wrong: PairingRow, field: str, words: str, fix: str
) -> None:
    moved = take(tx, wrong, row("new-2", number=3, sku="sku-0"))
    first, second = moved.outcomes
    assert (first.decision, first.field, first.row) == (RowDecision.REJECTED, field, 2)
    assert words in first.reason
    assert fix in first.fix
    assert second.decision is RowDecision.TAKEN
    assert moved.labels == ("new-2",)


def test_a_label_of_another_store_is_never_taken(tx: Connection) -> None:
    other = take_pairings(
        tx, OTHER, [row("label-0000")], NOON, panels=PANELS, wishes=Wishes(moves=True), actor="t"
    )
    assert one(other).field == "label"
    assert str(STORE) not in one(other).reason, "whose it is, is nobody's business"
    assert known(tx, "label-0000").store_id == STORE


def test_one_model_may_be_said_for_all(tx: Connection) -> None:
    assert one(take(tx, row(panel_id=None), panel_id=PANEL)).done == (Done.REGISTERED,)
    wrong = one(take(tx, row("new-2", panel_id=None), panel_id=PanelId("bwry-1x1")))
    assert wrong.field == "panel"


def test_an_unknown_store_is_said(tx: Connection) -> None:
    for dry_run in (True, False):
        with pytest.raises(UnknownStore):
            take_pairings(
                tx,
                StoreId("nowhere"),
                [row()],
                NOON,
                panels=PANELS,
                wishes=Wishes(),
                actor="t",
                dry_run=dry_run,
            )


def test_a_label_of_several_products_is_given_out_and_taken_with_all_of_them(
    tx: Connection,
) -> None:
    both = replace(row(sku="sku-1"), more=(Sku("sku-0"),))
    assert one(take(tx, both)).done == (Done.REGISTERED, Done.PAIRED)
    assert known(tx).skus == ("sku-1", "sku-0")
    [out] = migration.pairing_rows(tx, STORE, after="label-0001")
    assert out.skus == ("sku-1", "sku-0")
    assert one(take(tx, out)).decision is RowDecision.UNCHANGED
    fewer = one(take(tx, row(sku="sku-1")))
    assert (fewer.decision, fewer.before) == (RowDecision.REJECTED, ("sku-1", "sku-0"))
    assert "'sku-1', 'sku-0'" in fewer.reason
    unknown = one(take(tx, replace(both, more=(Sku("nowhere"),)), moves=True))
    assert (unknown.field, "'nowhere'" in unknown.reason) == ("sku", True)
    assert known(tx).skus == ("sku-1", "sku-0")


def test_what_is_given_out_is_taken_again_unchanged(tx: Connection) -> None:
    take(tx, row(sku="sku-0", place="Aisle 3"), row("new-2", number=3))
    out = migration.pairing_rows(tx, STORE)
    assert [(r.row, r.label_id, r.sku, r.place) for r in out] == [
        (2, "label-0000", "sku-0", None),
        (3, "label-0001", "sku-1", None),
        (4, "new-1", "sku-0", "Aisle 3"),
        (5, "new-2", None, None),
    ]
    assert migration.pairing_rows(tx, STORE, after="label-0001", most=1)[0].label_id == "new-1"
    again = take(tx, *out)
    assert {o.decision for o in again.outcomes} == {RowDecision.UNCHANGED}


def test_the_past_is_kept_and_named_as_the_base_of_the_lowest_price(tx: Connection) -> None:
    number = batches.begin_batch(
        tx, NOON, store_id=STORE, source=OLD.source_id, actor="t", title="history.csv"
    )
    today = NOON.date()
    dated = (
        DatedPrice(day=today - timedelta(days=45), price_minor=119),
        DatedPrice(
            day=today - timedelta(days=20),
            price_minor=89,
            until=today - timedelta(days=10),
            kind=PastKind.PROMOTION,
        ),
        DatedPrice(day=today + timedelta(days=1), price_minor=1, row=9),
    )
    before = tx.execute(select(func.count()).select_from(price_events)).scalar_one()
    entry = Entry(store_id=STORE, sku=Sku("sku-0"), currency="EUR", history=dated)
    for expected in (Decision.ACCEPTED, Decision.UNCHANGED):
        taken = take_entries(tx, OLD, [entry], NOON, actor="t", batch_id=number)
        assert taken.results[0].decision is expected
        assert [problem.row for problem in taken.results[0].problems] == [9]
        assert taken.labels == ()
    assert tx.execute(select(func.count()).select_from(price_events)).scalar_one() == before
    found = lowest_price_of(tx, a_store(), Sku("sku-0"), NOON + timedelta(hours=1))
    assert found is not None
    assert (found.lowest.price_minor, found.lowest.basis) == (89, Basis.HISTORY)
    assert found.files == ((number, "history.csv"),)
    batch_services.roll_back(tx, STORE, number, NOON, actor="t", reason="wrong file")
    assert lowest_price_of(tx, a_store(), Sku("sku-0"), NOON) is None
