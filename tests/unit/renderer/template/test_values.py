"""Values print what the face says, in the shop's language, or nothing at all."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import InvalidInput
from esl.domain.face import Face, Multibuy, Unit
from renderer.template.fields import FIELDS
from renderer.template.formatters import FORMATTERS, group_gtin
from renderer.template.values import compile_value
from renderer.text.fit import clean
from tests.unit.renderer.template.faces import BARE, FULL, WORDS, faces, make_money

MONEY = make_money()
ANCHOR = {"anchor", "anchor_wording", "rrp_wording", "multibuy_pay_for"}  # not in FULL


def write(value: str, face: Face = FULL) -> str | None:
    return compile_value(value, words=WORDS, money=MONEY).render(face)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("{title}", "Dukat Jogurt natur 3,2 %"),
        ("{price}", "1,29\u00a0€"),
        ("{price|amount}", "1,29"),
        ("{unit_price}", "3,23\u00a0€/kg"),
        ("{unit_price|money}", "3,23\u00a0€"),
        ("{percent_off}", "−23\u00a0%"),
        ("{save}", "0,40\u00a0€"),
        ("{valid_to}", "31.12.26"),
        ("{valid_to|date:medium}", "31.12.2026"),
        ("{valid_to|date:day}", "31.12."),
        ("{stock}", "1.200"),
        ("{net_content}", "0.4 kg"),
        ("{net_content|quantity}", "0,4 kg"),
        ("{unit}", "kg"),
        ("{brand|upper}", "DUKAT"),
        ("{brand | lower}", "dukat"),
        ("{gtin|gtin}", "3 850139 171587"),
        ("{digital_link}", "HTTPS://ID.GS1.ORG/01/03850139171587"),
        ("{kind}", "member"),
        ("{multibuy_quantity} × {multibuy_price}", "3 × 3,50\u00a0€"),
        ("{multibuy_each}", "1,17\u00a0€"),
        ("{lowest_30d_wording}: {lowest_30d}", "30-Tage-Bestpreis: 1,39\u00a0€"),
        ("{rrp_wording or words.lowest} {rrp}", "lowest 1,99\u00a0€"),
        ("{words.until} {valid_to|date:day}", "bis 31.12."),
        ("{words.until|upper}", "BIS"),
        ("{{{brand}}}", "{Dukat}"),
        ("  two   blanks \u202e{brand} ", "two blanks Dukat"),
        ("fixed", "fixed"),
    ],
)
def test_a_value_prints_what_the_face_says(value: str, printed: str) -> None:
    assert write(value) == printed


@pytest.mark.parametrize(
    "value", ["{price}", "{brand} {name}", "{unit_price}", "{valid_to}", "{badge or origin}", " "]
)
def test_a_value_with_an_absent_field_prints_nothing(value: str) -> None:
    compiled = compile_value(value, words=WORDS, money=MONEY)
    assert compiled.render(BARE) is None
    if compiled.fields:
        assert not compiled.present(BARE)


def test_a_field_that_holds_nothing_visible_counts_as_absent() -> None:
    assert write("{badge}", replace(FULL, badge="\u200b\u202e")) is None


def test_a_unit_price_needs_its_unit() -> None:
    assert write("{unit_price}", replace(FULL, unit=None)) is None
    weighed = replace(FULL, priced_per=Unit.PIECE)
    assert write("{price|unit_price}", weighed) == "1,29\u00a0€/Stk."
    assert write("{price|unit_price}") is None


def test_a_unit_price_says_what_it_counts_and_tenths_where_the_law_wants_them() -> None:
    grams = replace(FULL, unit_label="100 g", priced_per=Unit.KILOGRAM)
    assert write("{unit_price}", grams) == "3,23\u00a0€/100 g"
    assert write("{unit}", grams) == "100 g"
    assert write("{priced_per}", grams) == "kg"
    assert write("{price|unit_price}", grams) == "1,29\u00a0€/kg"
    pound = replace(
        FULL, locale="en_US", currency="USD", unit_price_tenths=253, unit_label="lb\u202e"
    )
    assert write("{unit_price}", pound) == "$0.253/lb"
    assert write("{unit_price|amount}", pound) == "0.253"
    assert write("{unit_price|money}", pound) == "$0.253"
    assert write("{price|money}", pound) == "$1.29"
    assert write("{unit_price}", replace(FULL, unit_label="\u200b")) == "3,23\u00a0€/kg"


def test_words_come_in_the_language_of_the_face_or_in_english() -> None:
    assert write("{words.until}", replace(FULL, locale="de_CH")) == "gültig bis"
    assert write("{words.until}", replace(FULL, locale="de_AT")) == "bis"
    assert write("{words.until}", replace(FULL, locale="hr_HR")) == "until"
    assert write("{words.lowest}") == "lowest"


def test_turkish_keeps_its_dotted_i() -> None:
    turkish = replace(FULL, brand="Işık diyet", locale="tr_TR")
    assert write("{brand|upper}", turkish) == "IŞIK DİYET"
    assert write("{brand|lower}", replace(turkish, brand="IŞIK DİYET")) == "ışık diyet"


def test_the_brand_stands_once_in_the_title() -> None:
    assert write("{title}", replace(FULL, name="DUKAT jogurt")) == "DUKAT jogurt"
    composed, apart = "Café Noir", "Cafe\u0301"
    assert write("{title}", replace(FULL, name=composed, brand=apart)) == composed


def test_one_of_several_bought_together_is_never_cheaper_than_at_the_till() -> None:
    each = FIELDS["multibuy_each"].read(
        replace(FULL, multibuy=Multibuy(quantity=3, total_minor=100))
    )
    assert each == 34


@pytest.mark.parametrize(
    ("value", "stable"),
    [("{title} {net_content}", True), ("{words.until}", True), ("{title} {price}", False)],
)
def test_what_belongs_to_the_product_is_stable(value: str, *, stable: bool) -> None:
    assert compile_value(value, words=WORDS, money=MONEY).stable is stable


def test_stable_fields_do_not_change_with_prices_and_stock() -> None:
    other = replace(
        FULL,
        price_minor=1,
        was_minor=None,
        unit_price_minor=2,
        member_price_minor=None,
        multibuy=None,
        deposit_minor=None,
        reference_prices=(),
        stock=0,
    )
    changed = {name for name, field in FIELDS.items() if field.read(FULL) != field.read(other)}
    assert changed == {name for name, field in FIELDS.items() if not field.stable} - ANCHOR
    assert not [name for name in changed if FIELDS[name].stable]


@given(
    face=faces(),
    value=st.sampled_from([f"{{{name}}}" for name in FIELDS])
    | st.sampled_from(["{badge or brand or name}", "{name}: {price}", "{was or price} {stock}"]),
)
def test_what_is_printed_is_clean_and_present(face: Face, value: str) -> None:
    compiled = compile_value(value, words=WORDS, money=MONEY)
    printed = compiled.render(face)
    assert (printed is not None) is compiled.present(face)
    if printed is not None:
        assert printed == clean(printed)


@pytest.mark.parametrize(
    ("digits", "grouped"),
    [
        ("49012347", "4901 2347"),
        ("012345678905", "0 12345 67890 5"),
        ("3850139171587", "3 850139 171587"),
        ("15400141288763", "1 54 00141 28876 3"),
    ],
)
def test_a_gtin_is_grouped_as_below_its_bars(digits: str, grouped: str) -> None:
    assert group_gtin(digits) == grouped


@pytest.mark.parametrize(
    ("value", "detail", "fix"),
    [
        ("{prise}", "no field 'prise'", "'price'"),
        ("{price|mony}", "no formatter 'mony'", "'money'"),
        ("{price|date}", "date cannot print price", "amount, money, unit_price"),
        ("{price|money:x}", "money does not know 'x'", "Leave out the colon"),
        ("{valid_to|date:long}", "does not know 'long'", "short, medium, day"),
        ("{sku|quantity}", "quantity cannot print sku", "lower, text, upper"),
        ("{words.untl}", "no word 'untl'", "'until'"),
        ("{words.until|money}", "money cannot print words.until", "text"),
        ("{price", "lone brace at character 1", "{{"),
        ("a } b", "lone brace at character 3", "{{"),
        ("{}", "cannot be read", "{name}"),
        ("{a.b.c}", "cannot be read", "{name}"),
        ("{name!r}", "cannot be read", "{name}"),
    ],
)
def test_a_wrong_value_is_refused_with_a_fix(value: str, detail: str, fix: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        write(value)
    [problem] = caught.value.problems
    assert detail in problem.detail
    assert fix in (problem.fix or "")


def test_every_formatter_prints_some_field() -> None:
    for formatter in FORMATTERS.values():
        names = [
            name
            for name, field in FIELDS.items()
            if field.kind in formatter.kinds
            and (formatter.fields is None or name in formatter.fields)
        ]
        assert names
        full = replace(FULL, priced_per=Unit.KILOGRAM)
        assert any(write(f"{{{name}|{formatter.name}}}", full) for name in names)
