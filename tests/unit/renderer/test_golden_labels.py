"""Labels look as they did when a person last looked at them.

The pictures lie in ``tests/golden/renderer``. After a wanted change run
``ESL_UPDATE_GOLDEN=1 pytest tests/unit/renderer/test_golden_labels.py``, and look at them.
"""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esl.domain.panel import PANELS, Panel
from renderer.preview import png_bytes
from renderer.render import Renderer
from tests.unit.renderer.sample_faces import FACES

GOLDEN = Path(__file__).parents[2] / "golden" / "renderer"
REGENERATE = "ESL_UPDATE_GOLDEN"
SHOWN = ("everyday", "promotion", "weighed", "high-price", "no-link")
RENDERER = Renderer()


@pytest.mark.parametrize("panel", PANELS.values(), ids=lambda p: p.panel_id)
@pytest.mark.parametrize("name", SHOWN)
def test_a_label_has_the_pixels_of_its_golden_picture(name: str, panel: Panel) -> None:
    golden = GOLDEN / f"{name}.{panel.panel_id}.png"
    drawn = png_bytes(RENDERER.render(FACES[name], panel).pixels, panel)
    if os.environ.get(REGENERATE) == "1":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(drawn)
    expected = np.asarray(Image.open(golden).convert("RGB"))
    actual = np.asarray(Image.open(BytesIO(drawn)).convert("RGB"))
    if expected.shape != actual.shape or (expected != actual).any():
        diff = golden.with_suffix(".diff.png")
        difference_picture(expected, actual).save(diff)
        pytest.fail(f"{golden.name} differs, see {diff}; {REGENERATE}=1 takes the new picture")


def difference_picture(expected: np.ndarray, actual: np.ndarray) -> Image.Image:
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
