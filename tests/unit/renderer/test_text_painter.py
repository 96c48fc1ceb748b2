"""Texts stand where they should, and shrink, wrap or end in an ellipsis as far as allowed."""

from dataclasses import replace

import numpy as np
import pytest

from esl.domain.errors import MissingGlyph, NameDoesNotFit
from esl.domain.face import Face, Unit
from esl.domain.panel import Ink
from renderer.drawing import DrawnPart
from tests.proof.checks import watched_stamps
from tests.unit.renderer.drawings import FACE, draw, inks, part_of

LONG = "Frische fettarme länger haltbare Alpenmilch mit Schraubverschluss"


def text(style: str = "", *, name: str = "Hill", box: str = "[0, 0, 200, 60]") -> DrawnPart:
    style = f'{{type: text, value: "{{name}}", size: 30, box: {box}{style}}}'
    return part_of(draw(style, face=replace(FACE, name=name)), "text")


def test_a_text_stands_at_the_side_it_is_aligned_to() -> None:
    left, middle, right, start = (
        text(f", align: {align}").ink_box for align in ("left", "center", "right", "start")
    )
    assert left is not None
    assert middle is not None
    assert right is not None
    assert left == start
    assert left.left <= 3
    assert right.right >= 197
    assert abs(middle.left + middle.right - 200) <= 4


@pytest.mark.parametrize("name", ["חלב טרי", "حليب طازج"])
def test_a_text_from_the_right_starts_at_the_right(name: str) -> None:
    start, left, right = (
        text(f", align: {a}", name=name).ink_box for a in ("start", "left", "right")
    )
    assert start == right
    assert start is not None
    assert left is not None
    assert start.right >= 197
    assert left.left <= 3


def test_a_text_stands_at_the_top_in_the_middle_or_at_the_bottom() -> None:
    top, middle, bottom = (
        text(f", valign: {valign}", name="HH").ink_box for valign in ("top", "middle", "bottom")
    )
    assert top is not None
    assert middle is not None
    assert bottom is not None
    assert (top.top, bottom.bottom) == (0, 60)
    assert abs(middle.top + middle.bottom - 60) <= 1


@pytest.mark.parametrize("valign", ["top", "middle", "bottom"])
@pytest.mark.parametrize("name", ["Ÿgj", "ÅÇ", "ญี่ปุ่นกุ้ง", "ट्रॉफी", "مُحَلّى", "8,–"])
def test_accents_and_tails_stay_in_the_box(name: str, valign: str) -> None:
    for height in (20, 25, 33):
        style = f", valign: {valign}, fit: shrink, min_size: 8"
        with watched_stamps() as watch:
            text(style, name=name, box=f"[0, 0, 200, {height}]")
        assert watch.lost == []


def test_an_inverted_text_is_white_on_its_ink() -> None:
    drawing = draw('{type: text, value: "{name}", size: 30, invert: true, ink: red}')
    assert inks(drawing.canvas) == {Ink.RED, Ink.WHITE}
    part = part_of(drawing, "text")
    assert part.ink is Ink.WHITE
    assert part.grounds == {Ink.RED}


def test_a_struck_text_has_a_rising_line_of_emphasis() -> None:
    drawing = draw('{type: text, value: "{name}", size: 30, strike: true}')
    red = np.argwhere(drawing.canvas == Ink.RED)
    assert red[red[:, 1].argmin()][0] > red[red[:, 1].argmax()][0]


def test_bold_is_bolder() -> None:
    assert text(", weight: bold").mask.sum() > 1.2 * text().mask.sum()


def test_a_text_shrinks_before_it_wraps_and_wraps_before_it_is_cut() -> None:
    name = "Alpenmilch"
    box = "[0, 0, 100, 60]"
    shrunk = text(", fit: shrink, min_size: 8", name=name, box=box)
    assert (shrunk.texts, shrunk.cut) == ((name,), False)
    assert 8 <= (shrunk.font_px or 0) < 30
    wrapped = text(", fit: wrap, min_size: 12, max_lines: 3", name="Frische Alpenmilch", box=box)
    assert (wrapped.texts, wrapped.cut) == (("Frische", "Alpenmilch"), False)
    cut = text(", min_size: 20, max_lines: 2", name=LONG, box=box)
    assert cut.cut
    assert cut.texts[-1].endswith("…")
    assert cut.font_px == 20


@pytest.mark.parametrize("fit", ["refuse", "shrink", "wrap"])
def test_a_text_that_may_not_be_cut_is_refused_with_numbers(fit: str) -> None:
    with pytest.raises(NameDoesNotFit, match=r"\d+ characters .* px"):
        text(f", fit: {fit}, min_size: 20, max_lines: 2", name=LONG, box="[0, 0, 100, 60]")


def test_refuse_means_the_size_asked_for() -> None:
    with pytest.raises(NameDoesNotFit):
        text(", fit: refuse, min_size: 8", name="Alpenmilch", box="[0, 0, 100, 60]")


def test_an_amount_in_a_text_is_never_cut() -> None:
    face = replace(FACE, unit_price_minor=99_999_999, unit=Unit.LITRE, net_content="12 × 1,5 l")
    for value in ("{unit_price}", "{net_content} · {unit_price}", "{name} {price|amount}"):
        element = f'{{type: text, value: "{value}", size: 20, min_size: 14, box: [0, 0, 40, 20]}}'
        with pytest.raises(NameDoesNotFit):
            draw(element, face=replace(face, price_minor=99_999_999))


@pytest.mark.parametrize("minor", [8, 400, 1_444, 88_888, 777_777, 4_040_404])
@pytest.mark.parametrize("align", ["left", "center", "right"])
def test_texts_with_other_digits_find_the_same_room(minor: int, align: str) -> None:
    """Placements are kept by the number of digits; no digit may lose ink by that."""
    for height in range(12, 40, 3):
        element = (
            f'{{type: text, value: "{{price}}", size: 60, min_size: 8, fit: shrink, '
            f"align: {align}, box: [0, 0, 80, {height}]}}"
        )
        with watched_stamps() as watch:
            draw(element, face=replace(FACE, price_minor=int("1" * len(str(minor)))))
            part = part_of(draw(element, face=replace(FACE, price_minor=minor)), "text")
        assert watch.lost == []
        assert "".join(c for c in "".join(part.texts) if c.isdecimal()) == f"{minor:03d}"


@pytest.mark.parametrize("name", ["緑茶", "Milk \U0001f95b"])
def test_a_character_without_a_picture_is_refused_by_its_number(name: str) -> None:
    with pytest.raises(MissingGlyph, match=r"U\+"):
        text(name=name)


def test_a_text_of_nothing_visible_prints_nothing() -> None:
    face: Face = replace(FACE, name="\u200b\u202e")
    assert all(
        not part.texts for part in draw('{type: text, value: "{name}", size: 20}', face=face).parts
    )
