"""The lowest price of thirty days, from prices that came and went here."""

from datetime import timedelta

from sqlalchemy import Connection

from esl.domain.ids import Sku
from esl.services.lowest_price import lowest_price_of
from esl.services.pricing import apply_price_changes
from esl.store import places
from tests.builders import NOON, STORE, a_change, build_shelf


def test_an_old_price_below_the_new_one_is_no_reduction(tx: Connection) -> None:
    build_shelf(tx, labels_count=1, price_minor=99)
    said = ((1, 100, None), (40, 80, 100), (50, 120, 100), (60, 110, 120))
    for day, minor, was in said:
        change = a_change(price_minor=minor, was_minor=was)
        apply_price_changes(tx, STORE, [change], NOON + timedelta(days=day), actor="test")
    store = places.store_named(tx, STORE)
    told = lowest_price_of(tx, store, Sku("sku-0"), NOON + timedelta(days=61))
    assert told is not None
    assert told.lowest.price_minor == 80
