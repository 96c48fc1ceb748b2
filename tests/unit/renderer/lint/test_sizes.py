"""What is too small for an eye at the shelf is found."""

import re
from dataclasses import replace

import pytest

from renderer.lint.finding import Severity
from renderer.lint.legibility import _told
from tests.unit.renderer.lint.judged import BWRY, findings, the_one
from tests.unit.renderer.lint.templates import SAMPLE, template_of


def test_price_digits_below_3_mm_are_an_error() -> None:
    small = "{type: price, box: [10, 40, 150, 60], size: 12, min_size: 8}"
    finding = the_one(template_of(small), "price_does_not_fit")
    assert finding.severity is Severity.ERROR
    fourteen = small.replace("size: 12", "size: 14")
    assert findings(template_of(fourteen)) == ()


def test_letters_below_1_2_mm_are_a_warning() -> None:
    tiny = '{type: text, value: "{name}", box: [10, 4, 150, 30], size: 9}'
    finding = the_one(template_of(tiny), "text_size")
    assert finding.severity is Severity.WARNING
    assert "small letters" in finding.message
    assert findings(template_of(tiny.replace("size: 9", "size: 12"))) == ()


def test_capitals_may_be_smaller_than_texts_with_small_letters() -> None:
    capitals = '{type: text, value: "{name|upper}", box: [10, 4, 150, 30], size: 9}'
    assert findings(template_of(capitals)) == ()


def test_an_icon_below_10_px_is_a_warning() -> None:
    assert the_one(
        template_of("{type: icon, name: leaf, box: [0, 0, 9, 40]}"), "icon_size"
    ).severity is (Severity.WARNING)


@pytest.mark.parametrize(
    ("value", "severity"),
    [
        ("{price}", Severity.ERROR),
        ("only {price}", Severity.ERROR),
        ("{member_price or price}", Severity.ERROR),
        ("{was or price}", Severity.ERROR),  # this face has no price before
        ("{unit_price or price}", None),  # prints the unit price
        ("{deposit}", None),
        ("{name}", None),
    ],
)
def test_a_selling_price_printed_as_text_needs_digits_of_3_mm(
    value: str, severity: Severity | None
) -> None:
    text = f'{{type: text, value: "{value}", box: [10, 40, 150, 60], size: 12}}'
    sample = SAMPLE[:-1] + ', unit_price: "1.29", unit: l, deposit: "0.25"}'
    if severity is None:
        assert "price_size" not in {f.code for f in findings(template_of(text, sample=sample))}
    else:
        finding = the_one(template_of(text, sample=sample), "price_size")
        assert finding.severity is severity
        assert finding.path == "/variants/0/elements/0"
        assert "3.0 mm" in finding.message
        larger = text.replace("size: 12", "size: 20")
        assert findings(template_of(larger, sample=sample)) == ()


def test_the_selling_price_of_every_product_of_a_label_needs_3_mm() -> None:
    two = SAMPLE[:-1] + ', products: [{name: Tea, price: "2.00"}]}'
    text = '{type: text, value: "{price}", box: [4, 40, 120, 60], size: 12}'
    grid = f"{{type: grid, columns: 2, rows: 1, each: [{text}]}}"
    finding = the_one(template_of(grid, sample=two, products=2), "price_size")
    assert finding.path == "/variants/0/elements/0/each/0"


def test_a_height_just_below_the_bound_is_told_as_below_it() -> None:
    tiny = '{type: text, value: "{name}", box: [10, 4, 150, 30], size: 10}'
    heights = set()
    for dpi in range(106, 140):
        glass = replace(BWRY, dpi=dpi)
        for finding in findings(template_of(tiny), glass):
            told = re.search(r"are ([0-9.]+) mm high; below ([0-9.]+) mm", finding.message)
            assert told is not None, finding
            assert float(told[1]) < float(told[2])
            heights.add(told[1])
    assert any(len(height) > len("1.2") for height in heights), heights


@pytest.mark.parametrize(
    ("number", "least", "text"),
    [
        (1.0, 1.2, "1.0"),
        (1.14, 1.2, "1.1"),
        (1.16, 1.2, "1.16"),
        (1.1996, 1.2, "1.1996"),
        (2.96, 3.0, "2.96"),
        (4.4999, 4.5, "4.4999"),
        (5.04, 4.5, "5.0"),
    ],
)
def test_a_number_is_told_on_its_own_side_of_the_bound(
    number: float, least: float, text: str
) -> None:
    assert _told(number, least) == text
