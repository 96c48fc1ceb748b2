"""Where labels hang: rows taken one by one, promotions that follow, and the order of the walk."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from esl.domain.ids import LabelId, Sku
from esl.domain.migration import RowDecision
from esl.domain.pairing import Ending
from esl.domain.place import Pairing
from esl.domain.planogram import PlaceDone, PlaceRow
from esl.domain.shelf_place import Walk
from esl.services import pairing, placing, repairing
from esl.services.placing import STANDS_FOR, PlacesTaken
from esl.store import shelf_places
from esl.store.database import Database
from esl.store.due_labels import load_due
from tests.builders import NOON, STORE, Controller, SimulatedClock, build_shelf, label_id
from tests.promotions import HOUR, a_promotion, run
from tests.unit.gateway.staged_gateway import on_the_line

SHELF = 3
WHO = "person:ana"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def shop(database: Database, clock: SimulatedClock) -> Iterator[Controller]:
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=SHELF)
    with closing(Controller(database, clock)) as controller:
        yield controller


def row(number: int, place: str, **more: Any) -> PlaceRow:
    return PlaceRow(row=number, place=place, **more)


def take(shop: Controller, *rows: PlaceRow, dry_run: bool = False) -> PlacesTaken:
    now = shop.time.now()
    taken: PlacesTaken = shop.writer.write(
        lambda tx: placing.take_places(tx, STORE, rows, now, actor=WHO, dry_run=dry_run)
    )
    return taken


def hung(shop: Controller) -> dict[LabelId, str | None]:
    with shop.database.read() as tx:
        return shelf_places.places_of_store(tx, STORE)


def test_rows_are_taken_one_by_one_and_the_same_again_change_nothing(shop: Controller) -> None:
    rows = (
        row(2, "3/2/1", label_id=label_id(0)),
        row(3, "3/2/2", sku=Sku("sku-1")),
        row(4, "9", label_id=LabelId("nobody")),
        row(5, "9", sku=Sku("sku-9")),
        row(6, "3/1", code="SHELF-31"),
        row(7, "4/1", label_id=label_id(0)),
    )
    tried = take(shop, *rows, dry_run=True)
    assert hung(shop) == dict.fromkeys(map(label_id, range(SHELF)))
    taken = take(shop, *rows)
    assert tried.outcomes == taken.outcomes, "a dry run says what comes of it"
    told = [(one.row, one.decision, one.done, one.field) for one in taken.outcomes]
    assert told == [
        (2, RowDecision.TAKEN, (PlaceDone.PLACED,), ""),
        (3, RowDecision.TAKEN, (PlaceDone.PLACED,), ""),
        (4, RowDecision.REJECTED, (), "label"),
        (5, RowDecision.REJECTED, (), "sku"),
        (6, RowDecision.TAKEN, (PlaceDone.CODE,), ""),
        (7, RowDecision.REJECTED, (), "place"),
    ]
    assert hung(shop) == {label_id(0): "3/2/1", label_id(1): "3/2/2", label_id(2): None}
    again = take(shop, *rows[:2], rows[4])
    assert {one.decision for one in again.outcomes} == {RowDecision.UNCHANGED}
    with shop.database.read() as tx:
        [(event, ended), *_] = repairing.history(tx, STORE, label_id=label_id(0))
    assert (event.after.place, ended.ending) == ("3/2/1", Ending.NONE)


def test_a_product_with_two_labels_is_not_guessed_at(shop: Controller) -> None:
    both = Pairing(label_id=label_id(1), sku=Sku("sku-0"))
    shop.writer.write(lambda tx: pairing.pair_labels(tx, STORE, [both], NOON, single=True))
    [outcome] = take(shop, row(2, "3", sku=Sku("sku-0"))).outcomes
    assert (outcome.decision, outcome.reason) == (
        RowDecision.REJECTED,
        f"2 labels speak for this product: {label_id(0)}, {label_id(1)}",
    )


def test_a_promotion_of_an_aisle_follows_a_label_that_is_hung_there(
    shop: Controller, clock: SimulatedClock
) -> None:
    gateway = on_the_line(shop, clock)
    skus = {"skus": [f"sku-{n}" for n in range(SHELF)]}
    a_promotion(shop, None, HOUR, selection=skus, rollout=[{"areas": ["3"]}])
    run(shop, gateway)

    def prices() -> list[int | None]:
        with shop.database.read() as tx:
            due = load_due(tx, [label_id(n) for n in range(SHELF)])
        faces = {one.label_id: one.face for one in due}
        found = [faces[label_id(n)] for n in range(SHELF)]
        return [face.price_minor if face else None for face in found]

    assert prices() == [129] * SHELF, "none hangs in the first aisle"
    taken = take(shop, row(2, "3/1", label_id=label_id(1)), row(3, "4", label_id=label_id(2)))
    assert taken.labels == (label_id(1),)
    assert shop.label(1).due_at is not None
    [ordinary, promoted, elsewhere] = prices()
    assert promoted is not None
    assert promoted < 129
    assert (ordinary, elsewhere) == (129, 129)
    taken = take(shop, row(2, "5", label_id=label_id(1)))
    assert taken.labels == (label_id(1),)
    assert prices() == [129] * SHELF


def test_a_place_where_somebody_stands_sticks_to_their_pairings_for_a_shift(
    shop: Controller,
) -> None:
    now = shop.time.now()

    def standing(actor: str, at: timedelta) -> str | None:
        with shop.database.read() as tx:
            return placing.standing_place(tx, STORE, actor, now + at)

    take(shop, row(2, "3/2", code="S-32"))
    place = shop.writer.write(lambda tx: placing.place_scanned(tx, STORE, "S-32"))
    shop.writer.write(lambda tx: shelf_places.stand_at(tx, STORE, WHO, place, now))
    assert standing(WHO, timedelta()) == "3/2"
    assert standing("person:ivo", timedelta()) is None
    assert standing(WHO, STANDS_FOR + timedelta(seconds=1)) is None
    pairs = [
        Pairing(label_id=label_id(0), sku=Sku("sku-1")),
        Pairing(label_id=label_id(1), sku=Sku("sku-1"), place="7"),
    ]
    shop.writer.write(
        lambda tx: pairing.pair_labels(tx, STORE, pairs, now, single=False, standing=place)
    )
    assert hung(shop) == {label_id(0): "3/2", label_id(1): "7", label_id(2): None}
    shop.writer.write(lambda tx: shelf_places.stand_at(tx, STORE, WHO, None, now))
    assert standing(WHO, timedelta()) is None


def test_labels_are_listed_as_one_walks_past_them(shop: Controller) -> None:
    take(shop, row(2, "10/1", label_id=label_id(0)), row(3, "2/1", label_id=label_id(1)))

    def order(area: str | None = None) -> list[LabelId]:
        with shop.database.read() as tx:
            return placing.labels_in_order(tx, STORE, area=area, by_walk=True)

    assert order() == [label_id(1), label_id(0), label_id(2)], "without a place: last"
    assert order("10") == [label_id(0)]
    walk = Walk(first=("10",))
    shop.writer.write(lambda tx: shelf_places.put_walk(tx, STORE, walk))
    assert order() == [label_id(0), label_id(1), label_id(2)]
    with shop.database.read() as tx:
        assert shelf_places.walk_of(tx, STORE) == walk
