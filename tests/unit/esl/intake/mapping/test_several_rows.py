"""Several rows of one product are one entry, wherever they stand, or an error that names them."""

from datetime import UTC, datetime

import pytest

from esl.domain.pricing import KEEP
from esl.intake.mapping import reading
from esl.intake.mapping.repeats import Noted
from tests.mapping_files import read

MAPPING = "name: m\nformat: csv\nfields: {sku: sku, gtin: gtin, price: price, name: name}"
HEAD = b"sku,gtin,price,name\n"


def test_several_bar_codes_become_one_product() -> None:
    body = HEAD + b"1,3859888152014,1.00,A\n2,,2.00,B\n1,3830000620871,,\n1,3859888152113,1.00,A\n"
    found = read(body, MAPPING)
    entry = found.by_sku["1"]
    assert entry.gtins == ("3859888152014", "3830000620871", "3859888152113")
    assert (entry.price_minor, entry.name, entry.rows) == (100, "A", (2, 4, 5))
    assert (found.summary.rows, found.summary.repeated, len(found.entries)) == (4, 1, 2)
    assert found.problems == []


def test_conflicting_prices_are_an_error_that_names_the_rows() -> None:
    found = read(HEAD + b"1,,1.00,A\n2,,2.00,B\n1,,1.10,A\n1,,1.00,A\n", MAPPING)
    assert found.prices == {"2": 200}
    assert found.rejected == [(2, "price"), (4, "price"), (5, "price")]
    assert {p.reason for p in found.problems} == {
        "rows 2, 4, 5 have one SKU and contradict each other: 100, 110 in minor units"
    }


def test_of_conflicting_texts_the_first_is_taken_and_said() -> None:
    found = read(HEAD + b"1,,1.00,A\n1,,1.00,B\n", MAPPING)
    assert found.by_sku["1"].name == "A"
    assert [(p.row, p.field, p.rejects) for p in found.problems] == [(3, "name", False)]


def test_a_row_that_is_refused_does_not_hold_up_its_product() -> None:
    found = read(HEAD + b"1,,x,A\n1,,1.00,A\n3,,1.00,A\n", MAPPING)
    assert found.prices == {"1": 100, "3": 100}
    assert found.rejected == [(2, "price")]


def test_todays_and_tomorrows_price_are_two_statements() -> None:
    mapping = MAPPING.replace("name: name", "valid_from: name")
    found = read(HEAD + b"1,3859888152014,1.00,\n1,,1.20,2026-03-02\n", mapping)
    assert [(e.price_minor, e.valid_from, e.gtins) for e in found.entries] == [
        (100, None, ("3859888152014",)),
        (120, datetime(2026, 3, 1, 23, tzinfo=UTC), ("3859888152014",)),
    ]


@pytest.mark.parametrize("most", [1, 3, 10, 20_000])
def test_more_rows_than_may_wait_only_cost_passes(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "WAITING_MOST", most)
    rows = [f"{number % 50},,{number % 50 + 1}.00,A\n" for number in range(150)]
    rows += [f"single-{number},,1.00,A\n" for number in range(20)] + ["x,,bad,A\n", "0,,bad,A\n"]
    found = read(HEAD + "".join(rows).encode(), MAPPING)
    assert found.prices == {str(n): (n + 1) * 100 for n in range(50)} | {
        f"single-{n}": 100 for n in range(20)
    }
    assert all(len(found.by_sku[str(n)].rows) == 3 for n in range(50))
    assert found.rejected == [(172, "price"), (173, "price")]


def test_one_sku_in_all_rows_is_a_wrong_column() -> None:
    found = read(HEAD + b"HRANA,,1.00,A\n" * 3_000 + b"2,,1.00,B\n", MAPPING)
    assert found.prices == {"2": 100}
    assert len(found.rejected) == 3_000
    assert "3000 rows have this SKU" in found.problems[0].reason


def test_equal_hashes_are_told_apart() -> None:
    class Same:
        def __hash__(self) -> int:
            return 7

    noted = Noted()
    for _ in range(3):
        noted.add(Same())
    noted.add("other")
    repeats = noted.find_repeats()
    place = repeats.find(Same())
    assert place is not None
    assert (repeats.rows_of(place), repeats.count, repeats.find("other")) == (3, 1, None)


def test_a_product_of_two_stores_is_two_products() -> None:
    assert read(HEAD + b"1,,1.00,\n", MAPPING).entries[0].name is KEEP


# ── Several promotions of one product ───────────────────────────────────────────────────────

TILL = """
name: till
format: csv
fields:
  sku: sku
  price: price
  promotion_id: id
  promotion_kind: {from: kind, map: {A: price, C: member, M: multibuy}}
  promotion_price: offer
  promotion_quantity: pieces
  club: club
  promotion_to: to
"""
TILL_HEAD = b"sku,price,id,kind,offer,pieces,club,to\n"


def test_several_promotions_of_one_product_are_one_entry() -> None:
    found = read(
        TILL_HEAD + b"1,1.29,c1,C,0.99,,Plava,\n1,1.29,m1,M,3.00,3,,2026-03-07\n1,,p1,A,1.09,,,\n",
        TILL,
    )
    entry = found.by_sku["1"]
    assert (entry.price_minor, entry.rows) == (129, (2, 3, 4))
    assert [(p.promotion_id, p.kind.value, p.price_minor) for p in entry.stated_promotions] == [
        ("c1", "member", 99),
        ("m1", "multibuy", 300),
        ("p1", "price", 109),
    ]
    assert found.problems == []


def test_promotions_without_an_id_are_told_apart_by_what_they_are() -> None:
    found = read(TILL_HEAD + b"1,1.29,,C,0.99,,Plava,\n1,1.29,,A,1.09,,,\n", TILL)
    stated = found.by_sku["1"].stated_promotions
    assert [(p.promotion_id, p.kind.value) for p in stated] == [("", "member"), ("~1", "price")]
    again = read(TILL_HEAD + b"1,1.29,,A,1.09,,,\n1,1.29,,C,0.99,,Plava,\n", TILL)
    assert again.by_sku["1"].stated_promotions == stated, "whatever the order of the rows"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (b"1,1.29,,A,1.09,,,\n1,1.29,,A,0.99,,,\n", "two promotions of one kind at one time"),
        (b"1,1.29,p1,A,1.09,,,\n1,1.29,p1,A,0.99,,,\n", "one promotion_id with two meanings"),
    ],
)
def test_promotions_that_contradict_each_other_name_their_rows(rows: bytes, words: str) -> None:
    found = read(TILL_HEAD + rows, TILL)
    assert found.entries == []
    assert found.rejected == [(2, "promotion_price"), (3, "promotion_price")]
    assert all(words in p.reason and "rows 2, 3" in p.reason for p in found.problems)


def test_an_id_that_looks_like_one_of_ours_is_refused() -> None:
    found = read(TILL_HEAD + b"1,1.29,~1,A,1.09,,,\n", TILL)
    assert found.rejected == [(2, "promotion_price")]


# ── Rows of the past ────────────────────────────────────────────────────────────────────────

PAST = """
name: past
format: csv
fields:
  sku: sku
  price: price
  promotion_price: offer
  was: was
  name: name
  history: from
  history_to: to
  history_kind: kind
"""
PAST_HEAD = b"sku,price,offer,was,name,from,to,kind\n"


def test_rows_of_the_past_say_nothing_of_the_present() -> None:
    found = read(
        PAST_HEAD
        + b"1,1.29,0.99,1.49,Kruh,2026-01-01,2026-01-31,\n1,1.19,,,Kruh,2026-02-01,,promotion\n",
        PAST,
    )
    entry = found.by_sku["1"]
    assert (entry.price_minor, entry.promotion, entry.was_minor) == (KEEP, KEEP, KEEP)
    assert entry.name == "Kruh"
    told = [
        (d.day.isoformat(), d.until and d.until.isoformat(), d.kind.value, d.price_minor, d.row)
        for d in entry.history
    ]
    assert told == [
        ("2026-01-01", "2026-02-01", "promotion", 99, 2),
        ("2026-01-01", "2026-02-01", "regular", 129, 2),
        ("2026-02-01", None, "promotion", 119, 3),
    ]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (b"1,,,,Kruh,2026-01-01,,", "history"),
        (b"1,1.29,,,Kruh,2026-01-01,2025-12-31,", "history"),
        (b"1,1.29,,,Kruh,2026-13-01,,", "history"),
        (b"1,1.29,,,Kruh,2026-01-01,soon,", "history_to"),
        (b"1,1.29,,,Kruh,2026-01-01,,staff", "history_kind"),
    ],
)
def test_a_row_of_the_past_that_cannot_be_read_is_named(row: bytes, field: str) -> None:
    found = read(PAST_HEAD + row + b"\n", PAST)
    assert found.rejected == [(2, field)]
    assert all(p.fix for p in found.problems)


def test_two_prices_of_one_day_and_kind_contradict_each_other() -> None:
    body = b"1,1.29,,,K,2026-01-01,,\n1,1.19,,,K,2026-01-01,,\n"
    assert read(PAST_HEAD + body, PAST).rejected == [(2, "history"), (3, "history")]


# ── Promotions in columns of their own ──────────────────────────────────────────────────────

WIDE = """
name: wide
format: csv
fields:
  sku: sku
  gtin: gtin
  price: price
  promotion_price: {from: offer, clears: true}
  member_price: {from: card, clears: true}
  club: {default: Plava}
  multibuy_price: {from: several, clears: true}
  multibuy_quantity: pieces
"""
WIDE_HEAD = b"sku,gtin,price,offer,card,several,pieces\n"


def stated(row: bytes) -> list[tuple[str, str, int, str | None]]:
    entry = read(WIDE_HEAD + row, WIDE).by_sku["1"]
    return [(p.promotion_id, p.kind.value, p.price_minor, p.club) for p in entry.stated_promotions]


def test_columns_for_members_and_several_pieces_stand_beside_the_promotion() -> None:
    assert stated(b"1,,1.29,1.09,0.99,3.00,3\n") == [
        ("", "member", 99, "Plava"),
        ("~1", "multibuy", 300, None),
        ("~2", "price", 109, None),
    ]
    assert stated(b"1,,1.29,,0.99,,\n") == [("", "member", 99, "Plava")]
    assert read(WIDE_HEAD + b"1,,1.29,,,,\n", WIDE).by_sku["1"].promotion is None, "cleared"


def test_rows_with_several_bar_codes_repeat_their_promotions() -> None:
    row = b"1,%s,1.29,1.09,0.99,,\n"
    both = row % b"3859888152014" + row % b"3830000620871"
    assert stated(both) == stated(row % b"")
    found = read(WIDE_HEAD + both + b"2,,1.00,,,3.00,\n", WIDE)
    assert found.rejected == [(4, "promotion_price")]
    assert "multibuy" in found.problems[0].reason


def test_columns_of_the_past_are_told_apart_too() -> None:
    mapping = WIDE.replace("  club: {default: Plava}", "  club: {default: Plava}\n  history: day")
    head = WIDE_HEAD.replace(b"\n", b",day\n")
    entry = read(head + b"1,,1.29,1.09,0.99,3.00,3,2026-01-01\n", mapping).by_sku["1"]
    assert entry.stated_promotions == ()
    assert sorted((d.kind.value, d.price_minor) for d in entry.history) == [
        ("member", 99),
        ("promotion", 109),
        ("regular", 129),
    ]
