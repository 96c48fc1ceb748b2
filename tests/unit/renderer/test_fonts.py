"""Runs are Pillow's pixels, and a character the fonts lack is said, never drawn as a box."""

import hashlib
from importlib import resources

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from esl.domain.errors import MissingGlyph
from renderer.coverage import read_facts
from renderer.fonts import BLANKS, Font, Fonts

FONTS = Fonts()
FOLDER = resources.files("renderer") / "fonts"


def pillow_pixels(font: Font, text: str) -> np.ndarray:
    pillow = ImageFont.truetype(
        str(FOLDER / "RobotoCondensed-Bold.ttf"),
        font.size_px,
        layout_engine=ImageFont.Layout.BASIC,
    )
    image = Image.new("1", (font.width_px(text) + 2 * font.size_px, 3 * font.size_px))
    ImageDraw.Draw(image).text(
        (font.size_px, 2 * font.size_px), text, font=pillow, fill=1, anchor="ls"
    )
    return np.asarray(image)


def cropped(pixels: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@pytest.mark.parametrize("size_px", [12, 13, 17, 40, 84])
@pytest.mark.parametrize("text", ["Süßrahmbutter", "1.234,50", "ŠĐČĆŽ šđčćž", "Žižule à l'œuf"])
def test_a_run_has_the_pixels_pillow_draws(size_px: int, text: str) -> None:
    font = FONTS.bold(size_px)
    assert (cropped(font.run(text).mask) == cropped(pillow_pixels(font, text))).all()


@pytest.mark.parametrize("size_px", range(11, 74, 3))  # above, FreeType no longer snaps every foot
def test_letters_with_feet_stand_on_the_baseline(size_px: int) -> None:
    for font in (FONTS.regular(size_px), FONTS.bold(size_px)):
        for letter in "HrnmlikxzEFTLZAMN1247":
            lowest = np.flatnonzero(font.run(letter).mask.any(axis=1))[-1]
            assert lowest == font.ascent_px - 1, (font.size_px, letter)


def test_a_remembered_run_has_the_same_ink_as_a_fresh_one() -> None:
    font = FONTS.bold(24)
    fresh, kept = font.run("−25 %"), font.short_run("−25 %")
    assert kept.width_px == fresh.width_px
    top, left = fresh.ascent_px - kept.ascent_px, kept.left_px - fresh.left_px
    height, width = kept.mask.shape
    assert (fresh.mask[top : top + height, left : left + width] == kept.mask).all()
    assert kept.mask.sum() == fresh.mask.sum()


@pytest.mark.parametrize("font", [FONTS.regular(20), FONTS.bold(20), FONTS.bold(61)])
def test_digits_are_equally_wide(font: Font) -> None:
    assert len({font.width_px(digit) for digit in "0123456789"}) == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [("日本", "U+65E5"), ("سعر", "U+0633"), ("ราคา", "U+0E23"), ("😀", "U+1F600")],
)
def test_a_missing_glyph_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(MissingGlyph, match=named.replace("+", r"\+")):
        FONTS.bold(20).run(text)
    with pytest.raises(MissingGlyph):
        FONTS.regular(20).width_px(text)
    assert not FONTS.can_draw(text)


@pytest.mark.parametrize("blank", sorted(BLANKS))
def test_blanks_of_the_locales_draw_no_ink(blank: str) -> None:
    run = FONTS.regular(20).run(f"1{blank}2")
    assert run.width_px == FONTS.regular(20).width_px("1 2")
    assert FONTS.can_draw(blank)


@pytest.mark.parametrize("sign", "€£¥₹₪₽₺₴₫…·−²")
def test_signs_a_price_needs_are_there(sign: str) -> None:
    assert FONTS.can_draw(sign)


def test_a_file_without_a_unicode_table_is_refused() -> None:
    data = bytearray((FOLDER / "RobotoCondensed-Bold.ttf").read_bytes())
    at = data.index(b"cmap")
    cmap = int.from_bytes(data[at + 8 : at + 12])
    for i in range(int.from_bytes(data[cmap + 2 : cmap + 4])):
        table = cmap + int.from_bytes(data[cmap + 8 + 8 * i : cmap + 12 + 8 * i])
        data[table : table + 2] = (6).to_bytes(2)
    with pytest.raises(ValueError, match=r"found formats \[6\]"):
        read_facts(bytes(data))


def test_both_unicode_tables_name_the_same_characters() -> None:
    """Our fonts carry formats 4 and 12; hiding one leaves the other."""
    data = (FOLDER / "RobotoCondensed-Bold.ttf").read_bytes()
    whole = read_facts(data).characters
    hidden = bytearray(data)
    at = data.index(b"cmap")
    cmap = int.from_bytes(data[at + 8 : at + 12])
    for i in range(int.from_bytes(data[cmap + 2 : cmap + 4])):
        table = cmap + int.from_bytes(data[cmap + 8 + 8 * i : cmap + 12 + 8 * i])
        if data[table : table + 2] == (12).to_bytes(2):
            hidden[table : table + 2] = (6).to_bytes(2)
    assert read_facts(bytes(hidden)).characters == {c for c in whole if c <= 0xFFFF}


def test_font_files_are_the_ones_the_readme_names() -> None:
    readme = (FOLDER / "README.md").read_text()
    for name in ("RobotoCondensed-Regular.ttf", "RobotoCondensed-Bold.ttf"):
        digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
        assert f"| `{name}` | `{digest}` |" in readme
