"""What entries of a source do to products, prices and promotions."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from esl.domain.entry import DatedPrice, Entry, PromotionKind, StatedPromotion
from esl.domain.errors import Conflict, UnknownStore
from esl.domain.face import Unit
from esl.domain.guards import Guards, Reason
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import CurrentPrice, Decision
from esl.domain.product import NetContent, Product
from esl.domain.source import Source
from esl.services import guarding, schedule
from esl.services.listening import Taken, take_entries
from esl.store import batches, labels, listed, products, sources
from esl.store.tables import past_prices, price_events, quarantine
from tests.builders import NOON, STORE, build_shelf, label_id

LATER = NOON + timedelta(minutes=1)
ERP = Source(source_id=SourceId("erp"), name="ERP", store_id=STORE)
TILL = Source(source_id=SourceId("till"), name="Till", store_id=STORE, priority=80)


@pytest.fixture(autouse=True)
def shelf(tx: Connection) -> None:
    """Three products at 1.29 with a label each; the guards watch."""
    build_shelf(tx, labels_count=3, price_minor=129)
    guarding.put_guards(tx, STORE, Guards(), NOON, actor="tests", reason="")


def an_entry(sku: str = "sku-0", price_minor: int | None = 139, **changes: Any) -> Entry:
    fields: dict[str, Any] = {"store_id": STORE, "sku": Sku(sku), "currency": "EUR"}
    if price_minor is not None:
        fields["price_minor"] = price_minor
    return Entry(**(fields | changes))


def take(tx: Connection, *entries: Entry, now: datetime = LATER, **options: Any) -> Taken:
    fields: dict[str, Any] = {"actor": "token:1", "batch_id": None}
    source = options.pop("source", ERP)
    return take_entries(tx, source, entries, now, **(fields | options))


def decisions(taken: Taken) -> list[Decision]:
    return [result.decision for result in taken.results]


def price(tx: Connection, sku: str = "sku-0") -> CurrentPrice:
    return products.current_prices(tx, STORE, [Sku(sku)])[Sku(sku)]


def product(tx: Connection, sku: str = "sku-0") -> Product:
    return products.products_by_sku(tx, STORE, [Sku(sku)])[Sku(sku)]


def a_promotion(price_minor: int = 99, **changes: Any) -> StatedPromotion:
    return StatedPromotion(**({"price_minor": price_minor} | changes))


# ── Products ────────────────────────────────────────────────────────────────────────────────


def test_a_product_is_made_and_priced(tx: Connection) -> None:
    entry = an_entry(
        "new",
        250,
        name="Kruh",
        brand="Klara",
        gtins=("3850334111227", "3850133800827"),
        net_content=NetContent(milli=500, unit=Unit.KILOGRAM),
        origin="Croatia",
        rows=(2, 7),
    )
    [result] = take(tx, entry).results
    assert (result.decision, result.rows) == (Decision.ACCEPTED, (2, 7))
    assert product(tx, "new").gtin == "3850334111227"
    assert product(tx, "new").net_content == NetContent(milli=500, unit=Unit.KILOGRAM)
    assert listed.further_gtins(tx, STORE, [Sku("new")]) == {"new": ("3850133800827",)}
    assert price(tx, "new").price_minor == 250


def test_the_same_entries_again_change_nothing(tx: Connection) -> None:
    entries = [
        an_entry("new", 250, name="Kruh", gtins=("3850334111227", "3850133800827")),
        an_entry("sku-1", 135, promotion=a_promotion(), lowest_30d_minor=120, was_minor=None),
        an_entry("sku-2", valid_from=LATER + timedelta(hours=1)),
    ]
    assert set(decisions(take(tx, *entries))) == {Decision.ACCEPTED}
    before = [tuple(row) for row in tx.execute(select(price_events))]
    again = take(tx, *entries, now=LATER + timedelta(days=3, hours=-80))
    assert decisions(again) == [Decision.UNCHANGED] * 3
    assert again.labels == ()
    assert [tuple(row) for row in tx.execute(select(price_events))] == before


def test_what_a_source_does_not_speak_of_stays_and_null_clears(tx: Connection) -> None:
    take(tx, an_entry(brand="Vindija", origin="Croatia", stock=4))
    take(tx, an_entry(brand=None, stock=7))
    found = product(tx)
    assert (found.brand, found.origin, found.stock, found.name) == (
        None,
        "Croatia",
        7,
        "Jogurt sku-0",
    )


def test_a_product_without_a_name_is_not_made(tx: Connection) -> None:
    [result] = take(tx, an_entry("new")).results
    assert result.decision is Decision.REJECTED
    assert "no name" in (result.detail or "")
    assert products.products_by_sku(tx, STORE, [Sku("new")]) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 201),
        ("name", ""),
        ("name", None),
        ("brand", "a\x00b"),
        ("brand", "\ud800"),
        ("stock", 2**40),
        ("tax_permille", -1),
        ("net_content", NetContent(milli=2**40, unit=Unit.LITRE)),
        ("price_minor", 0),
        ("price_minor", 10**12),
        ("unit_price_minor", 10**12),
        ("badge", "x" * 41),
        ("gtins", ("1" * 200,)),
        ("lowest_30d_minor", -5),
        ("promotion", a_promotion(0)),
        ("promotion", a_promotion(kind=PromotionKind.MULTIBUY, quantity=1)),
        ("promotion", a_promotion(club="x" * 100)),
        ("promotion", a_promotion(valid_from=LATER, valid_to=NOON)),
        ("history", (DatedPrice(day=date(2026, 1, 1), price_minor=0),)),
        ("currency", "USD"),
        ("valid_to", NOON),
    ],
)
def test_what_cannot_be_taken_is_refused_by_itself(tx: Connection, field: str, value: Any) -> None:
    bad = replace(an_entry(), **{field: value})
    taken = take(tx, bad, an_entry("sku-1"))
    assert decisions(taken) == [Decision.REJECTED, Decision.ACCEPTED]
    assert taken.results[0].detail
    assert price(tx).price_minor == 129


def test_a_label_wants_what_changed_on_it_and_nothing_else(tx: Connection) -> None:
    assert set(take(tx, an_entry(name="Jogurt")).labels) == {label_id(0)}
    assert take(tx, an_entry(location="Aisle 4", tax_permille=250)).labels == ()


def test_an_unknown_store_is_refused(tx: Connection) -> None:
    with pytest.raises(UnknownStore):
        take(tx, replace(an_entry(), store_id=StoreId("nowhere")))


# ── Prices ──────────────────────────────────────────────────────────────────────────────────


def test_a_price_in_range_holds_and_its_label_wants_it(tx: Connection) -> None:
    [result] = take(tx, an_entry()).results
    assert (result.decision, result.labels) == (Decision.ACCEPTED, 1)
    assert price(tx).rev == result.rev
    assert labels.label_named(tx, label_id(0)).wanted_rev == result.rev


def test_a_late_entry_changes_nothing_at_all(tx: Connection) -> None:
    take(tx, an_entry(price_minor=140, source_seq=7))
    late = take(tx, an_entry(price_minor=150, source_seq=6, name="Old name"))
    assert decisions(late) == [Decision.SUPERSEDED]
    assert price(tx).price_minor == 140
    assert product(tx).name == "Jogurt sku-0"


def test_a_number_used_for_two_prices_is_refused(tx: Connection) -> None:
    take(tx, an_entry(price_minor=140, source_seq=7))
    [result] = take(tx, an_entry(price_minor=150, source_seq=7)).results
    assert (result.decision, result.detail) == (
        Decision.REJECTED,
        "used before with another price",
    )


def test_a_batch_is_written_into_events(tx: Connection) -> None:
    number = batches.begin_batch(tx, NOON, store_id=STORE, source=ERP.source_id, actor="token:1")
    take(tx, an_entry(), an_entry("sku-1", 1290), an_entry("new"), batch_id=number)
    found = tx.execute(select(price_events).where(price_events.c.batch_id == number)).all()
    assert {(e.sku, e.decision) for e in found} == {
        ("sku-0", "accepted"),
        ("sku-1", "quarantined"),
    }
    counts = batches.batch_named(tx, STORE, number).counts
    assert (counts[Decision.ACCEPTED], counts[Decision.QUARANTINED]) == (1, 1)
    assert counts[Decision.REJECTED] == 1


def test_history_is_kept_by_day(tx: Connection) -> None:
    days = (DatedPrice(day=date(2025, 12, 1), price_minor=119),)
    take(tx, an_entry(history=days))
    take(tx, an_entry(history=days))
    [row] = tx.execute(select(past_prices)).all()
    assert (row.sku, row.day, row.price_minor, row.source) == ("sku-0", days[0].day, 119, "erp")


# ── Promotions of the till ──────────────────────────────────────────────────────────────────


def test_a_promotion_is_the_price_and_the_regular_price_is_struck_through(tx: Connection) -> None:
    take(tx, an_entry(price_minor=129, promotion=a_promotion(99)))
    held = price(tx)
    assert (held.price_minor, held.was_minor, held.regular_minor) == (99, 129, 129)
    take(tx, an_entry(price_minor=129, promotion=None))
    held = price(tx)
    assert (held.price_minor, held.was_minor, held.regular_minor) == (129, None, None)


def test_a_promotion_without_a_regular_price_is_a_price(tx: Connection) -> None:
    entry = an_entry("new", None, name="Kruh", promotion=a_promotion(99))
    assert decisions(take(tx, entry)) == [Decision.ACCEPTED]
    assert (price(tx, "new").price_minor, price(tx, "new").was_minor) == (99, None)


def test_a_promotion_sent_again_is_updated_and_ends_with_a_full_list(tx: Connection) -> None:
    take(tx, an_entry(price_minor=129, promotion=a_promotion(99, promotion_id="A")))
    take(tx, an_entry(price_minor=129, promotion=a_promotion(95, promotion_id="A")))
    assert price(tx).price_minor == 95
    assert decisions(take(tx, an_entry(price_minor=129))) == [Decision.UNCHANGED]
    assert price(tx).price_minor == 95, "a delta that does not speak of it keeps it"
    take(tx, an_entry(price_minor=129), full=True)
    assert (price(tx).price_minor, price(tx).was_minor) == (129, None)


def test_member_and_multibuy_prices_stand_beside_the_price(tx: Connection) -> None:
    member = a_promotion(109, kind=PromotionKind.MEMBER, promotion_id="M", club="K")
    bundle = a_promotion(220, kind=PromotionKind.MULTIBUY, quantity=2, promotion_id="B")
    take(tx, an_entry(price_minor=129, promotion=member))
    take(tx, an_entry(price_minor=129, promotion=bundle))
    held = price(tx)
    assert (held.price_minor, held.member_minor) == (129, 109)
    assert (held.multibuy_quantity, held.multibuy_minor) == (2, 220)


def test_a_promotion_begins_and_ends_at_its_instants(tx: Connection) -> None:
    begins, ends = LATER + timedelta(hours=1), LATER + timedelta(hours=2)
    promotion = a_promotion(99, valid_from=begins, valid_to=ends)
    take(tx, an_entry(price_minor=129, promotion=promotion))
    assert price(tx).price_minor == 129
    assert schedule.next_due(tx) == begins
    turned = schedule.apply_due(tx, begins)
    assert (price(tx).price_minor, turned.labels) == (99, (label_id(0),))
    assert schedule.apply_due(tx, begins).applied == 0, "an edge happens once"
    schedule.apply_due(tx, ends)
    assert (price(tx).price_minor, price(tx).was_minor) == (129, None)
    assert schedule.next_due(tx) is None


def test_a_unit_price_of_the_regular_price_is_not_shown_beside_the_reduced(tx: Connection) -> None:
    content = NetContent(milli=500, unit=Unit.KILOGRAM)
    both = {"net_content": content, "unit_price_minor": 258, "price_minor": 129}
    take(tx, an_entry(**both, promotion=a_promotion(99)))
    assert price(tx).unit_price_minor is None
    take(tx, an_entry(**both, promotion=None))
    assert price(tx).unit_price_minor == 258


# ── Later ───────────────────────────────────────────────────────────────────────────────────


def test_a_price_for_tomorrow_flips_tomorrow(tx: Connection) -> None:
    at = LATER + timedelta(hours=18)
    taken = take(tx, an_entry(price_minor=149, valid_from=at))
    assert decisions(taken) == [Decision.ACCEPTED]
    assert (taken.labels, price(tx).price_minor) == ((), 129)
    assert schedule.apply_due(tx, at - timedelta(seconds=1)).applied == 0
    turned = schedule.apply_due(tx, at)
    assert (price(tx).price_minor, turned.labels) == (149, (label_id(0),))
    assert schedule.next_due(tx) is None


def test_after_a_downtime_the_edges_come_in_their_order(tx: Connection) -> None:
    for hours, minor in ((3, 151), (1, 139), (2, 145)):
        take(tx, an_entry(price_minor=minor, valid_from=LATER + timedelta(hours=hours)))
    schedule.apply_due(tx, LATER + timedelta(days=1))
    assert price(tx).price_minor == 151
    said = tx.execute(select(price_events.c.price_minor).where(price_events.c.source == "erp"))
    assert list(said.scalars()) == [139, 145, 151]


def test_a_price_until_a_moment_goes_back(tx: Connection) -> None:
    take(tx, an_entry(price_minor=119, valid_to=LATER + timedelta(hours=1)))
    assert price(tx).price_minor == 119
    schedule.apply_due(tx, LATER + timedelta(hours=1))
    assert price(tx).price_minor == 129


def test_a_price_said_since_is_not_taken_back_by_an_end(tx: Connection) -> None:
    take(tx, an_entry(price_minor=119, valid_to=LATER + timedelta(hours=1)))
    take(tx, an_entry(price_minor=125))
    schedule.apply_due(tx, LATER + timedelta(hours=1))
    assert price(tx).price_minor == 125


def test_another_word_for_the_same_moment_takes_its_place(tx: Connection) -> None:
    at = LATER + timedelta(hours=1)
    take(tx, an_entry(price_minor=149, valid_from=at))
    take(tx, an_entry(price_minor=139, valid_from=at))
    assert schedule.apply_due(tx, at).applied == 1
    assert price(tx).price_minor == 139


# ── Guards ──────────────────────────────────────────────────────────────────────────────────


def test_a_moved_point_is_held_back_and_nothing_is_sent(tx: Connection) -> None:
    before = labels.label_named(tx, label_id(0))
    taken = take(tx, an_entry(price_minor=1290))
    [result] = taken.results
    assert result.decision is Decision.QUARANTINED
    assert Reason.DECIMAL_SHIFT in result.reasons
    assert result.quarantine_id is not None
    assert (taken.labels, price(tx).price_minor) == ((), 129)
    assert labels.label_named(tx, label_id(0)) == before
    again = take(tx, an_entry(price_minor=1290))
    assert again.results[0].quarantine_id == result.quarantine_id
    assert len(tx.execute(select(quarantine)).all()) == 1


def test_a_newer_price_in_range_takes_the_place_of_one_held_back(tx: Connection) -> None:
    take(tx, an_entry(price_minor=1290))
    take(tx, an_entry(price_minor=135))
    [row] = tx.execute(select(quarantine)).all()
    assert (row.state, price(tx).price_minor) == ("superseded", 135)


def test_a_price_for_later_is_judged_when_it_is_sent(tx: Connection) -> None:
    at = LATER + timedelta(hours=1)
    assert decisions(take(tx, an_entry(price_minor=1290, valid_from=at))) == [Decision.QUARANTINED]
    schedule.apply_due(tx, at)
    assert price(tx).price_minor == 129


def test_a_promotion_that_is_none_is_held_back(tx: Connection) -> None:
    [result] = take(tx, an_entry(price_minor=129, promotion=a_promotion(129))).results
    assert result.reasons == (Reason.PROMOTION_NOT_BELOW,)


# ── Several sources ─────────────────────────────────────────────────────────────────────────


def test_a_source_of_lower_priority_does_not_overwrite(tx: Connection) -> None:
    sources.put_source(tx, TILL, NOON)
    sources.put_source(tx, replace(ERP, priorities={"brand": 90}), NOON)
    take(tx, an_entry(price_minor=135, name="Of the till", brand="T"), source=TILL)
    taken = take(tx, an_entry(price_minor=139, name="Of the ERP", brand="E", origin="HR"))
    [result] = taken.results
    assert result.reasons == (Reason.YIELDS,)
    found = product(tx)
    assert (found.name, found.brand, found.origin) == ("Of the till", "E", "HR")
    assert price(tx).price_minor == 135
    take(tx, an_entry(price_minor=137, brand="T2"), source=TILL)
    assert (price(tx).price_minor, product(tx).brand) == (137, "E")


def test_a_source_that_is_switched_off_is_not_heard(tx: Connection) -> None:
    sources.put_source(tx, replace(ERP, disabled=True), NOON)
    with pytest.raises(Conflict, match="switched off"):
        take(tx, an_entry())
