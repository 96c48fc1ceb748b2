"""Previews show a frame's pixels in the colours of its inks."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from esl.domain.panel import PANELS, Panel
from renderer.packing import pack, unpack
from renderer.preview import INK_RGB, png_bytes


@pytest.mark.parametrize("panel", PANELS.values(), ids=lambda p: p.panel_id)
@pytest.mark.parametrize("scale", [1, 3])
def test_a_preview_has_every_pixel_in_its_ink(panel: Panel, scale: int) -> None:
    size = (panel.height_px, panel.width_px)
    pixels = pack(np.random.default_rng(2).integers(0, 4, size, dtype=np.uint8), panel)
    image = Image.open(BytesIO(png_bytes(pixels, panel, scale=scale)))
    assert image.size == (panel.width_px * scale, panel.height_px * scale)
    expected = np.array(INK_RGB, np.uint8)[unpack(pixels, panel)]
    assert (np.asarray(image.convert("RGB"))[::scale, ::scale] == expected).all()


def test_a_scale_below_one_is_refused() -> None:
    panel = next(iter(PANELS.values()))
    with pytest.raises(ValueError, match="scale 0"):
        png_bytes(b"\x55" * panel.frame_bytes, panel, scale=0)


def test_another_panels_frame_is_refused() -> None:
    panel = next(iter(PANELS.values()))
    with pytest.raises(ValueError, match="1 bytes"):
        png_bytes(b"\x55", panel)
