"""Texts are cleaned once, set as large as their box allows, broken evenly, and cut only at last."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from esl.domain.errors import MissingGlyph, NameDoesNotFit
from renderer.text.breaks import split_words
from renderer.text.fit import ELLIPSIS, Fit, FittedText, clean, fit_text
from renderer.text.fonts import Fonts
from renderer.text.scripts import clusters
from tests.unit.renderer.text.scripts import texts

FONTS = Fonts()
WIDTH, HEIGHT, SIZE, MIN = 170, 40, 20, 13


def fitted(
    text: str,
    *,
    width_px: int = WIDTH,
    height_px: int = HEIGHT,
    max_lines: int = 2,
    fit: Fit = Fit.ELLIPSIS,
    path: str = "",
) -> FittedText:
    return fit_text(
        text,
        FONTS.bold,
        width_px=width_px,
        height_px=height_px,
        size_px=SIZE,
        min_px=MIN,
        max_lines=max_lines,
        fit=fit,
        path=path,
    )


@pytest.mark.parametrize(
    ("raw", "printed"),
    [
        ("  Mlijeko \t 2,8 %\r\n1 l ", "Mlijeko 2,8 % 1 l"),
        ("c\u030cokolada", "čokolada"),  # composed, or the font would draw two glyphs
        ("Kava\u202emirK", "KavamirK"),  # a bidi override
        ("\u2067Kava\u2069 \u202aX\u202c", "Kava X"),  # isolates and embeddings
        ("\u200eKava\u200f\u061c", "Kava"),  # marks of direction
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("soft\u00adhyphen", "softhyphen"),
        ("bell\x07", "bell"),
        ("0,5\u00a0l", "0,5\u00a0l"),  # no-break blanks stay
        ("\u200b", ""),
        ("me\u200clk", "melk"),  # a joiner where nothing joins
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian spelling
        ("क्\u200dष", "क्\u200dष"),  # Hindi spelling
        ("\u200cمی\u200c \u200dخ\u200d", "می خ"),  # at the edge of a word it joins nothing
        ("⚠\ufe0f X\u034f\u3164", "⚠ X"),  # variation selector, joiner and filler without ink
        ("a \u200b b", "a b"),
        ("e\u200b\u0301", "é"),
        ("שָׁלוֹם", "שָׁלוֹם"),
    ],
)
def test_only_printable_text_is_left(raw: str, printed: str) -> None:
    assert clean(raw) == printed


@given(st.text(max_size=60) | texts)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_a_short_name_stands_on_one_line_at_the_largest_size() -> None:
    found = fitted("Kruh")
    assert (found.font.size_px, found.lines, found.cut) == (SIZE, ("Kruh",), False)


@pytest.mark.parametrize(
    "name", ["Franck Kava mljevena Minas 250 g", "Dukat Trajno mlijeko 2,8% m.m. 1 l", "a b c d"]
)
@pytest.mark.parametrize("max_lines", [2, 3])
def test_lines_are_broken_where_they_come_out_most_even(name: str, max_lines: int) -> None:
    found = fitted(name, width_px=110, height_px=60, max_lines=max_lines)
    font, words = found.font, [word.text for word in split_words(name)]
    longest = max(map(font.width_px, found.lines))
    for breaks in _ways_to_break(len(words), len(found.lines)):
        lines = [" ".join(words[start:end]) for start, end in pairwise(breaks)]
        if not any(len(line) == 1 for line in lines):
            assert longest <= max(map(font.width_px, lines))


def _ways_to_break(words: int, lines: int) -> list[tuple[int, ...]]:
    ways: list[tuple[int, ...]] = [(0,)]
    for left in range(lines - 1, -1, -1):
        ends = range(1, words + 1) if left else [words]
        ways = [(*way, end) for way in ways for end in ends if end > way[-1]]
    return ways


def test_a_larger_size_on_two_lines_is_taken_before_a_smaller_one_on_one() -> None:
    found = fitted("Frische Heumilch 1 l", width_px=120)
    assert len(found.lines) == 2
    assert found.font.size_px > MIN
    assert FONTS.bold(found.font.size_px).width_px("Frische Heumilch 1 l") > 120


@pytest.mark.parametrize(
    ("name", "together"),
    [
        ("Mineralna voda gazirana 6 × 1,5\u00a0l", "1,5\u00a0l"),
        ("Sirupirana mineralna voda s okusom 500 ml", "500 ml"),
        ("Wein trocken aus der Region 0,75 l", "0,75 l"),
    ],
)
def test_a_number_stays_with_its_unit(name: str, together: str) -> None:
    for width in range(70, 200, 6):
        for lines in (2, 3):
            try:
                found = fitted(name, width_px=width, max_lines=lines, height_px=60, fit=Fit.WRAP)
            except NameDoesNotFit:
                continue
            assert any(together in line for line in found.lines), found.lines


def test_evenness_gives_way_to_a_line_of_more_than_one_letter() -> None:
    font = FONTS.bold(SIZE)
    assert font.width_px("W") > font.width_px("ii")  # so "W" alone would come out more even
    width = font.width_px("W Bananenbrot")
    assert fitted("W Bananenbrot ii", width_px=width).lines == ("W Bananenbrot", "ii")
    three = fitted("WBananenbrot W ii Bananenbrot", width_px=width, height_px=70, max_lines=3)
    assert three.lines == ("WBananenbrot", "W ii", "Bananenbrot")


@pytest.mark.parametrize("text", ["jod", "Poď", "كرر"])
def test_letters_that_hang_over_their_width_need_room_for_it(text: str) -> None:
    font = FONTS.bold(SIZE)
    width = font.width_px(text)
    overhang = max(-font.lead_px(text), 0) + max(-font.tail_px(text), 0)
    assert overhang > 0
    fitted(text, width_px=width + overhang, fit=Fit.REFUSE)
    with pytest.raises(NameDoesNotFit):
        fitted(text, width_px=width + overhang - 1, fit=Fit.REFUSE)


def test_a_text_too_long_at_the_smallest_size_ends_in_an_ellipsis() -> None:
    found = fitted("Bio frische Alpen-Heumilch Süßrahmbutter mild gesäuert aus Tagespflege")
    assert found.font.size_px == MIN
    assert len(found.lines) == 2
    assert found.lines[1].endswith(ELLIPSIS)
    assert found.cut


def test_a_text_that_ends_in_an_ellipsis_itself_is_not_called_cut() -> None:
    found = fitted("Süßrahmbutter mild gesäuert und so weiter…")
    assert " ".join(found.lines) == "Süßrahmbutter mild gesäuert und so weiter…"
    assert not found.cut


def test_a_word_longer_than_a_line_goes_on_in_the_next() -> None:
    found = fitted("Donaudampfschifffahrtsgesellschaft", width_px=120)
    assert found.font.size_px == MIN
    assert found.lines[0].endswith("-")
    assert found.lines[0][:-1] + found.lines[1] == "Donaudampfschifffahrtsgesellschaft"
    assert not found.cut


def test_thai_is_broken_at_blanks_if_that_helps_and_between_characters_if_not() -> None:
    at_blank = fitted("นมสดพาสเจอร์ไรส์ รสจืด 2 ลิตร", width_px=120)
    assert " ".join(at_blank.lines) == "นมสดพาสเจอร์ไรส์ รสจืด 2 ลิตร"
    name = "นมสดพาสเจอร์ไรส์รสจืดตราหมีขาว"
    without = fitted(name, width_px=110, fit=Fit.WRAP)
    assert len(without.lines) == 2
    assert "".join(without.lines) == name
    assert [*clusters(without.lines[0]), *clusters(without.lines[1])] == list(clusters(name))


def test_chinese_and_japanese_may_break_anywhere_but_before_a_closing_mark() -> None:
    words = [word.text for word in split_words("明治おいしい牛乳（成分無調整）。 500 ml")]
    assert words[:4] == ["明", "治", "お", "い"]
    assert words[-3:] == ["調", "整）。", "500 ml"]
    assert "（成" in words


def test_the_paragraph_says_that_it_runs_from_right_to_left() -> None:
    assert fitted("חלב 3% Gold").rtl
    assert not fitted("Gold חלב").rtl


@pytest.mark.parametrize("fit", Fit)
def test_each_way_of_fitting_does_what_it_may_and_no_more(fit: Fit) -> None:
    def outcome(text: str) -> tuple[int, int, bool] | None:
        try:
            found = fitted(text, fit=fit)
        except NameDoesNotFit:
            return None
        return found.font.size_px, len(found.lines), found.cut

    order = list(Fit).index(fit)
    assert outcome("Kruh") == (SIZE, 1, False)
    shrunk = outcome("Süßrahmbutter mild 2x")
    if order == 0:
        assert shrunk is None
    elif order == 1:
        assert shrunk is not None
        assert MIN <= shrunk[0] < SIZE
        assert shrunk[1:] == (1, False)
    wrapped = outcome("Franck Kava mljevena Minas 250 g")
    assert (wrapped is not None) == (order >= 2)
    cut = outcome("Bio frische Alpen-Heumilch Süßrahmbutter mild gesäuert aus Tagespflege")
    assert cut == ((MIN, 2, True) if order == 3 else None)


@pytest.mark.parametrize("text", ["", "Mlijeko", "חלב", "นม"])
@pytest.mark.parametrize(("width_px", "height_px"), [(5, 40), (170, 4)])
def test_a_text_of_which_nothing_fits_is_refused(text: str, width_px: int, height_px: int) -> None:
    with pytest.raises(NameDoesNotFit):
        fitted(text, width_px=width_px, height_px=height_px)


def test_a_refusal_names_its_text_and_its_numbers() -> None:
    with pytest.raises(
        NameDoesNotFit,
        match=r"^variants/0/elements/3: 7 characters at their smallest size, 20 px, need "
        r"\d+ x \d+ px on one line, and do not fit 30 x 40 px$",
    ) as caught:
        fitted("Mlijeko", width_px=30, fit=Fit.REFUSE, path="variants/0/elements/3")
    assert "Mlijeko" not in str(caught.value)


def ink_bounds(found: FittedText) -> tuple[int, int]:
    """Return columns and rows of the ink of all lines, flush left."""
    columns = rows = 0
    for i, line in enumerate(found.lines):
        run = found.font.run(line, found.rtl)
        inked = np.flatnonzero(run.mask.any(axis=0))
        if inked.size:
            start = max(-found.font.lead_px(line, found.rtl), 0)
            columns = max(columns, start + run.left_px + int(inked[-1]) + 1)
        above = found.font.ink_ascent_px(found.lines[0])
        rows = max(rows, above + i * found.line_px + found.font.drop_px(line))
    return columns, rows


@given(
    text=texts,
    width_px=st.integers(20, 300),
    height_px=st.integers(8, 90),
    max_lines=st.integers(1, 4),
    fit=st.sampled_from(Fit),
)
@example(text="آ ँककि", width_px=31, height_px=26, max_lines=2, fit=Fit.WRAP)
def test_whatever_the_text_its_ink_stays_in_the_box(
    text: str, width_px: int, height_px: int, max_lines: int, fit: Fit
) -> None:
    text = clean(text)
    try:
        found = fitted(text, width_px=width_px, height_px=height_px, max_lines=max_lines, fit=fit)
    except (MissingGlyph, NameDoesNotFit):
        return
    assert 1 <= len(found.lines) <= max_lines
    assert MIN <= found.font.size_px <= SIZE
    assert all(found.font.width_px(line) <= width_px for line in found.lines)
    columns, rows = ink_bounds(found)
    assert columns <= width_px
    assert rows <= height_px
    for above, below in pairwise(found.lines):  # lines never touch
        assert found.font.drop_px(above) + found.font.ink_ascent_px(below) <= found.line_px


@given(text=texts, max_lines=st.integers(1, 4), width_px=st.integers(30, 200))
def test_a_text_that_is_not_cut_has_lost_nothing(text: str, max_lines: int, width_px: int) -> None:
    text = clean(text)
    try:
        found = fitted(text, width_px=width_px, max_lines=max_lines, height_px=90, fit=Fit.WRAP)
    except (MissingGlyph, NameDoesNotFit):
        return
    assert not found.cut
    assert "".join(found.lines).replace(" ", "") == text.replace(" ", "")


@given(text=texts, max_lines=st.integers(1, 3))
def test_a_cut_text_is_cut_between_clusters(text: str, max_lines: int) -> None:
    text = clean(text)
    try:
        found = fitted(text, width_px=50, max_lines=max_lines)
    except (MissingGlyph, NameDoesNotFit):
        return
    if found.cut and len(found.lines) == 1:
        kept = found.lines[0].removesuffix(ELLIPSIS)
        assert text.startswith(kept)
        ends = {len("".join(list(clusters(text))[:n])) for n in range(len(text) + 1)}
        assert len(kept) in ends
