"""Rectangles and lines, pixel by pixel."""

import numpy as np
import pytest

from esl.domain.panel import Ink
from renderer.draw.shapes import FixedPainter, draw_line, draw_rectangle
from renderer.packing import Canvas
from tests.unit.renderer.drawings import FACE

NOTHING = 9


def painted(painter: FixedPainter, width: int, height: int) -> Canvas:
    canvas = np.full((height, width), NOTHING, np.uint8)
    painter.paint(canvas, FACE)
    return canvas


def rectangle(width: int, height: int, **style) -> Canvas:
    plain = {"fill": None, "border": None, "border_px": 0, "radius_px": 0}
    return painted(draw_rectangle(width, height, **(plain | style)), width, height)


def picture(canvas: Canvas) -> list[str]:
    letters = {Ink.BLACK: "#", Ink.RED: "r", NOTHING: "."}
    return ["".join(letters[int(pixel)] for pixel in row) for row in canvas]


def test_a_filled_rectangle_fills_its_box() -> None:
    assert (rectangle(5, 3, fill=Ink.RED) == Ink.RED).all()


def test_a_rectangle_of_nothing_paints_nothing() -> None:
    assert (rectangle(5, 3) == NOTHING).all()


def test_a_border_lies_inside_the_box_and_leaves_the_middle() -> None:
    assert picture(rectangle(6, 5, border=Ink.BLACK, border_px=2)) == [
        "######",
        "######",
        "##..##",
        "######",
        "######",
    ]


def test_a_border_wider_than_half_the_box_fills_it() -> None:
    assert (rectangle(5, 4, border=Ink.BLACK, border_px=2) == Ink.BLACK).all()


def test_a_border_runs_around_the_fill() -> None:
    assert picture(rectangle(5, 4, fill=Ink.RED, border=Ink.BLACK, border_px=1)) == [
        "#####",
        "#rrr#",
        "#rrr#",
        "#####",
    ]


def test_round_corners_are_quarters_of_a_circle() -> None:
    drawn = rectangle(12, 10, fill=Ink.BLACK, radius_px=4)
    assert picture(drawn)[:4] == ["..########..", ".##########.", "############", "############"]
    assert (drawn == drawn[::-1]).all()
    assert (drawn == drawn[:, ::-1]).all()
    area = (drawn == Ink.BLACK).sum()
    assert abs(area - (12 * 10 - (4 - np.pi) * 4**2)) < 4


def test_a_round_border_is_as_wide_everywhere() -> None:
    drawn = rectangle(40, 40, border=Ink.BLACK, border_px=3, radius_px=12) == Ink.BLACK
    diagonal = drawn[range(40), range(40)]
    assert drawn[20, :3].all()
    assert not drawn[20, 3]
    first = int(diagonal.argmax())
    along = int((~diagonal[first:]).argmax())
    assert abs(along * np.sqrt(2) - 3) < 1.5


def test_a_radius_larger_than_the_box_makes_a_pill() -> None:
    drawn = rectangle(20, 8, fill=Ink.BLACK, radius_px=99)
    assert (drawn == rectangle(20, 8, fill=Ink.BLACK, radius_px=4)).all()


@pytest.mark.parametrize(
    ("width", "height", "thickness", "rows", "columns"),
    [
        (9, 5, 1, {2}, set(range(9))),
        (9, 6, 2, {2, 3}, set(range(9))),
        (5, 9, 3, set(range(9)), {1, 2, 3}),
        (9, 2, 5, {0, 1}, set(range(9))),
    ],
)
def test_a_line_runs_along_the_longer_side_in_the_middle(
    width: int, height: int, thickness: int, rows: set[int], columns: set[int]
) -> None:
    line = draw_line(width, height, ink=Ink.RED, thickness_px=thickness, direction="along")
    found = np.argwhere(painted(line, width, height) == Ink.RED)
    assert ({int(y) for y in found[:, 0]}, {int(x) for x in found[:, 1]}) == (rows, columns)
    assert len(found) == len(rows) * len(columns)


@pytest.mark.parametrize(("width", "height"), [(30, 12), (12, 30), (20, 20)])
def test_a_falling_line_goes_from_corner_to_corner_and_a_rising_one_mirrors_it(
    width: int, height: int
) -> None:
    falling, rising = (
        painted(draw_line(width, height, ink=Ink.BLACK, thickness_px=2, direction=d), width, height)
        == Ink.BLACK
        for d in ("falling", "rising")
    )
    assert falling[0, 0]
    assert falling[-1, -1]
    assert not falling[0, -1]
    assert not falling[-1, 0]
    assert falling.any(axis=0).all()
    assert falling.any(axis=1).all()
    assert (rising == falling[:, ::-1]).all()
