"""Vector shapes become pixels: filled outlines and round strokes on a grid of 48 by 48 units.

A shape is written as a short path, absolute coordinates, x right and y down:

=====  ===========================================================
M x y  begin here
L x y  straight to here
C …    a cubic curve: two control points, then the end
Z      straight back to where it began
=====  ===========================================================

A pixel belongs to a shape if its centre does, so there are no half tones. Only additions,
multiplications and comparisons of doubles are used, each rounded by IEEE 754: the same pixels on
every machine.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

GRID_UNITS = 48

_CURVE_PIECES = 12
"""Straight pieces of a curve: at 200 px an icon's longest curve leaves its true line by 0.2 px."""

_THINNEST_PX = 1.1
"""A stroke is at least this wide, so that it never breaks between two pixel centres."""

Mask = NDArray[np.bool_]
Coordinates = NDArray[np.floating]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Fill:
    """The inside of closed outlines; where two overlap is outside (even-odd)."""

    path: str
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Stroke:
    """A round line along a path, ``width`` units wide."""

    path: str
    width: float = 4
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Disc:
    """A filled circle."""

    x: float
    y: float
    radius: float
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Ring:
    """A circle drawn as a line."""

    x: float
    y: float
    radius: float  # of the middle of the line
    width: float = 4
    clear: bool = False


Shape = Fill | Stroke | Disc | Ring


def rasterise(shapes: tuple[Shape, ...], side_px: int) -> Mask:
    """Paint shapes in order, later ones over earlier ones; shape (side_px, side_px)."""
    mask = np.zeros((side_px, side_px), np.bool_)
    unit = GRID_UNITS / side_px
    along = (np.arange(side_px, dtype=np.float64) + 0.5) * unit
    x, y = along[np.newaxis, :], along[:, np.newaxis]
    for shape in shapes:
        mask[_covered(shape, x, y, unit)] = not shape.clear
    return mask


def _covered(shape: Shape, x: Coordinates, y: Coordinates, unit: float) -> Mask:
    thinnest = _THINNEST_PX * unit
    covered: Mask
    match shape:
        case Disc():
            covered = _squared(x - shape.x, y - shape.y) <= shape.radius * shape.radius
        case Ring():
            half = max(shape.width, thinnest) / 2
            distance = _squared(x - shape.x, y - shape.y)
            inner, outer = max(shape.radius - half, 0), shape.radius + half
            covered = (distance >= inner * inner) & (distance <= outer * outer)
        case Stroke():
            half = max(shape.width, thinnest) / 2
            covered = np.zeros((y.size, x.size), np.bool_)
            for line in trace(shape.path):
                for start, end in pairwise(line):
                    covered |= _near(x, y, start, end, half)
        case Fill():
            covered = np.zeros((y.size, x.size), np.bool_)
            for line in trace(shape.path):
                for start, end in zip(line, (*line[1:], line[0]), strict=True):
                    covered ^= _left_of(x, y, start, end)
    return covered


def _squared(dx: Coordinates, dy: Coordinates) -> Coordinates:
    return dx * dx + dy * dy


def _near(x: Coordinates, y: Coordinates, start: Point, end: Point, distance: float) -> Mask:
    """Say where a point is within ``distance`` of a straight line."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    length = along_x * along_x + along_y * along_y
    dx, dy = x - start[0], y - start[1]
    share = np.clip((dx * along_x + dy * along_y) / length, 0, 1) if length else 0.0 * (dx + dy)
    near: Mask = _squared(dx - share * along_x, dy - share * along_y) <= distance * distance
    return near


def _left_of(x: Coordinates, y: Coordinates, start: Point, end: Point) -> Mask:
    """Say where a ray to the right crosses an edge; an odd number of them is inside."""
    if start[1] == end[1]:
        return np.zeros((y.size, x.size), np.bool_)
    crosses = (y > start[1]) != (y > end[1])
    at = start[0] + (y - start[1]) * (end[0] - start[0]) / (end[1] - start[1])
    left: Mask = crosses & (x < at)
    return left


@lru_cache(maxsize=512)
def trace(path: str) -> tuple[tuple[Point, ...], ...]:
    """Read a path into lines of points. Cache: the last 512 paths, more than the icons have.

    Raises:
        ValueError: The path has another letter, or too few numbers.
    """
    words = iter(path.replace(",", " ").split())
    lines: list[list[Point]] = []

    def point(first: str | None = None) -> Point:
        return float(first or next(words)), float(next(words))

    for word in words:
        match word[0], word[1:] or None:
            case "M", first:
                lines.append([point(first)])
            case "L", first:
                lines[-1].append(point(first))
            case "C", first:
                lines[-1] += _curve(lines[-1][-1], point(first), point(), point())
            case "Z", _:
                lines[-1].append(lines[-1][0])
            case _:
                raise ValueError(f"{word!r} is no part of a path")
    return tuple(tuple(line) for line in lines)


def _curve(start: Point, first: Point, second: Point, end: Point) -> list[Point]:
    points: list[Point] = []
    for step in range(1, _CURVE_PIECES + 1):
        t = step / _CURVE_PIECES
        u = 1 - t
        a, b, c, d = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
        points.append(
            (
                a * start[0] + b * first[0] + c * second[0] + d * end[0],
                a * start[1] + b * first[1] + c * second[1] + d * end[1],
            )
        )
    return points
