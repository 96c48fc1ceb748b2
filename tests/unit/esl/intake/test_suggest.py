"""A mapping suggested for an unknown file: right, or marked unsure; never confidently wrong."""

from datetime import UTC
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl.domain.entry import Entry, RowProblem
from esl.domain.errors import InvalidInput
from esl.domain.ids import StoreId
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.reading import read_entries
from esl.intake.mapping.store_context import Place, StoreContext
from esl.intake.suggest.suggest import suggest_mapping
from esl.intake.suggest.writing import letters_of
from tests.unit.esl.intake.chain_dialects import DIALECTS as CHAINS
from tests.unit.esl.intake.hinted_dialects import DIALECTS as HINTED
from tests.unit.esl.intake.suggest_dialects import DIALECTS as SHOPS
from tests.unit.esl.intake.suggest_dialects import items, money, table

DIALECTS = [*SHOPS, *CHAINS, *HINTED]
LISTS = Path(__file__).resolve().parents[5] / "shared" / "data" / "pricelists"
MONEY = {"price", "promotion_price", "was", "unit_price", "lowest_price_30d", "anchor_price"}
NEEDED = {"decimal", "delimiter", "encoding", "minor_units", "price", "promotion_price", "sku"}
BY_NAME = pytest.mark.parametrize("dialect", DIALECTS, ids=[each.name for each in DIALECTS])


@cache
def _suggest(file):
    data = next(each.data for each in DIALECTS if each.file == file)
    return suggest_mapping(data, name=file)


def _sure(suggestion):
    """Return what a suggestion is sure of: settings by key, columns by target."""
    sure = {each.key: each.value for each in suggestion.settings if each.sure}
    for each in suggestion.fields:
        if each.sure:
            sure[each.target] = each.column.path
    return sure


def _context(currency):
    place = Place(store_id=StoreId("one"), currency=currency, timezone=UTC)
    return StoreContext(place=place)


def test_there_are_more_dialects_than_were_asked_for():
    assert len(DIALECTS) >= 70
    assert len({each.file for each in DIALECTS}) == len(DIALECTS)


@BY_NAME
def test_no_price_field_is_confidently_wrong(dialect):
    sure = _sure(_suggest(dialect.file))
    for target in MONEY & sure.keys():
        assert sure[target] == dialect.truth.get(target), target
    if "decimal" in sure and dialect.decimal is not None:
        assert sure["decimal"] == dialect.decimal
    if dialect.decimal is None:
        assert "decimal" not in sure or "delimiter" not in sure
    if sure.get("thousands") is not None:
        assert sure["thousands"] == dialect.thousands
    if "minor_units" in sure:
        assert sure["minor_units"] is dialect.minor_units
    if dialect.encoding is not None and "encoding" in sure:
        read = dialect.data.decode(sure["encoding"])
        assert read == dialect.data.decode(dialect.encoding)


@BY_NAME
def test_what_the_file_proves_is_sure_and_what_it_does_not_is_unsure(dialect):
    suggestion = _suggest(dialect.file)
    assert dialect.sure - _sure(suggestion).keys() == set(), suggestion.text
    assert dialect.unsure - set(suggestion.unsure) == set(), suggestion.text


@BY_NAME
def test_a_suggestion_works_as_it_is_or_is_refused_with_the_lines_to_confirm(dialect):
    suggestion = _suggest(dialect.file)
    open_questions = NEEDED & set(suggestion.unsure)
    if open_questions:
        with pytest.raises(InvalidInput) as refused:
            parse_mapping(suggestion.text)
        paths = {problem.path.rpartition("/")[2] for problem in refused.value.problems}
        assert paths <= open_questions
        assert paths
        return
    mapping = parse_mapping(suggestion.text)
    entries = list(read_entries(dialect.data, mapping, store=_context(dialect.currency)))
    problems = [each for each in entries if isinstance(each, RowProblem) and each.rejects]
    assert problems == []
    if dialect.prices is not None:
        read = {str(e.sku): e.price_minor for e in entries if isinstance(e, Entry)}
        assert read == dialect.prices


@BY_NAME
def test_no_column_is_left_out_without_a_word(dialect):
    suggestion = _suggest(dialect.file)
    mapped = {id(each.column) for each in suggestion.fields if each.column is not None}
    for column in suggestion.unused:
        if id(column) not in mapped:
            name = column.header or f"column {letters_of(column.number)}"
            said = [line for line in suggestion.text.splitlines() if name in line]
            assert said, name
            assert "#" in said[0], said
    asked = {id(question.column) for question in suggestion.questions}
    assert not asked & mapped


def test_most_dialects_need_no_person():
    ready = [d.name for d in DIALECTS if d.prices is not None]
    working = []
    for dialect in DIALECTS:
        suggestion = _suggest(dialect.file)
        if not NEEDED & set(suggestion.unsure):
            working.append(dialect.name)
    assert set(ready) <= set(working)


REAL = {
    "konzum-vrsar-2026-01.csv": (
        ".",
        {
            "sku": "ŠIFRA PROIZVODA",
            "gtin": "BARKOD",
            "price": "MALOPRODAJNA CIJENA",
            "promotion_price": "MPC ZA VRIJEME POSEBNOG OBLIKA PRODAJE",
            "lowest_price_30d": "NAJNIŽA CIJENA U POSLJEDNIH 30 DANA",
            "unit_price": "CIJENA ZA JEDINICU MJERE",
            "anchor_price": "SIDRENA CIJENA NA 2.5.2025",
        },
    ),
    "plodine-pleternica-2025-12-29.csv": (
        ",",
        {
            "sku": "Sifra proizvoda",
            "gtin": "Barkod",
            "price": "Maloprodajna cijena",
            "promotion_price": "MPC za vrijeme posebnog oblika prodaje",
            "lowest_price_30d": "Najniza cijena u poslj. 30 dana",
            "unit_price": "Cijena po JM",
            "anchor_price": "Sidrena cijena na 2.5.2025",
        },
    ),
    "studenac-funtana-2025-12-29.xml": (
        ".",
        {
            "sku": "SifraProizvoda",
            "gtin": "Barkod",
            "price": "MaloprodajnaCijena",
            "promotion_price": "MaloprodajnaCijenaAkcija",
            "lowest_price_30d": "NajnizaCijena",
            "unit_price": "CijenaZaJedinicuMjere",
            "anchor_price": "SidrenaCijena",
        },
    ),
}


@pytest.mark.skipif(not LISTS.is_dir(), reason="the three published price lists are not here")
@pytest.mark.parametrize("file", REAL)
def test_of_the_real_lists_every_price_field_is_right_and_sure(file):
    decimal, truth = REAL[file]
    data = (LISTS / file).read_bytes()
    suggestion = suggest_mapping(data, name=file)
    sure = _sure(suggestion)
    assert sure["decimal"] == decimal
    assert {target: sure.get(target) for target in truth} == truth
    mapping = parse_mapping(suggestion.text)
    found = list(read_entries(data, mapping, store=_context("EUR"), file_name=file))
    entries = [each for each in found if isinstance(each, Entry)]
    rejected = [each for each in found if isinstance(each, RowProblem) and each.rejects]
    assert len(entries) > 2000
    assert len(rejected) <= len(entries) // 1000


def test_a_file_of_which_only_the_head_is_given_is_judged_by_its_whole_rows():
    made = items("Brot Milch Käse Wurst", count=4000)
    rows = [[i.sku, i.name, i.gtin, money(i.cents, ",")] for i in made]
    data = table("Nummer;Name;EAN;Verkaufspreis", rows, ";").encode()[: 1 << 16]
    sure = _sure(suggest_mapping(data, name="head.csv"))
    assert sure["price"] == "Verkaufspreis"
    assert sure["decimal"] == ","


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"\0\0\0\0", "empty"),
        (b"just words\nand more\n", "no sign"),
        (b"{", "not JSON"),
        (b'{"a": 1}', "no list"),
        (b"<a><b>", "no element"),
        (b"<!DOCTYPE a [<!ENTITY x 'y'>]><a/>", "document type"),
        (b"<a><b></a>", "mismatched"),
        (b"PK\x03\x04broken", "xlsx"),
        (b"\xd0\xcf\x11\xe0old", "old Excel"),
        (b"sku;price\n", "no rows"),
        (
            b"H20251229KONZUM    \n"
            + b"".join(b"D%06d0385%09d0000129KRUH\n" % (n, n) for n in range(9))
            + b"T000009\n",
            "no sign",
        ),
    ],
)
def test_what_is_no_price_list_is_refused_in_words(data, words):
    with pytest.raises(InvalidInput) as refused:
        suggest_mapping(data, name="x")
    assert words in str(refused.value)


def test_odd_headers_are_named_by_letter_or_quoted():
    made = items("Brot Milch Käse Wurst")
    rows = [[i.sku, i.name, i.gtin, money(i.cents), money(i.cents + 1)] for i in made]
    header = 'sku,"na""me: # [x]",ean,price,price'
    suggestion = suggest_mapping(table(header, rows, ",").encode(), name="ü.csv")
    assert suggestion.name == "source"
    assert "price" in suggestion.unsure  # two columns have the name
    with pytest.raises(InvalidInput, match="price"):
        parse_mapping(suggestion.text)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400)
    | st.text(alphabet="sku;price,\n1.29\t\"'€x", max_size=200).map(str.encode)
)
def test_no_bytes_break_a_suggestion(data):
    try:
        suggestion = suggest_mapping(data, name="any.bin")
    except InvalidInput:
        return
    open_questions = NEEDED & set(suggestion.unsure)
    if open_questions:
        with pytest.raises(InvalidInput):
            parse_mapping(suggestion.text)
    else:
        assert parse_mapping(suggestion.text).name == suggestion.name
