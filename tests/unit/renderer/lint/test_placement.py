"""What lies over something else, is cut or is missing is found."""

import pytest

from renderer.lint.finding import Data, Severity
from tests.unit.renderer.lint.judged import BARS, NAME, PRICE, QR, findings, the_one
from tests.unit.renderer.lint.templates import template_of


def test_texts_over_each_other_are_an_error_and_boxes_over_each_other_are_not() -> None:
    below = NAME.replace("{type: text,", "{type: text, id: title,")
    finding = the_one(template_of(below, NAME), "overlap")
    assert finding.severity is Severity.ERROR
    assert finding.path == "/variants/0/elements/1"
    assert "text 'title'" in finding.message
    right = NAME.replace("size: 20", "size: 20, align: right")
    assert findings(template_of(NAME, right)) == ()  # one box, two places in it


def test_a_text_in_a_quiet_zone_is_an_error_twice() -> None:
    over = '{type: text, value: "{name}", box: [190, 20, 100, 14], size: 14}'
    found = findings(template_of(QR, over))
    assert {(f.code, f.path) for f in found} == {
        ("overlap", "/variants/0/elements/1"),
        ("code_unreadable", "/variants/0/elements/0"),
    }
    assert {f.severity for f in found} == {Severity.ERROR}


@pytest.mark.parametrize("code", [QR, BARS])
@pytest.mark.parametrize("over", ["line", "icon"])
def test_anything_drawn_over_a_code_makes_it_unreadable(code: str, over: str) -> None:
    element = {
        "line": "{type: line, box: [0, 90, 296, 2]}",
        "icon": "{type: icon, name: heart, box: [200, 66, 16, 16]}",
    }[over]
    finding = the_one(template_of(code, element), "code_unreadable")
    assert finding.severity is Severity.ERROR
    assert finding.path == "/variants/0/elements/0"
    assert findings(template_of(element, code)) == ()  # the code covers what lies below it


def test_a_text_over_a_picture_or_an_icon_is_meant() -> None:
    icon = "{type: icon, name: tag, box: [100, 0, 120, 120], ink: yellow}"
    text = '{type: text, value: "-25 %", box: [150, 46, 60, 30], size: 20}'
    assert {f.code for f in findings(template_of(icon, text))} <= {"contrast"}


def test_a_cut_text_is_a_warning_that_says_with_which_data() -> None:
    long = '{name: "Extraordinarily long and winding name", price: "1.00", currency: EUR}'
    name = '{type: text, value: "{name}", box: [10, 4, 150, 30], size: 20, min_size: 16}'
    finding = the_one(template_of(name, worst_case=long), "cut")
    assert finding.severity is Severity.WARNING
    assert finding.data == (Data.WORST_CASE,)
    assert the_one(template_of(name, sample=long), "cut").data == (Data.SAMPLE, Data.WORST_CASE)
    assert findings(template_of(name)) == ()


def test_a_label_that_stays_white_is_a_warning() -> None:
    template = template_of(
        NAME.replace("{type", '{when: "badge", type'), PRICE.replace("{", "{when: badge, ", 1)
    )
    finding = the_one(template, "blank")
    assert finding.severity is Severity.WARNING
