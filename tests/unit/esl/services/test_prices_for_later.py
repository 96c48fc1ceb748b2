"""A price sent today for 06:00 tomorrow: from the file's words to the moment it holds."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.ids import Sku, SourceId
from esl.domain.source import Source
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.reading import read_entries
from esl.intake.mapping.store_context import Place, StoreContext
from esl.services import schedule
from esl.services.listening import take_entries
from esl.store import labels, products
from tests.builders import STORE, build_shelf, label_id

TILL = Source(source_id=SourceId("till"), name="Till", store_id=STORE)
ZAGREB = StoreContext(
    place=Place(store_id=STORE, currency="EUR", timezone=ZoneInfo("Europe/Zagreb"))
)
MAPPING = parse_mapping(
    """
name: till
format: csv
fields:
  sku: sku
  price: price
  promotion_price: offer
  valid_from: {from: from, format: "%d.%m.%Y %H:%M"}
  valid_to: {from: to, format: "%d.%m.%Y"}
"""
)
MOMENT = timedelta(microseconds=1)


def entries(*rows: str) -> list[Entry]:
    body = "\n".join(["sku,price,offer,from,to", *rows, ""]).encode()
    found = list(read_entries(body, MAPPING, store=ZAGREB))
    assert all(isinstance(one, Entry) for one in found), found
    return [one for one in found if isinstance(one, Entry)]


def price(tx: Connection) -> int:
    return products.current_prices(tx, STORE, [Sku("sku-0")])[Sku("sku-0")].price_minor


@pytest.mark.parametrize(
    ("said", "sent", "flips"),
    [
        ("02.03.2026 06:00", (3, 1), (3, 2, 5)),
        ("29.03.2026 06:00", (3, 28), (3, 29, 4)),  # the clocks go forward at 02:00
        ("25.10.2026 06:00", (10, 24), (10, 25, 5)),  # and back at 03:00
    ],
)
def test_it_flips_at_six_by_the_clock_on_the_wall(
    tx: Connection, said: str, sent: tuple[int, int], flips: tuple[int, int, int]
) -> None:
    build_shelf(tx, labels_count=1, price_minor=129)
    noon = datetime(2026, *sent, 12, tzinfo=UTC)
    at = datetime(2026, *flips, tzinfo=UTC)
    rows = entries(f"sku-0,1.19,,{said},")
    taken = take_entries(tx, TILL, rows, noon, actor="t", batch_id=None)
    assert taken.labels == (), "nothing is sent yet"
    before = labels.label_named(tx, label_id(0)).wanted_rev
    assert schedule.next_due(tx) == at
    assert schedule.apply_due(tx, at - MOMENT).applied == 0
    assert price(tx) == 129
    edges = schedule.apply_due(tx, at)
    assert (edges.applied, edges.labels) == (1, (label_id(0),))
    assert price(tx) == 119
    label = labels.label_named(tx, label_id(0))
    assert label.wanted_rev > before
    assert label.due_at == at
    assert schedule.apply_due(tx, at + timedelta(hours=1)).applied == 0, "once"


def test_an_offer_to_the_seventh_holds_on_the_seventh(tx: Connection) -> None:
    build_shelf(tx, labels_count=1, price_minor=129)
    sent = datetime(2026, 3, 1, 12, tzinfo=UTC)
    rows = entries("sku-0,1.29,0.99,01.03.2026 06:00,07.03.2026")
    take_entries(tx, TILL, rows, sent, actor="t", batch_id=None)
    assert price(tx) == 99
    ends = datetime(2026, 3, 7, 23, tzinfo=UTC)  # midnight in Zagreb
    schedule.apply_due(tx, ends - MOMENT)
    assert price(tx) == 99
    schedule.apply_due(tx, ends)
    assert price(tx) == 129


def test_a_house_that_was_off_at_the_moment_catches_up_in_order(tx: Connection) -> None:
    build_shelf(tx, labels_count=1, price_minor=129)
    sent = datetime(2026, 3, 1, 12, tzinfo=UTC)
    rows = entries("sku-0,1.19,,02.03.2026 06:00,", "sku-0,1.25,,03.03.2026 06:00,")
    take_entries(tx, TILL, rows, sent, actor="t", batch_id=None)
    assert schedule.apply_due(tx, sent + timedelta(days=5)).applied == 2
    assert price(tx) == 125
