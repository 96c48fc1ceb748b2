"""Several promotions of a till at once on one product: kept, updated, ended, and which counts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from esl.domain.entry import Entry, PromotionKind, StatedPromotion
from esl.domain.guards import Guards, Reason
from esl.domain.ids import Sku, SourceId
from esl.domain.pricing import CurrentPrice, Decision
from esl.domain.source import Source
from esl.services import guarding, quarantine, schedule
from esl.services.listening import Taken, take_entries
from esl.store import products, promotions
from tests.builders import NOON, STORE, build_shelf

ERP = Source(source_id=SourceId("erp"), name="ERP", store_id=STORE)
TILL = Source(source_id=SourceId("till"), name="Till", store_id=STORE)
SKU = Sku("sku-0")
CHEAP = StatedPromotion(promotion_id="p1", price_minor=109)
CLUB = StatedPromotion(promotion_id="c1", kind=PromotionKind.MEMBER, price_minor=99, club="Plava")
THREE = StatedPromotion(promotion_id="m1", kind=PromotionKind.MULTIBUY, price_minor=300, quantity=3)


@pytest.fixture(autouse=True)
def shelf(tx: Connection) -> None:
    """Two products at 1.29 with a label each; the guards watch."""
    build_shelf(tx, labels_count=2, price_minor=129)
    guarding.put_guards(tx, STORE, Guards(), NOON, actor="tests", reason="")


def take(
    tx: Connection, *stated: StatedPromotion, sku: Sku = SKU, source: Source = ERP, **how: Any
) -> Taken:
    said: dict[str, Any] = {"price_minor": how.pop("price_minor", 129)}
    if stated:
        said |= {"promotion": stated[0], "more_promotions": stated[1:]}
    elif how.pop("clears", False):
        said["promotion"] = None
    entry = Entry(store_id=STORE, sku=sku, currency="EUR", **said)
    now = how.pop("now", NOON)
    return take_entries(tx, source, [entry], now, **({"actor": "t", "batch_id": None} | how))


def kept(tx: Connection) -> list[tuple[str, str, int]]:
    found = promotions.promotions_of(tx, STORE, [SKU]).get(SKU, [])
    return [(p.source, p.promotion_id, p.price_minor) for p in found]


def price(tx: Connection, sku: Sku = SKU) -> CurrentPrice:
    return products.current_prices(tx, STORE, [sku])[sku]


def test_a_club_price_and_a_multibuy_and_a_price_stand_together(tx: Connection) -> None:
    taken = take(tx, CHEAP, CLUB, THREE)
    assert taken.results[0].decision is Decision.ACCEPTED
    assert kept(tx) == [("erp", "c1", 99), ("erp", "m1", 300), ("erp", "p1", 109)]
    held = price(tx)
    assert (held.price_minor, held.regular_minor, held.was_minor) == (109, 129, 129)
    assert (held.member_minor, held.multibuy_quantity, held.multibuy_minor) == (99, 3, 300)
    assert (held.member_condition, held.multibuy_pay_for) == ("Plava", None)
    again = take(tx, CHEAP, CLUB, THREE)
    assert (again.results[0].decision, again.labels) == (Decision.UNCHANGED, ())


def test_of_two_that_run_the_better_one_for_the_customer_counts(tx: Connection) -> None:
    lower = replace(CHEAP, promotion_id="p2", price_minor=105)
    take(tx, CHEAP, lower)
    assert price(tx).price_minor == 105
    take(tx, replace(lower, price_minor=119))
    assert price(tx).price_minor == 109, "the other one still runs"


def test_of_two_clubs_the_lower_price_is_said_with_whose_it_is(tx: Connection) -> None:
    gold = replace(CLUB, promotion_id="c2", price_minor=95, club="Zlatna")
    take(tx, CLUB, gold)
    assert (price(tx).member_minor, price(tx).member_condition) == (95, "Zlatna")
    take(tx, replace(gold, club="Platina"))
    assert price(tx).member_condition == "Platina", "labels say the other name"


def test_one_is_updated_and_the_others_stay(tx: Connection) -> None:
    take(tx, CHEAP, CLUB, THREE)
    take(tx, replace(CLUB, price_minor=95))
    assert kept(tx) == [("erp", "c1", 95), ("erp", "m1", 300), ("erp", "p1", 109)]


def test_what_a_complete_list_leaves_out_ends_and_the_rest_stays(tx: Connection) -> None:
    take(tx, CHEAP, CLUB, THREE)
    take(tx, replace(CHEAP, promotion_id="x", price_minor=125), source=TILL)
    take(tx, THREE, full=True)
    assert kept(tx) == [("erp", "m1", 300), ("till", "x", 125)]
    held = price(tx)
    assert (held.price_minor, held.member_minor, held.multibuy_minor) == (125, None, 300)
    take(tx, clears=True)
    assert kept(tx) == [("till", "x", 125)]


def test_two_entries_of_a_complete_list_do_not_end_each_others_promotions(
    tx: Connection,
) -> None:
    take(tx, THREE)
    entries = [
        Entry(store_id=STORE, sku=SKU, currency="EUR", promotion=CHEAP),
        Entry(
            store_id=STORE,
            sku=SKU,
            currency="EUR",
            promotion=CLUB,
            valid_from=NOON - timedelta(days=1),
        ),
    ]
    take_entries(tx, ERP, entries, NOON, actor="t", batch_id=None, full=True)
    assert kept(tx) == [("erp", "c1", 99), ("erp", "p1", 109)]


def test_one_promotion_may_stand_on_many_products(tx: Connection) -> None:
    take(tx, CHEAP)
    take(tx, CHEAP, sku=Sku("sku-1"))
    take(tx, clears=True)
    assert price(tx).price_minor == 129
    assert price(tx, Sku("sku-1")).price_minor == 109


def test_those_without_an_id_are_one_word(tx: Connection) -> None:
    first = replace(CHEAP, promotion_id="")
    second = replace(CLUB, promotion_id="~1")
    take(tx, first, second, THREE)
    assert kept(tx) == [("erp", "", 109), ("erp", "m1", 300), ("erp", "~1", 99)]
    take(tx, replace(CLUB, promotion_id="", price_minor=101))
    assert kept(tx) == [("erp", "", 101), ("erp", "m1", 300)]


def test_each_begins_and_ends_at_its_own_moment(tx: Connection) -> None:
    hour = timedelta(hours=1)
    take(
        tx,
        replace(CHEAP, valid_from=NOON + hour, valid_to=NOON + 3 * hour),
        replace(
            CHEAP,
            promotion_id="p2",
            price_minor=99,
            valid_from=NOON + 2 * hour,
            valid_to=NOON + 4 * hour,
        ),
    )
    seen = []
    for hours in range(6):
        schedule.apply_due(tx, NOON + hours * hour)
        seen.append(price(tx).price_minor)
    assert seen == [129, 109, 99, 99, 129, 129]


def test_the_guards_look_at_each_of_them(tx: Connection) -> None:
    absurd = replace(CLUB, price_minor=1)
    taken = take(tx, CHEAP, absurd)
    [result] = taken.results
    assert result.decision is Decision.QUARANTINED
    assert Reason.PROMOTION_FALL in result.reasons
    assert kept(tx) == []
    assert result.quarantine_id is not None
    quarantine.approve(tx, STORE, [result.quarantine_id], NOON, by="person:ana", note="")
    assert kept(tx) == [("erp", "c1", 1), ("erp", "p1", 109)]


def test_one_id_twice_is_refused(tx: Connection) -> None:
    [result] = take(tx, CHEAP, replace(CHEAP, price_minor=99)).results
    assert result.decision is Decision.REJECTED
    assert kept(tx) == []
