"""What does not stand out on the glass is found, whatever inks a template names."""

from dataclasses import replace

import pytest

from renderer.lint.finding import Severity
from tests.unit.renderer.lint.judged import BW, BWRY, NAME, findings, the_one
from tests.unit.renderer.lint.templates import template_of


@pytest.mark.parametrize(
    ("look", "severity"),
    [
        ("ink: yellow", Severity.ERROR),  # on white
        ("ink: white, fill: yellow", Severity.ERROR),
        ("ink: red, fill: black", Severity.ERROR),
        ("ink: black, fill: red", Severity.ERROR),
        ("ink: red, fill: yellow", Severity.ERROR),  # 3.8
        ("ink: white", Severity.ERROR),  # on white: invisible
        ("ink: black", None),
        ("ink: red", None),
        ("ink: white, fill: red", None),
        ("ink: white, fill: black", None),
        ("ink: black, fill: yellow", None),
        ("ink: red, invert: true", None),
        ("ink: yellow, invert: true", None),  # black on yellow
    ],
)
def test_price_text_needs_a_contrast_of_4_5(look: str, severity: Severity | None) -> None:
    price = f"{{type: price, box: [10, 40, 150, 60], {look}}}"
    text = f'{{type: text, value: "{{price}}", box: [10, 40, 150, 60], size: 40, {look}}}'
    for element in (price, text):
        if severity is None:
            assert findings(template_of(element)) == ()
        else:
            finding = the_one(template_of(element), "contrast")
            assert finding.severity is severity
            assert finding.path == "/variants/0/elements/0/ink"
            assert finding.line == 9


@pytest.mark.parametrize(
    ("look", "severity"),
    [
        ("ink: yellow", Severity.ERROR),
        ("ink: red, fill: black", Severity.ERROR),
        ("ink: red, fill: yellow", Severity.WARNING),  # 3.8
        ("ink: black, fill: yellow", None),
    ],
)
def test_other_text_needs_3_and_should_have_4_5(look: str, severity: Severity | None) -> None:
    template = template_of(f'{{type: text, value: "{{name}}", box: [10, 4, 150, 30], {look}}}')
    if severity is None:
        assert findings(template) == ()
    else:
        assert the_one(template, "contrast").severity is severity


def test_what_lies_behind_a_text_is_what_was_drawn_there() -> None:
    band = "{type: rect, box: [0, 0, 296, 128], fill: black}"
    icon = "{type: icon, name: heart, box: [0, 0, 128, 128], ink: red}"
    white = '{type: text, value: "{name}", box: [40, 50, 60, 30], size: 18, ink: white}'
    assert findings(template_of(band, white)) == ()
    assert findings(template_of(icon, white)) == ()
    finding = the_one(template_of(band, NAME), "contrast")
    assert finding.path == "/variants/0/elements/1"  # its ink is not written: black is usual
    assert "black on black" in finding.message


def test_a_panel_that_replaces_an_ink_is_judged_by_what_it_shows() -> None:
    template = template_of("{type: price, box: [10, 40, 150, 60], ink: black, fill: yellow}")
    assert [f.code for f in findings(template, BW)] == ["ink_replaced"]
    yellow = template_of("{type: price, box: [10, 40, 150, 60], ink: yellow}")
    assert "white on white" in the_one(yellow, "contrast", BW).message


def test_the_forbidden_pairs_are_errors_whatever_a_panel_s_colours_claim() -> None:
    ideal = replace(BWRY, ink_rgb=((0, 0, 0), (255, 255, 255), (255, 255, 0), (255, 0, 0)))
    template = template_of("{type: price, box: [10, 40, 150, 60], ink: red, fill: black}")
    assert the_one(template, "contrast", ideal).severity is Severity.ERROR


def test_an_icon_that_does_not_stand_out_is_a_warning() -> None:
    icon = "{type: icon, name: leaf, box: [0, 0, 40, 40], ink: yellow}"
    assert the_one(template_of(NAME.replace("10, 4", "90, 4"), icon), "contrast").severity is (
        Severity.WARNING
    )
    assert findings(template_of("{type: icon, name: leaf, box: [0, 0, 40, 40]}")) == ()
