"""Packing honours each panel's codes, turn and padding, and loses nothing."""

import hashlib
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.ids import PanelId
from esl.domain.panel import PANELS, Ink, Panel
from renderer.frame import Frame
from renderer.packing import expand, pack, squeeze, unpack

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


@pytest.mark.parametrize("panel", ALL_PANELS, ids=lambda panel: panel.panel_id)
@pytest.mark.parametrize("codes", [(0, 1, 2, 3), (0, 1, 3, 2), (2, 3, 1, 0)])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_unpacking_undoes_packing(
    panel: Panel, codes: tuple[int, int, int, int], turn: int
) -> None:
    panel = replace(panel, codes=codes, turn=turn)
    size = (panel.height_px, panel.width_px)
    canvas = np.random.default_rng(1).integers(0, 4, size, dtype=np.uint8)
    pixels = pack(canvas, panel)
    assert len(pixels) == panel.frame_bytes
    assert (unpack(pixels, panel) == canvas).all()


@given(
    width=st.integers(1, 40),
    height=st.integers(1, 12),
    turn=st.sampled_from([0, 90, 180, 270]),
    codes=st.permutations([0, 1, 2, 3]),
    seed=st.integers(0, 2**32),
)
def test_unpacking_undoes_packing_at_any_size(
    width: int, height: int, turn: int, codes: list[int], seed: int
) -> None:
    black, white, yellow, red = codes
    panel = replace(
        TINY, width_px=width, height_px=height, turn=turn, codes=(black, white, yellow, red)
    )
    canvas = np.random.default_rng(seed).integers(0, 4, (height, width), dtype=np.uint8)
    assert (unpack(pack(canvas, panel), panel) == canvas).all()


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
