"""Marks show where elements stand, in colours no panel has, and leave the label as it is."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from renderer.preview import png_bytes
from renderer.preview_marks import GRID_PX, picture_of
from renderer.render import Renderer
from renderer.template.template import parse_template
from tests.panels import PANELS

PANEL = PANELS.named("bwry-296x128")
TEMPLATE = parse_template(
    """\
name: marks
title: Marks
sample: {name: Kruh, price: "1.29", currency: EUR}
worst_case: {name: Kruh, price: "1.29", currency: EUR}
variants:
  - elements:
      - {type: price, box: [20, 30, 200, 80]}
"""
)
BOX_RGB, INK_RGB = (30, 110, 255), (225, 0, 200)


def picture(**how: object) -> NDArray[np.uint8]:
    drawing = Renderer().draw(TEMPLATE.sample, PANEL, TEMPLATE)
    png = picture_of(drawing, **how)  # type: ignore[arg-type]
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def is_colour(pixels: NDArray[np.uint8], rgb: tuple[int, int, int]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (pixels == np.array(rgb, np.uint8)).all(axis=2)
    return found


@pytest.mark.parametrize("scale", [1, 3])
def test_without_marks_it_is_the_picture_of_the_frame(scale: int) -> None:
    frame = Renderer().render(TEMPLATE.sample, PANEL, TEMPLATE)
    plain = Image.open(io.BytesIO(png_bytes(frame.pixels, PANEL, scale=scale))).convert("RGB")
    assert np.array_equal(picture(scale=scale), np.asarray(plain))


@pytest.mark.parametrize("scale", [1, 3])
def test_a_box_is_outlined_where_it_stands(scale: int) -> None:
    marked = is_colour(picture(scale=scale, boxes=True), BOX_RGB)
    rows, columns = np.nonzero(marked)
    assert (columns.min(), rows.min()) == (20 * scale, 30 * scale)
    assert (columns.max(), rows.max()) == (220 * scale - 1, 110 * scale - 1)
    assert not marked[50 * scale, 30 * scale : 200 * scale].any()


def test_ink_is_outlined_inside_its_box() -> None:
    rows, columns = np.nonzero(is_colour(picture(scale=3, boxes=True), INK_RGB))
    assert 60 <= columns.min() < columns.max() < 660
    assert 90 <= rows.min() < rows.max() < 330


def test_the_grid_lies_under_what_is_printed() -> None:
    plain, gridded = picture(scale=2), picture(scale=2, grid=True)
    changed = (plain != gridded).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert set(rows[columns % (2 * GRID_PX) != 0] % (2 * GRID_PX)) == {0}
    white = plain[0, 0]
    assert (plain[changed] == white).all()


def test_a_scale_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="scale 0"):
        picture(scale=0)
