"""Panel files are read strictly: every mistake is named, with its fix."""

import re
from pathlib import Path

import pytest

from esl.domain.errors import SetupError
from esl.domain.panel import INK_SETS, MEASURED_RGB, Encoding, Ink, RowPadding
from esl.domain.panel_file import EXAMPLE, load_panels, read_panels
from tests.panels import PANELS

LEAST = """\
[bwr-64x32-ours]
name = '1.0" ours'
inks = "bwr"
width_px = 64
height_px = 32
dpi = 100
codes = { black = 0, white = 1, red = 3 }
refresh_s = 15
"""


def test_all_models_that_are_promised_are_there() -> None:
    assert len(PANELS) >= 30
    assert {p.ink_set for p in PANELS.values()} == set(INK_SETS)
    for name in ("bwry-296x128", "bwry-250x122", "bwry-400x300", "bwry-200x200", "bwr-960x680"):
        assert name in PANELS
    assert [p.panel_id for p in PANELS.values() if p.measured] == ["bwry-800x480-397"]


def test_a_suffix_is_worn_only_where_two_models_share_inks_and_size() -> None:
    plain = [f"{p.ink_set}-{p.width_px}x{p.height_px}" for p in PANELS.values()]
    assert set(plain) <= set(PANELS)
    for panel_id, base in zip(PANELS, plain, strict=True):
        assert panel_id == base or plain.count(base) > 1


def test_every_model_says_where_its_facts_are_from() -> None:
    for panel in PANELS.values():
        assert panel.source.startswith("field notes, "), panel.panel_id
        assert re.match(r'[0-9]+\.[0-9]+" ', panel.name), panel.panel_id
        assert panel.measured or panel.ink_rgb == MEASURED_RGB


def test_a_swapped_twin_differs_in_its_codes() -> None:
    plain, twin = PANELS.named("bwry-296x128"), PANELS.named("bwry-296x128-swapped")
    assert (plain.codes, twin.codes) == ((0, 1, 2, 3), (0, 1, 3, 2))


def test_what_is_left_out_gets_the_usual_value_and_is_nominal() -> None:
    [panel] = read_panels(LEAST, "panels.toml")
    assert (panel.inks, panel.codes) == ((Ink.BLACK, Ink.WHITE, Ink.RED), (0, 1, 3))
    assert (panel.encoding, panel.row_padding) == (Encoding.PACKED, RowPadding.BYTE)
    assert (panel.turn, panel.padding, panel.slots, panel.zlib_window_bits) == (0, Ink.WHITE, 2, 12)
    assert panel.nominal == {
        "active_mm",
        "encoding",
        "padding",
        "row_padding",
        "slots",
        "turn",
        "zlib_window_bits",
    }


def test_the_example_is_a_model(tmp_path: Path) -> None:
    (tmp_path / "panels.toml").write_text(EXAMPLE)
    panels = load_panels(tmp_path / "panels.toml")
    assert set(panels) - set(PANELS) == {"bwry-296x128-mine"}
    mine = panels.named("bwry-296x128-mine")
    assert mine.codes == (0, 1, 3, 2)
    assert "refresh_s" in mine.nominal


def test_a_model_of_ours_never_replaces_a_built_in_one(tmp_path: Path) -> None:
    file = tmp_path / "panels.toml"
    file.write_text(EXAMPLE.replace("[bwry-296x128-mine]", "[bwry-296x128]"))
    with pytest.raises(SetupError, match=r"panels\.toml: \[bwry-296x128\] id: there is a built-in"):
        load_panels(file)


@pytest.mark.parametrize(
    ("found", "put", "said"),
    [
        ("[bwr-64x32-ours]", "[bwr-64x32_ours]", "id: not <inks>-<width>x<height>[-suffix]"),
        ("[bwr-64x32-ours]", "[BWR-64x32]", "write [bwr-64x32]"),
        ("[bwr-64x32-ours]", f"[bwr-64x32-{'x' * 64}]", "id: not <inks>"),
        ("[bwr-64x32-ours]", "[bw-64x32]", "id: its fields say bwr-64x32"),
        ("[bwr-64x32-ours]", "[bwr-65x32]", "id: its fields say bwr-64x32"),
        ('"bwr"', '"rgb"', "inks: not a known word; write one of bw, bwr, bwy, bwry"),
        ('"bwr"', '"bwry"', "codes: not one value for each ink; give black, white, yellow, red"),
        ("name = '1.0\" ours'", "name = ' '", "name: empty"),
        ("name = '1.0\" ours'", "name = 5", "name: no short line of text"),
        ("width_px = 64", "width_px = 64.5", "width_px: no whole number from 8 to 4096"),
        ("width_px = 64", "width_px = true", "width_px: no whole number"),
        ("width_px = 64\n", "", "width_px: missing"),
        ("dpi = 100", "dpi = 5", "dpi: no whole number from 40 to 600"),
        ("red = 3", "red = 1", "codes: not different numbers from 0 to 3"),
        ("red = 3", "red = 4", "codes: not different numbers from 0 to 3"),
        ("red = 3", 'red = "3"', "codes: not different numbers from 0 to 3"),
        ("refresh_s = 15", "refresh_s = 0", "refresh_s: no number from 0.1 to 300"),
        ("dpi = 100", "dpi = 100\nturn = 45", "turn: no quarter turn; write 0, 90, 180 or 270"),
        ("dpi = 100", "dpi = 100\nslots = 0", "slots: no whole number from 1 to 16"),
        (
            "dpi = 100",
            "dpi = 100\nzlib_window_bits = 8",
            "zlib_window_bits: no whole number from 9",
        ),
        (
            "dpi = 100",
            'dpi = 100\nencoding = "rle"',
            "encoding: not a known word; write one of packed",
        ),
        ("dpi = 100", 'dpi = 100\nrow_padding = "word"', "row_padding: not a known word"),
        (
            "dpi = 100",
            'dpi = 100\npadding = "yellow"',
            "padding: not a known word; write one of black",
        ),
        ("dpi = 100", "dpi = 100\nactive_mm = [16.3]", "active_mm: no width and height in mm"),
        (
            "dpi = 100",
            "dpi = 100\nactive_mm = [16.3, 9.9]",
            "active_mm: 32 px over 9.9 mm are 82 dpi",
        ),
        ("dpi = 100", "dpi = 100\nmeasured = true", "measured: true without ink_rgb"),
        ("dpi = 100", "dpi = 100\nmeasured = 1", "measured: neither true nor false"),
        (
            "dpi = 100",
            "dpi = 100\nink_rgb.black = [0, 0, 0]",
            "ink_rgb: not one value for each ink",
        ),
        ("dpi = 100", "dpi = 100\ncolour = 1", "colour: unknown field"),
        ("dpi = 100", 'dpi = 100\npanel_id = "x"', "panel_id: unknown field"),
        ("dpi = 100", 'dpi = 100\nnominal = ["speed"]', "nominal: not names of fields"),
        ("[bwr-64x32-ours]", "scale = 2\n[bwr-64x32-ours]", "scale: no table; write [scale]"),
    ],
)
def test_a_mistake_is_named_with_its_fix(found: str, put: str, said: str) -> None:
    assert found in LEAST
    with pytest.raises(SetupError) as refused:
        read_panels(LEAST.replace(found, put, 1), "panels.toml")
    assert str(refused.value).startswith("panels.toml: ")
    assert said in str(refused.value)
    assert "; " in str(refused.value)


def test_a_colour_out_of_range_is_named() -> None:
    colours = "ink_rgb = { black = [0, 0, 0], white = [200, 200, 200], red = [300, 0, 0] }\n"
    with pytest.raises(SetupError, match="ink_rgb: red is no colour"):
        read_panels(LEAST + colours, "panels.toml")


def test_measured_colours_are_kept() -> None:
    colours = "ink_rgb = { black = [1, 2, 3], white = [200, 201, 202], red = [90, 0, 1] }\n"
    [panel] = read_panels(LEAST + colours + "measured = true\n", "panels.toml")
    assert panel.measured
    assert panel.ink_rgb[Ink.RED] == (90, 0, 1)
    assert panel.ink_rgb[Ink.WHITE] == (200, 201, 202)


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    text = LEAST.replace("dpi = 100", "dpi = 1") + LEAST.replace("ours", "two").replace(
        "refresh_s = 15", "refresh_s = -1"
    )
    with pytest.raises(SetupError) as refused:
        read_panels(text, "panels.toml")
    assert "[bwr-64x32-ours] dpi:" in str(refused.value)
    assert "[bwr-64x32-two] refresh_s:" in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[bwr-64x32", "is not TOML"),
        (LEAST.encode() * 2, "is not TOML"),  # one model twice
        (b"\xff", "is not UTF-8 text"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "panels.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SetupError, match=said) as refused:
        load_panels(file)
    assert str(file) in str(refused.value)
