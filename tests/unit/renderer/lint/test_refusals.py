"""A face that the renderer refuses is an error on the element that cannot show it."""

import numpy as np
import pytest

from renderer.lint.finding import Data, Severity
from renderer.pictures import ditherers
from renderer.pictures.picture import Ditherer, Picture
from tests.unit.renderer.lint.judged import NAME, findings, the_one
from tests.unit.renderer.lint.templates import SAMPLE, template_of


@pytest.mark.parametrize(
    ("element", "sample", "code", "says"),
    [
        (
            "{type: price, box: [10, 40, 60, 60]}",
            '{name: x, price: "9999.99", currency: EUR}',
            "price_does_not_fit",
            "60x60 px",
        ),
        (
            '{type: text, value: "{name}", box: [0, 0, 40, 20], size: 20, fit: refuse}',
            '{name: "Extraordinarily long", price: "1.00", currency: EUR}',
            "name_does_not_fit",
            "px",
        ),
        (NAME, '{name: "\U00013000", price: "1.00", currency: EUR}', "missing_glyph", "13000"),
        (
            '{type: qr, value: "https://shop.example/p/1", box: [0, 0, 40, 40]}',
            SAMPLE,
            "code_does_not_fit",
            "mm",
        ),
        (
            "{type: barcode, box: [0, 0, 60, 60]}",
            SAMPLE,
            "code_does_not_fit",
            "mm",
        ),
        (
            '{type: text, value: "{name}", box: [280, 0, 40, 20]}',
            SAMPLE,
            "layout_does_not_fit",
            "296x128",
        ),
    ],
)
def test_a_refused_face_is_an_error_on_its_element_with_numbers(
    element: str, sample: str, code: str, says: str
) -> None:
    line = "{type: line, box: [0, 126, 296, 2]}"
    finding = the_one(template_of(line, element, sample=sample), code)
    assert finding.severity is Severity.ERROR
    assert finding.path == "/variants/0/elements/1"
    assert says in finding.message
    assert finding.data == (Data.SAMPLE, Data.WORST_CASE)


def test_a_refusal_is_pinned_on_the_element_with_the_id_it_names() -> None:
    column = (
        "{type: column, box: [0, 0, 100, 100], children: [{type: rect, id: gap, height: 20}, "
        "{type: qr, id: code, height: 40}, {type: qr, id: co, height: 40}]}"
    )
    finding = the_one(
        template_of(column, sample='{name: x, price: "1.00", currency: EUR, link: "https://a.b"}'),
        "code_does_not_fit",
    )
    assert finding.path == "/variants/0/elements/0/children/1"


def test_a_code_of_ours_that_is_left_out_is_a_warning() -> None:
    template = template_of(NAME, "{type: qr, box: [200, 0, 40, 40]}")
    finding = the_one(template, "code_left_out")
    assert finding.severity is Severity.WARNING
    assert finding.path == "/variants/0/elements/1"
    assert findings(template_of(NAME, "{type: qr, box: [190, 20, 100, 100]}")) == ()


def test_a_picture_that_cannot_be_dithered_here_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ditherers, "dither_image", None)
    grey = Picture.of("logo", np.full((20, 20, 4), 99, np.uint8), Ditherer.EPAPER)
    element = "{type: image, name: logo, box: [200, 0, 60, 60]}"
    finding = the_one(template_of(element, pictures={"logo": grey}), "picture_not_drawn")
    assert finding.severity is Severity.ERROR
    assert "'logo'" in finding.message
