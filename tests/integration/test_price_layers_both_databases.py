"""What holds of prices with a begin and an end, on both databases."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from sqlalchemy import select

from esl.domain.entry import Entry
from esl.domain.ids import SourceId
from esl.domain.source import unregistered
from esl.services import batches
from esl.services.listening import take_entries
from esl.store import batches as batch_rows
from esl.store.database import Database
from esl.store.tables import scheduled_prices
from tests.builders import NOON, STORE
from tests.price_layers import HOUR, SKU, Said, histories, prepare, price_now, replay, turn


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(histories(6))
def test_what_holds_is_what_all_words_say(
    database: Database, history: tuple[list[Said], list[int]]
) -> None:
    with database.writing.connect() as connection, connection.begin() as tx:
        prepare(connection)
        replay(connection, *history)
        tx.rollback()


def test_a_batch_over_a_price_with_an_end_is_taken_back(database: Database) -> None:
    erp = SourceId("one")
    window = Entry(
        store_id=STORE,
        sku=SKU,
        currency="EUR",
        price_minor=80,
        valid_from=NOON + HOUR,
        valid_to=NOON + 5 * HOUR,
    )
    with database.writing.begin() as tx:
        prepare(tx)
        numbers = [
            batch_rows.begin_batch(tx, NOON, store_id=STORE, source=erp, actor="t") for _ in "12"
        ]
        source = unregistered(erp, STORE)
        take_entries(tx, source, [window], NOON, actor="t", batch_id=numbers[0])
        turn(tx, 2)
        again = Entry(store_id=STORE, sku=SKU, currency="EUR", price_minor=90)
        at = NOON + 2 * HOUR + timedelta(minutes=1)
        take_entries(tx, source, [again], at, actor="t", batch_id=numbers[1])
        assert price_now(tx) == 90
    with database.writing.begin() as tx:
        batches.roll_back(tx, STORE, numbers[1], NOON + 3 * HOUR, actor="p", reason="x")
        assert price_now(tx) == 80
        turn(tx, 6)
        assert price_now(tx) == 100
        states = list(tx.execute(select(scheduled_prices.c.state)).scalars())
        assert not {"waiting", "holding", "base"} & set(states)
