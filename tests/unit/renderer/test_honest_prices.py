"""What could make a label say another price than the true one, and does not."""

from dataclasses import replace

import pytest

from esl.domain.errors import NameDoesNotFit, PriceDoesNotFit
from esl.domain.face import Face
from renderer.lint.lint import lint_template
from renderer.render import Renderer
from renderer.text.fit import Fit, fit_text
from renderer.text.fonts import Fonts
from tests.panels import PANELS
from tests.unit.renderer.drawings import FACE, PANEL, draw, template

FONTS = Fonts()


def texts(*elements: str, face: Face = FACE) -> list[str]:
    return [text for part in draw(*elements, face=face).parts for text in part.texts]


@pytest.mark.parametrize("width", range(40, 190, 6))
def test_a_number_is_never_cut_in_the_middle(width: int) -> None:
    said = "AB 2 STÜCK JE NUR 11,99 €"
    fitted = fit_text(
        said, FONTS.bold, width_px=width, height_px=20, size_px=12, min_px=12, fit=Fit.ELLIPSIS
    )
    shown = fitted.lines[0].rstrip("…").split(" ")
    assert shown == said.split(" ")[: len(shown)] or not shown[-1][:1].isdigit()
    assert not any(half in fitted.lines[0] for half in ("11…", "11,…", "11,9…", " 1…"))


def test_an_old_price_below_the_price_is_not_struck_through() -> None:
    face = replace(FACE, price_minor=12999, was_minor=9999)
    shown = texts("{type: price, old: was, box: [0, 0, 290, 100]}", face=face)
    assert "99" in shown
    assert not any("99,99" in text or "99.99" in text for text in shown)


def test_a_selling_price_is_never_drawn_below_three_millimetres() -> None:
    face = replace(FACE, price_minor=119999)
    with pytest.raises(PriceDoesNotFit):
        draw("{type: price, box: [0, 0, 40, 30], min_size: 6}", face=face)


def test_a_percentage_is_refused_and_not_cut() -> None:
    face = replace(FACE, price_minor=100, was_minor=9999)
    with pytest.raises(NameDoesNotFit):
        draw('{type: text, value: "{percent_off}", size: 20, box: [0, 0, 24, 30]}', face=face)


@pytest.mark.parametrize(
    "cover",
    [
        "{type: rect, box: [0, 0, 55, 128], fill: white}",
        '{type: text, value: "{name}", size: 12, box: [0, 20, 200, 40], fill: white}',
        "{type: line, box: [0, 50, 200, 8], thickness: 6}",
    ],
)
def test_whatever_is_painted_over_a_price_is_an_error(cover: str) -> None:
    price = "{type: price, box: [10, 20, 200, 80]}"
    found = {f.code for f in lint_template(Renderer(), template(price, cover), [PANEL])}
    assert "covered" in found
    below = {f.code for f in lint_template(Renderer(), template(cover, price), [PANEL])}
    assert "covered" not in below


def test_products_in_other_languages_do_not_share_a_layer() -> None:
    grid = (
        '{type: grid, columns: 2, rows: 1, each: [{type: text, value: "{name|upper}", size: 20}]}'
    )
    made = template(grid, products=2)
    renderer = Renderer()
    english = replace(FACE, others=(replace(FACE, name="iris", locale="en_US"),))
    turkish = replace(FACE, others=(replace(FACE, name="iris", locale="tr_TR"),))
    renderer.render(english, PANEL, made)
    shared = renderer.render(turkish, PANEL, made)
    assert shared.digest == Renderer().render(turkish, PANEL, made).digest


def test_a_font_size_beyond_its_box_costs_nothing() -> None:
    made = template(
        '{type: text, value: "{name}", size: "9999%", min_size: 6, box: [0, 0, 90, 20]}'
    )
    for panel in (PANEL, PANELS.named("bwr-960x768")):
        assert Renderer().draw(FACE, panel, made).parts[0].font_px
