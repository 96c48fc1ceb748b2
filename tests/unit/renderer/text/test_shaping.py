"""Every script reads as it is written: joined, stacked, and in its own direction.

The pictures lie in ``tests/golden/text``. After a wanted change run
``ESL_UPDATE_GOLDEN=1 pytest tests/unit/renderer/text/test_shaping.py``, and look at them.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from PIL import Image

from esl.domain.errors import MissingGlyph
from renderer.text.bidi import order_visually, resolve_levels, starts_from_the_right
from renderer.text.fit import clean
from renderer.text.fonts import Font, Fonts, Run
from renderer.text.scripts import clusters, is_simple
from tests.unit.renderer.text.font_folders import write_font
from tests.unit.renderer.text.scripts import SAMPLES, texts

GOLDEN = Path(__file__).parents[3] / "golden" / "text"
REGENERATE = "ESL_UPDATE_GOLDEN"
SIZES = (12, 14, 16, 20, 32)
FONTS = Fonts()


def ink(run: Run) -> NDArray[np.bool_]:
    rows, columns = (np.flatnonzero(run.mask.any(axis=axis)) for axis in (1, 0))
    return run.mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def sheet(fonts: Fonts, samples: tuple[str, ...]) -> NDArray[np.bool_]:
    """Draw samples in all sizes and both weights, one below the other."""
    runs = [
        font(size).short_run(clean(text))
        for font in (fonts.regular, fonts.bold)
        for size in SIZES
        for text in samples
    ]
    width = max(run.mask.shape[1] for run in runs)
    rows = [np.pad(run.mask, ((1, 1), (1, width - run.mask.shape[1] + 1))) for run in runs]
    return np.vstack(rows)


@pytest.mark.parametrize("script", [*SAMPLES, "own"])
def test_a_script_has_the_pixels_of_its_golden_picture(script: str, tmp_path: Path) -> None:
    if script == "own":
        write_font(tmp_path / "own.ttf")
        drawn = sheet(Fonts(tmp_path), ("日本語ー 500 g。", "ሀ日 دب"))
    else:
        drawn = sheet(FONTS, SAMPLES[script])
    golden = GOLDEN / f"{script}.png"
    if os.environ.get(REGENERATE) == "1":
        golden.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(~drawn).save(golden, optimize=True)
    expected = ~np.asarray(Image.open(golden).convert("1"))
    if expected.shape != drawn.shape or (expected != drawn).any():
        differing = golden.with_suffix(".diff.png")
        Image.fromarray(~drawn).save(differing)
        pytest.fail(f"{golden.name} differs, see {differing}; {REGENERATE}=1 takes the new picture")


def beside(font: Font, *parts: str) -> NDArray[np.bool_]:
    """Set parts from left to right, each drawn alone."""
    runs = [font.run(part) for part in parts]
    height, width = 4 * font.size_px, sum(run.width_px for run in runs)
    canvas = np.zeros((height, width + 2 * font.size_px), np.bool_)
    pen = font.size_px
    for run in runs:
        top, left = 2 * font.size_px - run.ascent_px, pen + run.left_px
        rows, columns = run.mask.shape
        canvas[top : top + rows, left : left + columns] |= run.mask
        pen += run.width_px
    return ink(Run((~canvas).view(np.uint8), 0, 0, 0))


@pytest.mark.parametrize(
    ("text", "visual"),
    [
        ("אבג", ("ג", "ב", "א")),
        ("חלב 3%", ("3%", " ", "חלב")),
        ("מחיר 12.90 ₪", ("₪", " ", "12.90", " ", "מחיר")),
        ("سعر 1.29 €", ("€", " ", "1.29", " ", "سعر")),
        ("سعر ١٫٢٩", ("١٫٢٩", " ", "سعر")),
        ("(דג)", ("(", "דג", ")")),
        ("Nescafé נס 200", ("Nescafé ", "200", " ", "נס")),
        ("נס Gold 200 גרם", ("גרם", " ", "Gold 200", " ", "נס")),
        ("2 × חלב", ("חלב", " ", "×", " ", "2")),
    ],
)
def test_a_text_from_the_right_is_drawn_in_its_visual_order(
    text: str, visual: tuple[str, ...]
) -> None:
    for font in (FONTS.regular(20), FONTS.bold(14)):
        drawn = ink(font.run(text))
        assert drawn.shape == beside(font, *visual).shape
        assert (drawn == beside(font, *visual)).all()


def test_a_line_keeps_the_direction_of_its_paragraph() -> None:
    font = FONTS.bold(20)
    assert (ink(font.run("Gold 200.", rtl=True)) == beside(font, ".", "Gold 200")).all()
    assert (ink(font.run("Gold 200.")) == beside(font, "Gold 200.")).all()
    assert (ink(font.run("דג A", rtl=False)) == beside(font, "דג", " ", "A")).all()
    assert (ink(font.run("דג A")) == beside(font, "A", " ", "דג")).all()
    assert (ink(font.short_run("דג A", False)) == beside(font, "דג", " ", "A")).all()  # noqa: FBT003


def test_arabic_letters_join() -> None:
    font = FONTS.regular(32)
    word, apart = ink(font.run("بسم")), beside(font, "م", "س", "ب")
    assert word.shape[1] < apart.shape[1]
    gaps = np.flatnonzero(~word.any(axis=0))
    assert gaps.size == 0


def test_a_non_joiner_is_spelling_and_keeps_letters_apart() -> None:
    font = FONTS.regular(20)
    apart, joined = font.run("می\u200cخواهم"), font.run("میخواهم")
    assert apart.width_px != joined.width_px or (apart.mask != joined.mask).any()


def test_devanagari_conjuncts_are_one_glyph_and_i_stands_before_its_consonant() -> None:
    font = FONTS.regular(32)
    assert font.width_px("क्ष") < font.width_px("क") + font.width_px("ष")
    with_i, alone = ink(font.run("हि")), ink(font.run("ह"))
    assert with_i.shape[1] > alone.shape[1]
    assert (with_i[-alone.shape[0] :, -alone.shape[1] :] & alone).sum() > 0.9 * alone.sum()


@pytest.mark.parametrize("size_px", SIZES)
@pytest.mark.parametrize(
    ("bare", "marked"), [("ป", "ปี่"), ("น", "น้ำ"), ("ש", "שׁ"), ("ب", "بّ"), ("q", "q\u0303")]
)
def test_marks_stand_above_their_base_and_are_never_lost(
    bare: str, marked: str, size_px: int
) -> None:
    for font in (FONTS.regular(size_px), FONTS.bold(size_px)):
        assert font.ink_ascent_px(marked) > font.ink_ascent_px(bare)
        assert font.run(marked).mask.sum() > font.run(bare).mask.sum()


def test_simple_text_beside_shaped_text_looks_as_it_does_alone() -> None:
    font = FONTS.bold(20)
    assert (ink(font.run("Gold Tee ก")) == beside(font, "Gold Tee ", "ก")).all()


@pytest.mark.parametrize(
    ("text", "rtl", "levels"),
    [
        ("abc", False, "000"),
        ("אב 12", True, "11122"),
        ("אב 12", False, "11122"),
        ("a אב b", False, "001100"),
        ("a אב b", True, "211112"),
        ("אב. ", True, "1111"),
        ("אב. ", False, "1100"),
        ("ب\u200cب1", True, "1112"),
    ],
)
def test_levels_are_those_of_the_bidirectional_algorithm(
    text: str, *, rtl: bool, levels: str
) -> None:
    assert "".join(map(str, resolve_levels(text, rtl=rtl))) == levels


def test_stretches_are_turned_round_level_by_level() -> None:
    assert order_visually("abcdef", [0, 1, 1, 2, 2, 0]) == list("adecbf")
    assert order_visually("", []) == []


@pytest.mark.parametrize(
    ("text", "rtl"), [("12 דג", True), ("Ab דג", False), ("12 %", False), ("", False), ("ق", True)]
)
def test_the_first_letter_decides_the_direction(text: str, *, rtl: bool) -> None:
    assert starts_from_the_right(text) is rtl


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("Käse", "K|ä|s|e"),
        ("e\u0301a", "e\u0301|a"),
        ("น้ำปี่", "น้ำ|ปี่"),
        ("เก่าไทย", "เก่า|ไท|ย"),
        ("क्षत्रिय", "क्ष|त्रि|य"),
        ("می\u200cخ", "م|ی\u200cخ"),
        ("각", "각"),
        ("M าa \u0301", "M| |า|a| |\u0301"),  # a blank carries nothing
        ("", ""),
    ],
)
def test_a_cluster_is_what_a_reader_takes_for_a_character(text: str, split: str) -> None:
    assert "|".join(clusters(text)) == split


@pytest.mark.parametrize("character", "aЖ字한1€ ₪")
def test_characters_that_need_no_shaping_take_the_fast_road(character: str) -> None:
    assert is_simple(character)


@pytest.mark.parametrize("character", ["ب", "א", "ก", "क", "\u0301", "١", "\u200d", "\u1100"])
def test_characters_that_need_shaping_do_not(character: str) -> None:
    assert not is_simple(character)


@given(texts)
def test_any_mixture_of_scripts_is_measured_as_it_is_drawn_and_drawn_the_same_twice(
    text: str,
) -> None:
    text = clean(text)
    font, again = FONTS.bold(15), FRESH.bold(15)
    try:
        run = font.run(text)
    except MissingGlyph:  # a mark of one script on a letter of another
        with pytest.raises(MissingGlyph):
            again.width_px(text)
        assert not FONTS.can_draw(text)
        return
    assert FONTS.can_draw(text)
    assert font.width_px(text) == again.width_px(text) == run.width_px
    drawn = again.run(text)
    assert drawn.mask.tobytes() == run.mask.tobytes()
    assert (drawn.left_px, drawn.ascent_px) == (run.left_px, run.ascent_px)


FRESH = Fonts()
"""Fonts that have met the texts in another order than `FONTS`."""
