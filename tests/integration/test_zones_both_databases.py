"""Price zones: accepted at once, told store by store, the nearest level holds."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection, select

from esl.domain.entry import Entry
from esl.domain.errors import Conflict, InvalidInput, NotFound, NumberUsed
from esl.domain.guards import Guards, Reason
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import Decision, PriceChange
from esl.domain.source import unregistered
from esl.domain.zone import CHAIN, Level, PriceZone, Told
from esl.intake.product_json import ProductPut
from esl.services import catalogue, guarding
from esl.services import quarantine as ruling
from esl.services.listening import take_entries
from esl.services.pricing import apply_price_changes
from esl.services.schedule import apply_due
from esl.services.zones import levels, places, saying, telling
from esl.store import products, zone_prices, zone_tasks, zones
from esl.store.database import Database
from esl.store.tables import price_events
from tests.builders import NOON, a_product, a_store, believe_every_price, open_database

COAST, CITY = "coast", "city"
HERE, THERE, ALONE = (StoreId(name) for name in ("here", "there", "alone"))
MILK, BREAD = Sku("milk"), Sku("bread")
LATER = NOON + timedelta(hours=1)
ME = "token:7"


def build(tx: Connection, store_ids: Sequence[StoreId], *, guarded: bool = False) -> None:
    """Stores that sell milk and bread, without prices."""
    for store_id in store_ids:
        catalogue.put_store(tx, a_store(store_id), NOON)
        if not guarded:
            believe_every_price(tx, store_id)
        put = [
            ProductPut(product=a_product(sku, store_id=store_id), price=None)
            for sku in (MILK, BREAD)
        ]
        catalogue.put_products(tx, store_id, put, NOON, actor="tests")


@pytest.fixture
def database(either_database: Database) -> Database:
    """Two stores in the zone ``coast``, and one that follows the chain alone."""
    with either_database.writing.begin() as tx:
        build(tx, (HERE, THERE, ALONE))
        places.put_zone(tx, zone(COAST, HERE, THERE), NOON, actor=ME)
    return either_database


def zone(zone_id: str, *of: StoreId) -> PriceZone:
    return PriceZone(zone_id=zone_id, name=zone_id, currency="EUR", stores=frozenset(of))


def word(sku: Sku, minor: int, seq: int | None = None, store: str = "") -> PriceChange:
    return PriceChange(
        store_id=StoreId(store),
        sku=sku,
        price_minor=minor,
        currency="EUR",
        source=SourceId("erp"),
        source_seq=seq,
    )


def say(database: Database, zone_id: str, *said: PriceChange) -> saying.Accepted:
    with database.writing.begin() as tx:
        return saying.say_prices(tx, zone_id, said, LATER, actor=ME)


def say_here(
    database: Database, store_id: StoreId, sku: Sku, minor: int, ends: datetime | None = None
) -> Decision:
    change = PriceChange(
        store_id=store_id, sku=sku, price_minor=minor, currency="EUR", valid_to=ends
    )
    with database.writing.begin() as tx:
        return apply_price_changes(tx, store_id, [change], LATER, actor="till").results[0].decision


def tell_all(database: Database) -> None:
    """Let every store hear all that waits, as the upkeep does, piece by piece."""
    for _ in range(1000):
        with database.read() as tx:
            waiting = zone_tasks.stores_waiting(tx, most=200)
        if not waiting:
            return
        with database.writing.begin() as tx:
            telling.tell_some(tx, waiting, LATER)
    raise AssertionError("stores wait for ever")


def clear(database: Database, store_id: StoreId, *skus: Sku) -> list[levels.Cleared]:
    with database.writing.begin() as tx:
        return levels.clear_overrides(tx, store_id, skus, LATER, actor=ME)[0]


def price(database: Database, store_id: StoreId, sku: Sku = MILK) -> int | None:
    with database.read() as tx:
        held = products.current_prices(tx, store_id, [sku]).get(sku)
    return held.price_minor if held is not None else None


def level(database: Database, store_id: StoreId, sku: Sku = MILK) -> Level | None:
    with database.read() as tx:
        return levels.levels_of(tx, store_id, sku).level


def told(database: Database, change_id: int | None) -> dict[StoreId, Told]:
    assert change_id is not None
    with database.read() as tx:
        return {one.store_id: one for one in zone_tasks.told_of(tx, change_id)}


# -- levels --------------------------------------------------------------------------------------


def test_the_nearest_level_holds_and_each_price_knows_its_own(database: Database) -> None:
    say(database, CHAIN, word(MILK, 100), word(BREAD, 200))
    say(database, COAST, word(MILK, 110))
    tell_all(database)
    assert say_here(database, HERE, MILK, 120) is Decision.ACCEPTED
    assert [price(database, one) for one in (HERE, THERE, ALONE)] == [120, 110, 100]
    assert [level(database, one) for one in (HERE, THERE, ALONE)] == [
        Level.STORE,
        Level.ZONE,
        Level.CHAIN,
    ]
    assert level(database, HERE, BREAD) is Level.CHAIN
    again = say(database, COAST, word(MILK, 111))
    over = say(database, CHAIN, word(MILK, 101))
    tell_all(database)
    assert [price(database, one) for one in (HERE, THERE, ALONE)] == [120, 111, 101]
    of_coast = told(database, again.change_id)
    assert of_coast[HERE].counts == {"own_price": 1}
    assert of_coast[HERE].held == ((MILK, "own_price", "yields"),)
    assert of_coast[THERE].counts == {"accepted": 1}
    assert told(database, over.change_id)[THERE].held == ((MILK, "superseded", "nearer_zone"),)


def test_what_a_store_said_before_there_were_zones_is_its_own(database: Database) -> None:
    say_here(database, HERE, MILK, 90)
    change = say(database, COAST, word(MILK, 110)).change_id
    tell_all(database)
    assert [price(database, one) for one in (HERE, THERE)] == [90, 110]
    assert told(database, change)[HERE].counts == {"own_price": 1}


def test_an_own_price_gives_way_when_it_is_cleared(database: Database) -> None:
    say_here(database, HERE, MILK, 90)
    say_here(database, HERE, BREAD, 91)
    say(database, COAST, word(MILK, 110))
    tell_all(database)
    by_sku = {one.sku: one for one in clear(database, HERE, MILK, BREAD, Sku("soap"))}
    assert by_sku[MILK].decision == "accepted"
    assert by_sku[MILK].zone_id == COAST
    assert by_sku[BREAD].decision == levels.NOTHING_BENEATH
    assert by_sku[Sku("soap")].reasons == (Reason.UNKNOWN_SKU,)
    assert (price(database, HERE), price(database, HERE, BREAD)) == (110, 91)
    assert level(database, HERE) is Level.ZONE
    assert [one.decision for one in clear(database, HERE, MILK)] == ["unchanged"]
    say(database, COAST, word(MILK, 115))
    tell_all(database)
    assert price(database, HERE) == 115


def test_an_echo_of_the_zones_price_is_no_price_of_the_stores_own(database: Database) -> None:
    say(database, COAST, word(MILK, 110))
    tell_all(database)
    assert say_here(database, HERE, MILK, 110) is Decision.UNCHANGED
    say(database, COAST, word(MILK, 115))
    tell_all(database)
    assert price(database, HERE) == 115


def test_a_zone_that_says_nothing_any_more_leaves_it_to_the_chain(database: Database) -> None:
    say(database, CHAIN, word(MILK, 100))
    say(database, COAST, word(MILK, 110), word(BREAD, 210))
    tell_all(database)
    with database.writing.begin() as tx:
        gone = saying.clear_prices(tx, COAST, [MILK, BREAD, Sku("x")], LATER, actor=ME)
    assert gone.decisions == (Decision.ACCEPTED, Decision.ACCEPTED, Decision.UNCHANGED)
    tell_all(database)
    assert (price(database, HERE), price(database, HERE, BREAD)) == (100, 210)
    assert level(database, HERE) is Level.CHAIN
    assert told(database, gone.change_id)[HERE].counts == {"accepted": 1, "nothing_said": 1}
    say(database, CHAIN, word(BREAD, 200))
    tell_all(database)
    assert price(database, HERE, BREAD) == 200


def test_a_store_that_moves_gets_what_its_new_zone_says(database: Database) -> None:
    say(database, CHAIN, word(MILK, 100))
    say(database, COAST, word(MILK, 110))
    with database.writing.begin() as tx:
        places.put_zone(tx, zone(CITY), NOON, actor=ME)
    say(database, CITY, word(MILK, 130), word(BREAD, 230))
    tell_all(database)
    with database.writing.begin() as tx:
        assert places.move_store(tx, HERE, CITY, LATER, actor=ME) is not None
        assert places.move_store(tx, HERE, CITY, LATER, actor=ME) is None
    tell_all(database)
    assert (price(database, HERE), price(database, HERE, BREAD)) == (130, 230)
    with database.writing.begin() as tx:
        places.put_zone(tx, zone(COAST), LATER, actor=ME)  # lets its stores go
    tell_all(database)
    assert [price(database, one) for one in (HERE, THERE)] == [130, 100]


def test_a_product_that_is_new_in_a_store_gets_the_zones_price(database: Database) -> None:
    soap = Sku("soap")
    change = say(database, COAST, word(soap, 310)).change_id
    tell_all(database)
    assert told(database, change)[HERE].counts == {"not_listed": 1}
    put = [ProductPut(product=a_product(soap, store_id=HERE), price=None)]
    with database.writing.begin() as tx:
        catalogue.put_products(tx, HERE, put, LATER, actor="tests")
    tell_all(database)
    assert price(database, HERE, soap) == 310


def test_a_product_that_a_list_adds_without_a_price_gets_the_zones(database: Database) -> None:
    soap, own = Sku("soap"), Sku("own")
    say(database, COAST, word(soap, 310), word(own, 310))
    tell_all(database)
    entries = [
        Entry(store_id=HERE, sku=soap, currency="EUR", name="Soap"),
        Entry(store_id=HERE, sku=own, currency="EUR", name="Own", price_minor=290),
    ]
    source = unregistered(SourceId("list"), HERE)
    with database.writing.begin() as tx:
        take_entries(tx, source, entries, LATER, actor="till", batch_id=None)
    tell_all(database)
    assert (price(database, HERE, soap), price(database, HERE, own)) == (310, 290)


# -- prices that end, guards, currencies -----------------------------------------------------------


def test_a_price_until_a_moment_goes_before_the_zones_and_ends(database: Database) -> None:
    say(database, COAST, word(MILK, 110))
    tell_all(database)
    ends = LATER + timedelta(hours=1)
    say_here(database, HERE, MILK, 80, ends)
    say(database, COAST, word(MILK, 120))
    tell_all(database)
    assert [price(database, one) for one in (HERE, THERE)] == [80, 120]
    with database.writing.begin() as tx:
        apply_due(tx, ends)
    assert price(database, HERE) == 120
    assert level(database, HERE) is Level.ZONE


def test_clearing_beneath_a_price_that_ends_waits_for_its_end(database: Database) -> None:
    say(database, COAST, word(MILK, 110))
    say_here(database, HERE, MILK, 95)
    tell_all(database)
    ends = LATER + timedelta(hours=1)
    say_here(database, HERE, MILK, 80, ends)
    clear(database, HERE, MILK)
    assert price(database, HERE) == 80
    with database.writing.begin() as tx:
        apply_due(tx, ends)
    assert price(database, HERE) == 110


def test_each_stores_guards_judge_and_another_person_lets_it_hold(
    either_database: Database,
) -> None:
    with either_database.writing.begin() as tx:
        build(tx, (HERE, THERE))
        places.put_zone(tx, zone(COAST, HERE, THERE), NOON, actor=ME)
        guarding.put_guards(tx, HERE, Guards(), NOON, actor="tests", reason="")
    say(either_database, COAST, word(MILK, 100))
    tell_all(either_database)
    change = say(either_database, COAST, word(MILK, 1000)).change_id
    tell_all(either_database)
    assert [price(either_database, one) for one in (HERE, THERE)] == [100, 1000]
    here = told(either_database, change)[HERE]
    assert here.counts == {"quarantined": 1}
    assert here.held[0][2].startswith("decimal_shift")
    with either_database.writing.begin() as tx:
        with pytest.raises(Conflict, match="yourself"):
            ruling.approve(tx, HERE, [1], LATER, by=ME)
        ruling.approve(tx, HERE, [1], LATER, by="ana")
    assert price(either_database, HERE) == 1000
    assert level(either_database, HERE) is Level.ZONE


def test_what_the_guards_doubt_does_not_clear_the_own_price(either_database: Database) -> None:
    with either_database.writing.begin() as tx:
        build(tx, (HERE,))
        places.put_zone(tx, zone(COAST, HERE), NOON, actor=ME)
    say_here(either_database, HERE, MILK, 1000)
    say(either_database, COAST, word(MILK, 100))
    tell_all(either_database)
    with either_database.writing.begin() as tx:
        guarding.put_guards(tx, HERE, Guards(), NOON, actor="tests", reason="")
    [one] = clear(either_database, HERE, MILK)
    assert one.decision == Decision.QUARANTINED
    assert (price(either_database, HERE), level(either_database, HERE)) == (1000, Level.STORE)


def test_a_store_with_another_currency_is_told_why_the_chains_price_is_not_its(
    database: Database,
) -> None:
    with database.writing.begin() as tx:
        catalogue.put_store(tx, a_store(StoreId("dkk"), currency="DKK"), NOON)
        with pytest.raises(InvalidInput, match="currency EUR"):
            places.put_zone(tx, zone(CITY, StoreId("dkk")), NOON, actor=ME)
        chain = zones.zone_named(tx, CHAIN)
        with pytest.raises(InvalidInput, match="DKK, EUR"):
            saying.currency_of(tx, chain, None)
        assert saying.currency_of(tx, chain, "DKK") == "DKK"
    change = say(database, CHAIN, word(MILK, 100)).change_id
    tell_all(database)
    assert told(database, change)[StoreId("dkk")].held == ((MILK, "rejected", "currency"),)


# -- order, repetition, places -----------------------------------------------------------------


def test_words_are_ordered_by_their_source_and_repeated_words_change_nothing(
    database: Database,
) -> None:
    assert say(database, COAST, word(MILK, 110, 5)).decisions == (Decision.ACCEPTED,)
    assert say(database, COAST, word(MILK, 110, 5)).decisions == (Decision.UNCHANGED,)
    late = say(database, COAST, word(MILK, 90, 4), word(BREAD, 90, 4))
    assert late.decisions == (Decision.SUPERSEDED, Decision.ACCEPTED)
    with pytest.raises(NumberUsed):
        say(database, COAST, word(MILK, 120, 5))
    assert say(database, COAST, word(MILK, 110)).change_id is None
    with pytest.raises(NotFound):
        say(database, "nowhere", word(MILK, 110))
    tell_all(database)
    assert price(database, HERE) == 110


def test_an_older_change_never_overtakes_a_newer_one(database: Database) -> None:
    first = say(database, COAST, word(MILK, 110)).change_id
    second = say(database, COAST, word(MILK, 120)).change_id
    tell_all(database)
    assert price(database, HERE) == 120
    assert told(database, first)[HERE].held == ((MILK, "superseded", "newer_word"),)
    assert told(database, second)[HERE].counts == {"accepted": 1}


def test_zones_and_stores_are_checked(database: Database) -> None:
    with database.writing.begin() as tx:
        with pytest.raises(InvalidInput, match="is in the zone 'coast'"):
            places.put_zone(tx, zone(CITY, HERE), NOON, actor=ME)
        with pytest.raises(InvalidInput, match="no store 'x'"):
            places.put_zone(tx, zone(CITY, StoreId("x")), NOON, actor=ME)
        with pytest.raises(InvalidInput, match="no such zone"):
            places.move_store(tx, HERE, "x", NOON, actor=ME)
        with pytest.raises(InvalidInput, match="no such zone"):
            places.move_store(tx, HERE, CHAIN, NOON, actor=ME)
        with pytest.raises(Conflict, match="are in this zone"):
            places.delete_zone(tx, COAST, NOON, actor=ME)
        with pytest.raises(Conflict, match="all stores"):
            places.delete_zone(tx, CHAIN, NOON, actor=ME)
        places.put_zone(tx, zone(COAST), NOON, actor=ME)
        places.delete_zone(tx, COAST, NOON, actor=ME)
        assert [one.zone_id for one in zones.list_zones(tx)] == [CHAIN]


def test_old_changes_are_forgotten_but_none_that_a_store_still_waits_for(
    database: Database,
) -> None:
    say(database, COAST, word(MILK, 110))
    tell_all(database)
    waits = say(database, COAST, word(MILK, 120)).change_id
    with database.writing.begin() as tx:
        assert zone_tasks.forget_changes(tx, LATER + timedelta(days=1), most=1000) == 3
        assert zone_tasks.forget_changes(tx, LATER + timedelta(days=1), most=1000) == 0
        assert zone_tasks.count_waiting(tx, waits or 0) == 2
        assert zone_prices.said_of(tx, COAST, [MILK])[MILK][0].price_minor == 120


def test_pieces_of_a_large_change_follow_each_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "PRODUCTS_AT_ONCE", 1)
    change = say(database, CHAIN, word(MILK, 100), word(BREAD, 200)).change_id
    with database.writing.begin() as tx:
        telling.tell_store(tx, HERE, LATER)
    assert (price(database, HERE, BREAD), price(database, HERE, MILK)) == (200, None)
    tell_all(database)
    assert price(database, HERE, MILK) == 100
    assert told(database, change)[HERE].counts == {"accepted": 2}


_KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from esl.services.zones import telling
from esl.store import zone_tasks
from esl.store.database import Database

database = Database(sys.argv[1])
for piece in range(int(sys.argv[2]) + 1):
    with database.writing.begin() as tx:
        waiting = zone_tasks.stores_waiting(tx, most=200)
        telling.tell_some(tx, waiting, datetime(2026, 1, 1, 13, tzinfo=UTC))
        if piece == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
"""


def test_whoever_is_killed_while_telling_has_told_all_of_a_piece_or_nothing(
    tmp_path: Path,
) -> None:
    database = open_database(tmp_path)
    store_ids = [StoreId(f"store-{number:02}") for number in range(20)]
    with database.writing.begin() as tx:
        build(tx, store_ids)
        places.put_zone(tx, zone(COAST, *store_ids), NOON, actor=ME)
    change = say(database, COAST, word(MILK, 110), word(BREAD, 210)).change_id
    pieces = 20 // telling.STORES_AT_ONCE
    for before in (0, 2):
        killed = subprocess.run(
            [sys.executable, "-c", _KILLED, f"sqlite:///{tmp_path / 'esl.db'}", str(before)],
            timeout=120,
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
    done = [one for one in told(database, change).values() if one.is_done]
    assert len(done) == 2 * telling.STORES_AT_ONCE < pieces * telling.STORES_AT_ONCE
    assert {one.store_id for one in done} == {s for s in store_ids if price(database, s) == 110}
    tell_all(database)
    with database.read() as tx:
        events = tx.execute(
            select(price_events.c.store_id, price_events.c.sku).where(
                price_events.c.decision == "accepted"
            )
        ).all()
    assert len(events) == len(set(events)) == 2 * len(store_ids)
    database.close()


# -- by chance -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_said_and_told_in_whatever_order_the_nearest_word_holds(
    database: Database, seed: int
) -> None:
    random = Random(seed)
    with database.writing.begin() as tx:
        places.put_zone(tx, zone(CITY), NOON, actor=ME)
    said: dict[tuple[str, Sku], int] = {}
    own: dict[tuple[StoreId, Sku], int] = {}
    where: dict[StoreId, str | None] = {HERE: COAST, THERE: COAST, ALONE: None}
    for minor in range(100, 160):
        sku, store = random.choice((MILK, BREAD)), random.choice((HERE, THERE, ALONE))
        match random.randrange(6):
            case 0 | 1:
                name = random.choice((COAST, CITY, CHAIN))
                say(database, name, word(sku, minor))
                said[name, sku] = minor
            case 2:
                say_here(database, store, sku, minor)
                own[store, sku] = minor
            case 3:
                tell_all(database)
                [cleared] = clear(database, store, sku)
                if cleared.decision != levels.NOTHING_BENEATH:
                    own.pop((store, sku), None)
            case 4:
                tell_all(database)
                where[store] = random.choice((COAST, CITY, None))
                with database.writing.begin() as tx:
                    places.move_store(tx, store, where[store], LATER, actor=ME)
                tell_all(database)
            case _:
                with database.writing.begin() as tx:
                    telling.tell_store(tx, store, LATER)
    tell_all(database)
    for store in where:
        for sku in (MILK, BREAD):
            want = _nearest(said, own, where, store, sku)
            if want is not None:
                assert price(database, store, sku) == want, (store, sku)


def _nearest(
    said: dict[tuple[str, Sku], int],
    own: dict[tuple[StoreId, Sku], int],
    where: dict[StoreId, str | None],
    store: StoreId,
    sku: Sku,
) -> int | None:
    """Find the price that must hold, without any of the code that is tested."""
    if (store, sku) in own:
        return own[store, sku]
    return said.get((where[store] or CHAIN, sku), said.get((CHAIN, sku)))
