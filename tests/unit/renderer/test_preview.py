"""Previews show a frame's pixels in the colours of its inks."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from esl.domain.panel import Ink, Panel
from renderer.packing import pack, unpack
from renderer.preview import PAPER_RGB, png_bytes, screen_rgb
from tests.panels import FIRST_PANELS, PANELS

SOME = [*FIRST_PANELS.values(), *(PANELS.named(name) for name in ("bwr-296x128", "bwy-384x184"))]


@pytest.mark.parametrize("panel", SOME, ids=lambda p: p.panel_id)
@pytest.mark.parametrize("scale", [1, 3])
def test_a_preview_has_every_pixel_in_its_ink(panel: Panel, scale: int) -> None:
    size = (panel.height_px, panel.width_px)
    pixels = pack(np.random.default_rng(2).choice(np.array(panel.inks, np.uint8), size), panel)
    image = Image.open(BytesIO(png_bytes(pixels, panel, scale=scale)))
    assert image.size == (panel.width_px * scale, panel.height_px * scale)
    expected = np.array(screen_rgb(panel), np.uint8)[unpack(pixels, panel)]
    assert (np.asarray(image.convert("RGB"))[::scale, ::scale] == expected).all()


def test_paper_is_near_white_and_black_is_as_measured() -> None:
    for panel in PANELS.values():
        colours = screen_rgb(panel)
        assert colours[Ink.WHITE] == PAPER_RGB
        assert colours[Ink.BLACK] == panel.ink_rgb[Ink.BLACK]


def test_a_panel_of_other_inks_is_shown_in_them() -> None:
    panel = replace(
        PANELS.named("bwry-296x128"),
        ink_rgb=((0, 0, 0), (120, 120, 120), (60, 60, 0), (200, 0, 0)),
    )
    assert screen_rgb(panel) == ((0, 0, 0), PAPER_RGB, (120, 120, 0), (255, 0, 0))


def test_a_scale_below_one_is_refused() -> None:
    panel = next(iter(PANELS.values()))
    with pytest.raises(ValueError, match="scale 0"):
        png_bytes(b"\x55" * panel.frame_bytes, panel, scale=0)


def test_another_panels_frame_is_refused() -> None:
    panel = next(iter(PANELS.values()))
    with pytest.raises(ValueError, match="1 bytes"):
        png_bytes(b"\x55", panel)
