"""Names are cleaned once, broken evenly, and shortened only at the smallest size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import NameDoesNotFit
from renderer.draw_name import full_name
from renderer.fonts import Fonts
from renderer.text import ELLIPSIS, clean, fit_lines, shorten

FONTS = Fonts()


def fitted(text: str, *, width_px: int = 170, height_px: int = 36) -> tuple[int, tuple[str, ...]]:
    found = fit_lines(
        text, FONTS.bold, width_px=width_px, height_px=height_px, max_px=20, min_px=13
    )
    return found.font.size_px, found.lines


@pytest.mark.parametrize(
    ("raw", "printed"),
    [
        ("  Mlijeko \t 2,8 %\r\n1 l ", "Mlijeko 2,8 % 1 l"),
        ("c\u030cokolada", "čokolada"),  # composed, or the font would draw two glyphs
        ("Kava\u202emirK", "KavamirK"),  # a bidi override
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("soft\u00adhyphen", "softhyphen"),
        ("bell\x07", "bell"),
        ("0,5\u00a0l", "0,5\u00a0l"),  # no-break blanks stay
        ("\u200b", ""),
    ],
)
def test_only_printable_text_is_left(raw: str, printed: str) -> None:
    assert clean(raw) == printed


@given(st.text(max_size=60))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("name", "brand", "printed"),
    [
        ("Jogurt", "Dukat", "Dukat Jogurt"),
        ("DUKAT jogurt", "Dukat", "DUKAT jogurt"),
        ("Jogurt", None, "Jogurt"),
        ("Jogurt", " ", "Jogurt"),
    ],
)
def test_the_brand_is_said_once(name: str, brand: str | None, printed: str) -> None:
    assert full_name(name, brand) == printed


def test_a_short_name_stands_on_one_line_at_the_largest_size() -> None:
    assert fitted("Kruh") == (20, ("Kruh",))


def test_two_lines_are_broken_where_they_come_out_most_even() -> None:
    _, lines = fitted("Franck Kava mljevena Minas 250 g")
    assert lines == ("Franck Kava", "mljevena Minas 250 g")


def test_no_break_blanks_keep_words_together() -> None:
    _, lines = fitted("Mineralna voda gazirana 6 × 1,5\u00a0l", width_px=120)
    assert lines[1].endswith("1,5\u00a0l")


def test_a_name_too_long_at_the_smallest_size_ends_in_an_ellipsis() -> None:
    size, lines = fitted("Bio frische Alpen-Heumilch Süßrahmbutter mild gesäuert aus Tagespflege")
    assert size == 13
    assert len(lines) == 2
    assert lines[1].endswith(ELLIPSIS)
    assert all(FONTS.bold(13).width_px(line) <= 170 for line in lines)


def test_a_word_longer_than_a_line_goes_on_in_the_second() -> None:
    size, lines = fitted("Donaudampfschifffahrtsgesellschaft", width_px=120)
    assert size == 13
    assert lines[0].endswith("-")
    assert lines[0][:-1] + lines[1] == "Donaudampfschifffahrtsgesellschaft"


@given(st.lists(st.text("abcdeiMW", min_size=1, max_size=14), min_size=1, max_size=12))
def test_no_line_is_ever_wider_than_its_box(words: list[str]) -> None:
    size, lines = fitted(" ".join(words))
    assert 1 <= len(lines) <= 2
    assert all(FONTS.bold(size).width_px(line) <= 170 for line in lines)


@given(st.lists(st.text("abcdei", min_size=1, max_size=6), min_size=1, max_size=5))
def test_a_name_without_ellipsis_has_lost_nothing(words: list[str]) -> None:
    _, lines = fitted(" ".join(words))
    assert " ".join(lines) == " ".join(words)


@pytest.mark.parametrize("text", ["", "Mlijeko"])
def test_a_name_of_which_nothing_fits_is_refused(text: str) -> None:
    with pytest.raises(NameDoesNotFit):
        fitted(text, width_px=12)


def test_shortening_leaves_a_text_that_fits() -> None:
    font = FONTS.bold(13)
    assert shorten("Akcija", font, 100) == "Akcija"
    assert shorten("Akcija, vikend", font, font.width_px("Akcija, v")) == "Akcija" + ELLIPSIS
