"""The intake on SQLite and PostgreSQL: the same words, the same books."""

from dataclasses import replace
from datetime import timedelta

import pytest

from esl.domain.entry import Entry, PromotionKind, StatedPromotion
from esl.domain.errors import Conflict
from esl.domain.face import Unit
from esl.domain.guards import Guards, Limits, Reason
from esl.domain.ids import Sku, SourceId
from esl.domain.pricing import Decision
from esl.domain.product import NetContent
from esl.domain.source import Source
from esl.services import batches, guarding, problems, quarantine, retiring, schedule
from esl.services.listening import take_entries
from esl.store import batches as batch_rows
from esl.store import guarding as guard_rows
from esl.store import products, promotions, sources
from esl.store.database import Database
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

LIST = Source(source_id=SourceId("list"), name="List", store_id=STORE, accepts_full=True)
LATER = NOON + timedelta(minutes=1)
MANY = 60


@pytest.fixture
def database(either_database: Database) -> Database:
    """A migrated database of either kind, with a shelf of three labels and guards that watch."""
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=3, price_minor=None)
        guarding.put_guards(tx, STORE, Guards(), NOON, actor="t", reason="")
        sources.put_source(tx, LIST, NOON)
    return either_database


def entries(count: int = MANY, price_minor: int = 200) -> list[Entry]:
    return [
        Entry(
            store_id=STORE,
            sku=Sku(f"sku-{n}"),
            currency="EUR",
            name=f"Kruh {n}",
            gtins=("3850334111227", "3850133800827"),
            net_content=NetContent(milli=500, unit=Unit.KILOGRAM),
            price_minor=price_minor,
            unit_price_minor=price_minor * 2,
            anchor_minor=210,
            lowest_30d_minor=190,
        )
        for n in range(count)
    ]


def test_a_list_is_taken_and_taken_again(database: Database) -> None:
    with database.writing.begin() as tx:
        number = batch_rows.begin_batch(
            tx, NOON, store_id=STORE, source=LIST.source_id, actor="token:1"
        )
        taken = take_entries(tx, LIST, entries(), LATER, actor="token:1", batch_id=number)
        assert taken.count(Decision.ACCEPTED) == MANY
        assert set(taken.labels) == {label_id(0), label_id(1), label_id(2)}
    with database.writing.begin() as tx:
        again = take_entries(tx, LIST, entries(), LATER, actor="token:1", batch_id=None)
        assert again.count(Decision.UNCHANGED) == MANY
        counts = batch_rows.batch_named(tx, STORE, number).counts
        assert counts[Decision.ACCEPTED] == MANY
    with database.writing.begin() as tx:
        done = batches.roll_back(tx, STORE, number, LATER, actor="person:a", reason="x")
        assert (done.restored, done.withdrawn) == (0, MANY)
        assert products.current_prices(tx, STORE, [Sku("sku-5")]) == {}


def test_promotions_and_prices_for_later_turn(database: Database) -> None:
    begins, ends = LATER + timedelta(hours=1), LATER + timedelta(hours=2)
    promotion = StatedPromotion(price_minor=150, valid_from=begins, valid_to=ends)
    first, second, third = entries(3)
    said = [
        replace(first, promotion=promotion),
        replace(second, valid_from=begins, valid_to=ends),
        third,
    ]

    def price(sku: str) -> int | None:
        with database.read() as tx:
            held = products.current_prices(tx, STORE, [Sku(sku)]).get(Sku(sku))
        return held.price_minor if held is not None else None

    with database.writing.begin() as tx:
        taken = take_entries(tx, LIST, said, LATER, actor="token:1", batch_id=None)
    assert {r.decision for r in taken.results} == {Decision.ACCEPTED}
    assert [price(f"sku-{n}") for n in range(3)] == [200, None, 200]
    with database.writing.begin() as tx:
        assert schedule.next_due(tx) == begins
        schedule.apply_due(tx, begins)
    assert [price(f"sku-{n}") for n in range(3)] == [150, 200, 200]
    with database.writing.begin() as tx:
        schedule.apply_due(tx, ends)
        assert schedule.next_due(tx) is None
    assert [price(f"sku-{n}") for n in range(3)] == [200, None, 200]


def test_several_promotions_of_one_product_are_kept_updated_and_ended(database: Database) -> None:
    club = StatedPromotion(
        promotion_id="c1", kind=PromotionKind.MEMBER, price_minor=170, club="Plava"
    )
    three = StatedPromotion(
        promotion_id="m1", kind=PromotionKind.MULTIBUY, price_minor=450, quantity=3
    )
    cheap = StatedPromotion(promotion_id="p1", price_minor=180)
    first, second = entries(2)  # one promotion may stand on many products

    def say(*stated: StatedPromotion, full: bool = False) -> tuple[set[Decision], list[str]]:
        said = [
            replace(one, promotion=stated[0], more_promotions=stated[1:]) for one in (first, second)
        ]
        with database.writing.begin() as tx:
            taken = take_entries(tx, LIST, said, LATER, actor="t", batch_id=None, full=full)
            found = promotions.promotions_of(tx, STORE, [first.sku, second.sku])
        assert found[first.sku] == [replace(p, sku=first.sku) for p in found[second.sku]]
        return {r.decision for r in taken.results}, [p.promotion_id for p in found[first.sku]]

    assert say(cheap, club, three) == ({Decision.ACCEPTED}, ["c1", "m1", "p1"])
    assert say(cheap, club, three) == ({Decision.UNCHANGED}, ["c1", "m1", "p1"])
    with database.read() as tx:
        held = products.current_prices(tx, STORE, [first.sku])[first.sku]
    assert (held.price_minor, held.was_minor, held.member_minor) == (180, 200, 170)
    assert (held.multibuy_quantity, held.multibuy_minor) == (3, 450)
    assert say(replace(club, price_minor=160)) == ({Decision.ACCEPTED}, ["c1", "m1", "p1"])
    assert say(three, full=True) == ({Decision.ACCEPTED}, ["m1"])


def test_a_second_person_decides(database: Database) -> None:
    with database.writing.begin() as tx:
        take_entries(tx, LIST, entries(3), LATER, actor="token:1", batch_id=None)
        wrong = [replace(entries(1)[0], price_minor=2000, unit_price_minor=4000)]
        [held] = take_entries(tx, LIST, wrong, LATER, actor="token:1", batch_id=None).results
    assert held.decision is Decision.QUARANTINED
    assert Reason.DECIMAL_SHIFT in held.reasons
    number = held.quarantine_id
    assert number is not None
    with pytest.raises(Conflict, match="another person"), database.writing.begin() as tx:
        quarantine.approve(tx, STORE, [number], LATER, by="token:1")
    with database.writing.begin() as tx:
        found = problems.find_problems(
            tx,
            STORE,
            LATER + timedelta(days=2),
            online=frozenset({GATEWAY}),
            silent_after=timedelta(days=9),
        )
        assert "price_waits" in {f.kind for f in found}
        ruling = quarantine.approve(tx, STORE, [number], LATER, by="person:a")
        assert ruling.labels == (label_id(0),)
        assert products.current_prices(tx, STORE, [Sku("sku-0")])[Sku("sku-0")].price_minor == 2000


def test_a_complete_list_retires_few_and_a_short_one_none(database: Database) -> None:
    with database.writing.begin() as tx:
        take_entries(tx, LIST, entries(), LATER, actor="token:1", batch_id=None)
    all_but_two = {Sku(f"sku-{n}") for n in range(2, MANY)}
    with database.writing.begin() as tx:
        done = retiring.retire_missing(
            tx, LIST, STORE, all_but_two, LATER, batch_id=1, actor="token:1"
        )
        assert (done.skus, done.held) == ((Sku("sku-0"), Sku("sku-1")), 0)
        assert set(done.labels) == {label_id(0), label_id(1)}
    with database.writing.begin() as tx:
        short = retiring.retire_missing(
            tx, LIST, STORE, {Sku("sku-2")}, LATER, batch_id=2, actor="token:1"
        )
        assert (short.skus, short.held, short.labels) == ((), MANY - 3, ())
        assert products.current_prices(tx, STORE, [Sku("sku-9")])
    with database.writing.begin() as tx:
        back = [replace(entries(4)[3], price_minor=201, unit_price_minor=402)]
        take_entries(tx, LIST, back, LATER, actor="token:1", batch_id=None)
        sure = retiring.confirm_retirement(tx, STORE, 2, LATER, actor="person:a", reason="yes")
        assert len(sure.skus) == MANY - 4
        assert products.current_prices(tx, STORE, [Sku("sku-9")]) == {}
        assert products.current_prices(tx, STORE, [Sku("sku-3")]), "it was listed again since"


def test_the_breaker_holds_the_rest_of_a_batch_over_several_calls(database: Database) -> None:
    limits = Limits(bulk_least=5, bulk_permille=100, changes_a_day=None)
    with database.writing.begin() as tx:
        take_entries(tx, LIST, entries(), LATER, actor="token:1", batch_id=None)
        guarding.put_guards(tx, STORE, Guards(limits=limits), NOON, actor="t", reason="")
        number = batch_rows.begin_batch(
            tx, NOON, store_id=STORE, source=LIST.source_id, actor="token:1"
        )
    risen = entries(price_minor=250)
    held: list[Decision] = []
    for part in (risen[:20], risen[20:40]):
        with database.writing.begin() as tx:
            taken = take_entries(tx, LIST, part, LATER, actor="token:1", batch_id=number)
            held += [r.decision for r in taken.results]
    assert held.count(Decision.ACCEPTED) == 6
    assert held[:6] == [Decision.ACCEPTED] * 6
    with database.read() as tx:
        assert batch_rows.batch_named(tx, STORE, number).tripped_at == LATER


def test_nothing_is_sent_to_a_frozen_store(database: Database) -> None:
    clock = SimulatedClock()
    shop = Controller(database, clock)
    try:
        gateway = FakeGateway(GATEWAY, clock)
        shop.hear(gateway.hello())
        shop.price(a_change("sku-0", 129))
        shop.writer.write(
            lambda tx: guarding.freeze_store(tx, STORE, clock.at, actor="p", reason="x")
        )
        assert shop.dispatcher.step().outgoing == ()
        assert guard_rows_of(database) == {GATEWAY}
        shop.writer.write(
            lambda tx: guarding.unfreeze_store(tx, STORE, clock.at, actor="p", reason="x")
        )
        assert gateway.obey(shop.dispatcher.step().outgoing)
    finally:
        shop.close()


def guard_rows_of(database: Database) -> frozenset[object]:
    with database.read() as tx:
        return frozenset(guard_rows.frozen_gateways(tx))
