"""Pictures that must not change unseen: compare with the committed one, or take the new one.

After a wanted change run the test with ``ESL_UPDATE_GOLDEN=1``, and look at the new pictures.
"""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

REGENERATE = "ESL_UPDATE_GOLDEN"

Pixels = NDArray[np.uint8]


def check_picture(drawn: bytes, golden: Path) -> None:
    """Hold a PNG to the committed one; on a difference leave NAME.diff.png beside it."""
    if os.environ.get(REGENERATE) == "1":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(drawn)
    assert golden.exists(), f"there is no {golden.name}; {REGENERATE}=1 writes it"
    expected, actual = read_pixels(golden.read_bytes()), read_pixels(drawn)
    if expected.shape != actual.shape or (expected != actual).any():
        diff = golden.with_suffix(".diff.png")
        difference_picture(expected, actual).save(diff)
        pytest.fail(f"{golden.name} differs, see {diff}; {REGENERATE}=1 takes the new picture")


def read_pixels(png: bytes) -> Pixels:
    """Decode a PNG to (height, width, 3)."""
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))


def difference_picture(expected: Pixels, actual: Pixels) -> Image.Image:
    """Put both pictures and their difference in magenta one below the other."""
    panes = [expected, actual]
    if expected.shape == actual.shape:
        difference = expected // 2 + 127
        difference[(expected != actual).any(axis=2)] = (255, 0, 255)
        panes.append(difference)
    sheet = Image.new("RGB", (max(p.shape[1] for p in panes), sum(p.shape[0] for p in panes)))
    top = 0
    for pane in panes:
        sheet.paste(Image.fromarray(pane), (0, top))
        top += pane.shape[0]
    return sheet
