"""Sources that are expected and keep silent, on SQLite and PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.problem import ProblemKind
from esl.domain.source import Expected, Source, SourceKind
from esl.services import flips, problems
from esl.services.listening import take_entries
from esl.services.pricing import apply_price_changes
from esl.services.silence import find_silent, note_spoken
from esl.store import places, products, sources
from esl.store import problems as kept
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.revisions import take_revision
from tests.builders import STORE, a_change, a_product, a_store, believe_every_price
from tests.panels import PANELS

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)  # the night after it, clocks go forward
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
TILL = SourceId("till")
OTHER = StoreId("other")
SILENT_AFTER = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/esl.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres_url")
    opened = Database(url)
    fill(opened)
    yield opened
    opened.close()


def fill(database: Database) -> None:
    migrate(database, NOON)
    with database.writing.begin() as tx:
        for store_id in (STORE, OTHER):
            places.put_store(tx, a_store(store_id))
        believe_every_price(tx)
        products.put_products(tx, [a_product()], take_revision(tx))


@pytest.fixture
def tx(database: Database) -> Iterator[Connection]:
    with database.writing.begin() as opened:
        yield opened


def put(tx: Connection, expected: Expected | None, store_id: StoreId | None = STORE) -> Source:
    source = Source(
        source_id=TILL, name="Till", store_id=store_id, kind=SourceKind.HTTP, expected=expected
    )
    sources.put_source(tx, source, NOON)
    return source


def say(tx: Connection, now: datetime, store_id: StoreId = STORE, **more: object) -> None:
    source = sources.source_named(tx, TILL)
    entry = Entry(
        store_id=store_id,
        sku=Sku("sku-0"),
        currency="EUR",
        **({"name": "Kruh", "price_minor": 149} | more),  # type: ignore[arg-type]
    )
    taken = take_entries(tx, source, [entry], now, actor="tests", batch_id=None)
    note_spoken(tx, TILL, taken.results, now)


def silent(tx: Connection, now: datetime, store_id: StoreId = STORE) -> list[str]:
    return [one.words for one in find_silent(tx, store_id, now)]


def tick(tx: Connection, now: datetime) -> list[str]:
    """One tick of the upkeep: look, write down; return what is open of silence."""
    changes = problems.find_changes(tx, now, silent_after=SILENT_AFTER)
    problems.write_changes(tx, changes, now)
    return [
        problem.reason
        for problem in kept.list_problems(tx, STORE)
        if problem.kind == ProblemKind.SOURCE_SILENT
    ]


def test_a_list_that_does_not_come_is_a_problem_at_once_and_ends_when_it_comes(
    tx: Connection,
) -> None:
    put(tx, Expected(by=time(5, 30)))
    half_past_five = datetime(2026, 3, 29, 3, 30, tzinfo=UTC)  # summer time by then
    assert tick(tx, half_past_five - timedelta(seconds=1)) == []
    assert tick(tx, half_past_five) == ["It is expected by 05:30, and was never heard."]
    assert tick(tx, half_past_five + HOUR) == ["It is expected by 05:30, and was never heard."]
    say(tx, half_past_five + HOUR)
    assert tick(tx, half_past_five + HOUR) == []
    next_day = half_past_five + timedelta(days=1)
    assert tick(tx, next_day - MINUTE) == []
    [reason] = tick(tx, next_day)
    assert reason == "It is expected by 05:30, and was last heard at 2026-03-29 06:30."


def test_a_list_that_came_late_does_not_speak_for_the_next_day(tx: Connection) -> None:
    put(tx, Expected(by=time(5, 30)))
    say(tx, datetime(2026, 3, 29, 9, 0, tzinfo=UTC))
    assert silent(tx, datetime(2026, 3, 30, 3, 29, tzinfo=UTC)) == []
    assert silent(tx, datetime(2026, 3, 30, 3, 30, tzinfo=UTC)) != []


def test_what_changes_nothing_is_a_word_all_the_same(tx: Connection) -> None:
    put(tx, Expected(every=10 * MINUTE))
    say(tx, NOON)
    for minutes in range(9, 60, 9):
        say(tx, NOON + minutes * MINUTE)
        assert silent(tx, NOON + (minutes + 9) * MINUTE) == []
    assert silent(tx, NOON + timedelta(hours=2)) != []


def test_a_till_that_repeats_old_data_does_not_speak(tx: Connection) -> None:
    put(tx, Expected(every=10 * MINUTE))
    say(tx, NOON, source_seq=7)
    say(tx, NOON + 9 * MINUTE, source_seq=6)
    assert silent(tx, NOON + 10 * MINUTE) != []


def test_what_was_refused_is_no_word(tx: Connection) -> None:
    put(tx, Expected(every=10 * MINUTE))
    say(tx, NOON + 9 * MINUTE, valid_to=NOON)
    assert silent(tx, NOON + 10 * MINUTE) != []


def test_price_changes_of_a_registered_source_are_its_word(tx: Connection) -> None:
    put(tx, Expected(every=10 * MINUTE))
    then = NOON + 9 * MINUTE
    change = a_change("sku-0", 1_49, source=TILL)
    apply_price_changes(tx, STORE, [change], then, actor="tests", is_planned=True)
    assert silent(tx, NOON + 10 * MINUTE) != []
    apply_price_changes(tx, STORE, [change], then, actor="tests")
    assert silent(tx, NOON + 10 * MINUTE) == []


def test_prices_planned_together_are_a_word_when_they_are_planned(tx: Connection) -> None:
    put(tx, Expected(every=10 * MINUTE))
    change = a_change("sku-0", 1_49, source=TILL)
    said = '[{"sku": "sku-0", "price": "1.49", "source": "till"}]'
    at, then = NOON + HOUR, NOON + 9 * MINUTE
    planned = flips.plan_flip(tx, STORE, at, [change], said, then, actor="tests", panels=PANELS)
    assert silent(tx, then + 9 * MINUTE) == []
    begun = flips.begin_flip(tx, planned.flip_id, at, grace=MINUTE)
    assert begun is not None
    assert begun.failed is None
    assert silent(tx, at) != [], "at their moment nobody says anything"


def test_a_source_of_several_stores_may_fall_silent_for_one(tx: Connection) -> None:
    put(tx, Expected(every=10 * MINUTE), store_id=None)
    assert silent(tx, NOON + HOUR) != []
    assert silent(tx, NOON + HOUR, OTHER) != []
    say(tx, NOON + HOUR)
    assert silent(tx, NOON + HOUR) == []
    assert silent(tx, NOON + HOUR, OTHER) == [], "it has never spoken for this store"
    say(tx, NOON + HOUR, OTHER)
    say(tx, NOON + HOUR + 9 * MINUTE)
    assert silent(tx, NOON + HOUR + 11 * MINUTE) == []
    assert silent(tx, NOON + HOUR + 11 * MINUTE, OTHER) != []
    sources.note_heard(tx, TILL, NOON + HOUR + 12 * MINUTE)  # read to the end, nothing changed
    assert silent(tx, NOON + HOUR + 12 * MINUTE, OTHER) == []


def test_what_nobody_expects_and_what_is_switched_off_is_never_silent(tx: Connection) -> None:
    put(tx, None)
    assert silent(tx, NOON + timedelta(days=9)) == []
    source = put(tx, Expected(every=MINUTE))
    assert silent(tx, NOON + timedelta(days=9)) != []
    sources.put_source(
        tx, Source(source_id=TILL, name="Till", expected=source.expected, disabled=True), NOON
    )
    assert silent(tx, NOON + timedelta(days=9)) == []


def test_a_word_is_noted_every_five_seconds_and_not_with_each(tx: Connection) -> None:
    put(tx, Expected(every=MINUTE))
    say(tx, NOON)
    say(tx, NOON + timedelta(seconds=4))
    assert sources.standing_named(tx, TILL).heard_at == NOON
    say(tx, NOON + timedelta(seconds=5))
    assert sources.standing_named(tx, TILL).heard_at == NOON + timedelta(seconds=5)


def test_whoever_notes_a_word_waits_for_nobody(fresh_postgres_url: str) -> None:
    """On SQLite there is one writer anyway."""
    database = Database(fresh_postgres_url)
    fill(database)
    with database.writing.begin() as tx:
        put(tx, Expected(every=MINUTE), store_id=None)
        say(tx, NOON)
    with database.writing.begin() as first, database.writing.begin() as second:
        for tx in (first, second):
            tx.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        sources.note_heard(first, TILL, NOON + HOUR, stores=[STORE])
        sources.note_heard(second, TILL, NOON + HOUR, stores=[STORE])
    with database.read() as tx:
        assert sources.standing_named(tx, TILL).heard_at == NOON + HOUR
        assert sources.heard_for(tx, STORE)[0] == {TILL: NOON + HOUR}
    database.close()
