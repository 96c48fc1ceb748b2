"""A user's folder of fonts is read in order, within bounds, and a bad file is named."""

import random
from pathlib import Path

import pytest

from esl.domain.errors import MissingGlyph, SetupError
from renderer.text import files
from renderer.text.files import FontFile, bundled, read_folder
from renderer.text.fonts import Font, Fonts
from tests.unit.renderer.text.font_folders import FOREIGN, write_collection, write_font


def test_a_font_of_the_folder_draws_what_the_bundled_ones_lack(tmp_path: Path) -> None:
    write_font(tmp_path / "own.ttf")
    fonts = Fonts(tmp_path)
    assert fonts.can_draw("".join(FOREIGN))
    own, bundled_one = fonts.regular(20).short_run("日本"), fonts.regular(20).short_run("א")
    assert own.mask.any()
    assert (fonts.regular(20).short_run("日").mask == bundled_one.mask).all()
    assert fonts.regular(20).width_px("日本 1") == fonts.regular(20).run("日本 1").width_px


def test_a_character_the_bundled_fonts_have_stays_theirs(tmp_path: Path) -> None:
    write_font(tmp_path / "own.ttf", characters={"H": "א", " ": " "})
    assert (Fonts(tmp_path).bold(20).run("H").mask == Fonts().bold(20).run("H").mask).all()


def test_the_first_file_by_name_wins(tmp_path: Path) -> None:
    write_font(tmp_path / "b.ttf", characters={"日": "ש", " ": " "})
    write_font(tmp_path / "a.ttf", characters={"日": "ל", " ": " "})
    fonts = Fonts(tmp_path)
    like = fonts.regular(30).short_run("ל")
    assert (fonts.regular(30).short_run("日").mask == like.mask).all()


def test_bold_text_takes_the_bold_file_and_regular_text_the_other(tmp_path: Path) -> None:
    write_font(tmp_path / "a.ttf")
    write_font(tmp_path / "b.ttf", bold=True)
    fonts = Fonts(tmp_path)
    assert fonts.bold(30).run("日本").mask.sum() > fonts.regular(30).run("日本").mask.sum()


def test_of_a_collection_the_first_font_is_taken(tmp_path: Path) -> None:
    write_collection(tmp_path / "own.TTC")
    assert Fonts(tmp_path).can_draw("日本語")


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "LICENSE.txt").write_text("free")
    assert read_folder(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no outlines"),
        (b"not a font at all", "no outlines"),
        (b"\x00\x01\x00\x00\x00\x01" + bytes(6) + b"\xff" * 200, "directory of tables is damaged"),
        ("cut", "take it out of the folder"),
        ("no blank", "no blank"),
    ],
)
def test_a_broken_file_stops_the_start_with_its_name(
    tmp_path: Path, content: bytes | str, why: str
) -> None:
    path = tmp_path / "a.ttf"
    if content == "cut":
        path.write_bytes(write_font(path).read_bytes()[:3000])
    elif content == "no blank":
        write_font(path, characters={"日": "א"})
    else:
        assert isinstance(content, bytes)
        path.write_bytes(content)
    with pytest.raises(SetupError, match=r"fonts_folder: a\.ttf is not a usable font") as caught:
        Fonts(tmp_path)
    assert why in str(caught.value)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="fonts_folder: cannot be read"):
        Fonts(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("bound", "value"), [("FOLDER_FILES", 1), ("FILE_BYTES", 1000), ("FOLDER_BYTES", 30_000)]
)
def test_a_folder_has_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    write_font(tmp_path / "a.ttf")
    write_font(tmp_path / "b.ttf")
    monkeypatch.setattr(files, bound, value)
    with pytest.raises(SetupError, match="fonts_folder"):
        read_folder(tmp_path)


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_font_is_refused_or_draws_but_never_breaks_a_label(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    whole = write_font(tmp_path / "a.ttf").read_bytes()
    for _ in range(10):
        damaged = bytearray(whole)
        reach = chance.choice((400, len(whole)))
        for _ in range(chance.choice((1, 3, 30))):
            damaged[chance.randrange(reach)] = chance.randrange(256)
        (tmp_path / "a.ttf").write_bytes(damaged)
        try:
            own = read_folder(tmp_path)
        except SetupError as refused:
            assert "a.ttf" in str(refused)  # noqa: PT017 it may as well be read
            continue
        font = Font((bundled("RobotoCondensed-Bold.ttf"), *own), chance.choice((3, 13, 40)))
        for text in ("日本語", "H日 1"):
            try:
                assert font.run(text).mask.shape[0] < 24 * 40
            except MissingGlyph as missing:
                assert str(missing)  # noqa: PT017


def test_a_monstrous_glyph_is_not_drawn(tmp_path: Path) -> None:
    """A font may say that its em is tiny, so that every letter fills all memory."""
    path = write_font(tmp_path / "a.ttf")
    data = bytearray(path.read_bytes())
    at = data.index(b"head")
    head = int.from_bytes(data[at + 8 : at + 12])
    data[head + 18 : head + 20] = (16).to_bytes(2)  # unitsPerEm
    file = FontFile("a.ttf", lambda: bytes(data))
    font = Font((bundled("RobotoCondensed-Bold.ttf"), file), 40)
    with pytest.raises(MissingGlyph, match="larger than any letter"):
        font.run("日")
