"""Packing honours each panel's codes, planes, turn and padding, and loses nothing.

``tests/golden/panels.json`` holds what a pattern packs to, for each model; after a new model run
``ESL_UPDATE_GOLDEN=1 pytest tests/unit/renderer/test_packing.py``.
"""

import hashlib
import json
import os
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.ids import PanelId
from esl.domain.panel import INK_SETS, Encoding, Ink, Panel, RowPadding
from renderer.frame import Frame
from renderer.packing import Canvas, expand, pack, squeeze, unpack
from tests.panels import PANELS

GOLDEN = Path(__file__).parents[2] / "golden" / "panels.json"
ALL_PANELS = list(PANELS.values())
TINY = Panel(
    panel_id=PanelId("bwry-4x1"), name="tiny", width_px=4, height_px=1, dpi=100, refresh_s=1.0
)
ONE_OF_EACH = np.array([[Ink.BLACK, Ink.WHITE, Ink.YELLOW, Ink.RED]], np.uint8)


def test_one_pixel_of_each_ink_packs_to_the_published_byte() -> None:
    assert pack(ONE_OF_EACH, TINY) == b"\x1b"


def test_swapped_red_and_yellow_codes_pack_to_the_published_byte() -> None:
    swapped = replace(TINY, codes=(0, 1, 3, 2))
    assert pack(ONE_OF_EACH, swapped) == b"\x1e"
    assert (unpack(b"\x1e", swapped) == ONE_OF_EACH).all()


@pytest.mark.parametrize(
    ("panel_id", "size", "crc"),
    [("bwry-296x128", 9472, 0x9C3A9009), ("bwry-400x300", 30000, 0x36F12D27)],
)
def test_white_panels_have_the_published_checksums(panel_id: str, size: int, crc: int) -> None:
    panel = PANELS[PanelId(panel_id)]
    white = pack(np.full((panel.height_px, panel.width_px), Ink.WHITE, np.uint8), panel)
    assert white == b"\x55" * size
    assert zlib.crc32(white) == crc


def test_a_turned_panel_begins_with_the_corner_its_scan_begins_with() -> None:
    panel = PANELS[PanelId("bwry-250x122")]
    canvas = np.full((122, 250), Ink.WHITE, np.uint8)
    canvas[121, 0] = Ink.RED  # lower left comes to the upper left by a clockwise turn
    assert pack(canvas, panel)[0] == 0b11_01_01_01


def test_rows_are_padded_with_white_because_zero_prints_black() -> None:
    panel = PANELS[PanelId("bwry-250x122")]
    pixels = pack(np.full((122, 250), Ink.BLACK, np.uint8), panel)
    row = pixels[: panel.frame_bytes // 250]
    assert len(row) == 31
    assert row[-1] == 0b00_00_01_01


@pytest.mark.parametrize(
    ("codes", "planes"),
    [
        ((1, 0, 3, 2), (0b1010, 0b0011)),  # OpenEPaperLink (open-source 3.2)
        ((2, 3, 0, 1), (0b0101, 0b1100)),  # Pricer (open-source 3.2)
    ],
)
def test_two_planes_have_the_bits_that_other_systems_use(
    codes: tuple[int, ...], planes: tuple[int, int]
) -> None:
    panel = replace(TINY, codes=codes, encoding=Encoding.PLANES)
    frame = pack(ONE_OF_EACH, panel)
    assert [byte >> 4 for byte in frame] == [*planes]
    assert (unpack(frame, panel) == ONE_OF_EACH).all()


def test_black_and_white_take_one_plane() -> None:
    panel = replace(
        TINY, inks=INK_SETS["bw"], codes=(0, 1), encoding=Encoding.PLANES, padding=Ink.BLACK
    )
    canvas = np.array([[Ink.BLACK, Ink.WHITE, Ink.WHITE, Ink.BLACK]], np.uint8)
    assert pack(canvas, panel) == b"\x60"


def test_rows_that_run_on_are_filled_up_only_at_the_end() -> None:
    panel = replace(
        TINY,
        width_px=5,
        height_px=3,
        codes=(1, 0, 3, 2),
        encoding=Encoding.PLANES,
        row_padding=RowPadding.NONE,
    )
    canvas = np.full((3, 5), Ink.WHITE, np.uint8)
    canvas[1, 0] = Ink.BLACK
    canvas[2, 4] = Ink.RED
    assert pack(canvas, panel) == bytes([0b00000100, 0, 0, 0b00000010])
    rows = replace(panel, row_padding=RowPadding.BYTE)
    assert pack(canvas, rows) == bytes([0, 0b10000000, 0, 0, 0, 0b00001000])


@pytest.mark.parametrize(
    ("panel_id", "size"),
    [  # open-source 3.1
        ("bwry-522x152", 19_836),
        ("bwry-168x168", 7_056),
        ("bwry-1024x576", 147_456),
        ("bwry-152x200", 7_600),
        ("bwry-296x128-gicisky", 9_472),
        ("bwry-792x272", 53_856),  # standards C.1
        ("bwry-250x122", 7_750),
        ("bwr-960x680", 163_200),
    ],
)
def test_frames_have_the_published_sizes(panel_id: str, size: int) -> None:
    panel = PANELS.named(panel_id)
    assert panel.frame_bytes == size
    assert len(pack(white(panel), panel)) == size


def test_the_largest_white_frame_published_has_its_checksum() -> None:
    panel = PANELS.named("bwry-800x480")
    assert zlib.crc32(pack(white(panel), panel)) == 0xCDDA2618


@pytest.mark.parametrize("panel", ALL_PANELS, ids=lambda panel: panel.panel_id)
def test_an_ink_that_a_panel_lacks_never_reaches_its_frames(panel: Panel) -> None:
    for ink in set(Ink) - set(panel.inks):
        canvas = white(panel)
        canvas[-1, -1] = ink
        with pytest.raises(ValueError, match=f"{panel.panel_id} has no {ink.name.lower()} ink"):
            pack(canvas, panel)


def test_a_frame_with_a_code_of_no_ink_is_refused() -> None:
    panel = replace(TINY, inks=INK_SETS["bwr"], codes=(0, 1, 2))
    assert (unpack(b"\x1a", panel) == [[Ink.BLACK, Ink.WHITE, Ink.RED, Ink.RED]]).all()
    with pytest.raises(ValueError, match="no ink of bwry-4x1"):
        unpack(b"\x1b", panel)


@given(panel=st.sampled_from(ALL_PANELS), seed=st.integers(0, 2**32))
def test_unpacking_undoes_packing_for_every_model(panel: Panel, seed: int) -> None:
    canvas = some_canvas(panel, seed)
    frame = pack(canvas, panel)
    assert len(frame) == panel.frame_bytes
    assert (unpack(frame, panel) == canvas).all()
    assert Frame.of(panel.panel_id, pack(canvas.copy(), panel)).digest == (
        Frame.of(panel.panel_id, frame).digest
    )


@given(
    width=st.integers(1, 40),
    height=st.integers(1, 12),
    turn=st.sampled_from([0, 90, 180, 270]),
    inks=st.sampled_from([*INK_SETS.values()]),
    codes=st.permutations([0, 1, 2, 3]),
    encoding=st.sampled_from(Encoding),
    row_padding=st.sampled_from(RowPadding),
    seed=st.integers(0, 2**32),
)
def test_unpacking_undoes_packing_at_any_size(
    inks: tuple[Ink, ...], codes: list[int], width: int, height: int, seed: int, **layout: Any
) -> None:
    panel = replace(
        TINY,
        inks=inks,
        codes=tuple(codes[: len(inks)]),
        width_px=width,
        height_px=height,
        padding=inks[seed % len(inks)],
        **layout,
    )
    canvas = some_canvas(panel, seed)
    frame = pack(canvas, panel)
    assert len(frame) == panel.frame_bytes
    assert (unpack(frame, panel) == canvas).all()


def white(panel: Panel) -> Canvas:
    return np.full((panel.height_px, panel.width_px), Ink.WHITE, np.uint8)


def some_canvas(panel: Panel, seed: int) -> Canvas:
    inks = np.array(panel.inks, np.uint8)
    return np.random.default_rng(seed).choice(inks, (panel.height_px, panel.width_px))


def pattern(panel: Panel) -> Canvas:
    """Stripes of the model's inks, one pixel wide in the first row and wider in each below."""
    inks = np.array(panel.inks, np.uint8)
    columns = np.arange(panel.width_px)
    rows = np.arange(1, panel.height_px + 1)[:, None]
    return inks[columns // rows % len(inks)]


def test_every_model_packs_the_pattern_to_its_golden_bytes() -> None:
    packed = {p.panel_id: pack(pattern(p), p) for p in ALL_PANELS}
    found = {
        panel_id: {
            "bytes": len(frame),
            "begins": frame[:8].hex(),
            "crc32": f"{zlib.crc32(frame):08x}",
        }
        for panel_id, frame in packed.items()
    }
    if os.environ.get("ESL_UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(GOLDEN.read_text())


@given(st.binary(max_size=64))
def test_squeezing_undoes_expanding(packed: bytes) -> None:
    assert squeeze(expand(packed)) == packed


def test_a_canvas_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="canvas is 4x2, bwry-4x1 is 4x1"):
        pack(np.zeros((2, 4), np.uint8), TINY)


def test_pixels_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 bytes, bwry-4x1 has 1"):
        unpack(b"\x00\x00", TINY)


def test_a_frame_is_named_by_its_pixels_alone() -> None:
    frame = Frame.of(TINY.panel_id, b"\x1b")
    other = Frame.of(PanelId("another"), b"\x1b")
    assert frame.digest == other.digest == hashlib.sha256(b"\x1b").hexdigest()
