"""Runs are Pillow's pixels, and a character the fonts lack is said, never drawn as a box."""

import hashlib
import re
import subprocess
import sys
from importlib import resources

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from esl.domain.errors import MissingGlyph
from renderer.text.fonts import Font, Fonts
from renderer.text.scripts import BLANKS

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


@pytest.mark.parametrize("size_px", [12, 14, 17, 20, 33])
@pytest.mark.parametrize("letter", ["ה", "ת", "ท", "น"])  # flat feet in other fonts of the chain
def test_letters_of_other_scripts_stand_on_the_same_baseline(size_px: int, letter: str) -> None:
    assert FONTS.bold(size_px).drop_px(letter) == 0
    assert FONTS.bold(size_px).ink_ascent_px(letter) > size_px // 3


@pytest.mark.parametrize("text", ["−25 %", "הנחה", "ซื้อ 1"])
def test_a_remembered_run_has_the_same_ink_as_a_fresh_one(text: str) -> None:
    font = FONTS.bold(24)
    fresh, kept = font.run(text), font.short_run(text)
    assert kept.width_px == fresh.width_px
    top, left = fresh.ascent_px - kept.ascent_px, kept.left_px - fresh.left_px
    height, width = kept.mask.shape
    assert (fresh.mask[top : top + height, left : left + width] == kept.mask).all()
    assert kept.mask.sum() == fresh.mask.sum()


@pytest.mark.parametrize("text", ["Ájgy", "Ẳ", "ÅŮ", "ป่ำ", "हिन्दी", "שָׁלוֹם", "لتر"])
def test_the_measures_of_a_text_are_those_of_its_ink(text: str) -> None:
    for font in (FONTS.regular(14), FONTS.bold(33)):
        run = font.run(text)
        rows = np.flatnonzero(run.mask.any(axis=1))
        columns = np.flatnonzero(run.mask.any(axis=0)) + run.left_px
        assert font.ink_ascent_px(text) == run.ascent_px - rows[0]
        assert font.drop_px(text) == max(rows[-1] + 1 - run.ascent_px, 0)
        assert font.lead_px(text) == columns[0]
        assert font.tail_px(text) == run.width_px - 1 - columns[-1]
        assert font.width_px(text) == run.width_px


@pytest.mark.parametrize("font", [FONTS.regular(20), FONTS.bold(20), FONTS.bold(61)])
def test_digits_are_equally_wide(font: Font) -> None:
    assert len({font.width_px(digit) for digit in "0123456789"}) == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("日本", "'日' (U+65E5 CJK UNIFIED IDEOGRAPH-65E5)"),
        ("ሀ", "'ሀ' (U+1200 ETHIOPIC SYLLABLE HA)"),
        ("ខ្មែរ", "'ខ' (U+1781 KHMER LETTER KHA)"),
        ("😀", "'😀' (U+1F600 GRINNING FACE)"),
        ("\U000f0041", "(U+F0041 without a name)"),
    ],
)
def test_a_missing_glyph_is_refused_by_name_and_with_what_to_do(text: str, named: str) -> None:
    with pytest.raises(MissingGlyph, match=re.escape(named) + ".*fonts_folder"):
        FONTS.bold(20).run(text)
    with pytest.raises(MissingGlyph):
        FONTS.regular(20).width_px(text)
    assert not FONTS.can_draw(text)


@pytest.mark.parametrize("blank", sorted(BLANKS))
def test_blanks_of_the_locales_draw_no_ink(blank: str) -> None:
    for text, plain in ((f"1{blank}2", "1 2"), (f"א{blank}2", "א 2")):
        run = FONTS.regular(20).run(text)
        assert run.width_px == FONTS.regular(20).width_px(plain)
        assert run.mask.sum() == FONTS.regular(20).run(plain).mask.sum()
    assert FONTS.can_draw(blank)


@pytest.mark.parametrize("sign", "€£¥₹₪₽₺₴₫₿฿…·−²½®™°„“")
def test_signs_a_shop_needs_are_there(sign: str) -> None:
    assert FONTS.can_draw(sign)


def test_what_the_first_font_lacks_comes_from_the_next() -> None:
    """₿ is in Noto Sans alone; the digits beside it are the first font's."""
    font = FONTS.regular(20)
    sign, digits, both = font.run("₿"), font.run("12"), font.run("₿12")
    assert both.width_px == sign.width_px + digits.width_px
    assert both.mask.sum() == sign.mask.sum() + digits.mask.sum()


def test_pillow_is_never_asked_for_the_layout_some_machines_lack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    real = ImageFont.truetype

    def noting(*args: object, **kwargs: object) -> ImageFont.FreeTypeFont:
        asked.append(kwargs.get("layout_engine"))
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageFont, "truetype", noting)
    font = Fonts().bold(19)
    font.run("Mlijeko حليب דב ก")
    assert len(asked) >= 4
    assert set(asked) == {ImageFont.Layout.BASIC}


def test_every_process_draws_the_same_bytes() -> None:
    """Whatever its hash seed, locale and order of drawing."""
    program = (
        "import hashlib, sys\n"
        "from renderer.text.fonts import Fonts\n"
        "texts = ['حليب 1 لتر', 'חלב 3%', 'นมสด', 'दूध', 'Ẳ₿ Süß']\n"
        "texts = texts[::int(sys.argv[1])]\n"
        "masks = {t: Fonts().bold(17).run(t) for t in texts}\n"
        "drawn = b''.join(masks[t].mask.tobytes() for t in sorted(texts))\n"
        "print(hashlib.sha256(drawn).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program, step],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "LC_ALL": locale, "LANG": locale, "LANGUAGE": locale},
        ).stdout
        for step, seed, locale in (("1", "1", "C"), ("-1", "2", "fa_IR.UTF-8"))
    }
    assert len(seen) == 1


def test_font_files_are_the_ones_the_readme_names() -> None:
    readme = (FOLDER / "README.md").read_text()
    names = sorted(file.name for file in FOLDER.iterdir() if file.name.endswith(".ttf"))
    assert len(names) == 12
    for name in names:
        digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
        assert f"| `{name}` | `{digest}` |" in readme
