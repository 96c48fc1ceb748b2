"""Small lines of numbers over time, drawn by the server as SVG: no script, no library."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH_PX: Final = 240
HEIGHT_PX: Final = 48
_MARGIN_PX: Final = 3
_POINTS_MOST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line to draw: SVG's points, and the numbers at its ends."""

    points: str
    first: int
    last: int
    lowest: int
    highest: int
    width_px: int = WIDTH_PX
    height_px: int = HEIGHT_PX


def line_of(numbers: Sequence[int], *, least_span: int) -> Line | None:
    """Lay a line through numbers of equal distance; None for none.

    A line of numbers that differ by less than ``least_span`` is as flat as that makes it: noise
    is not drawn as a mountain.
    """
    if not numbers:
        return None
    lowest, highest = min(numbers), max(numbers)
    span = max(highest - lowest, least_span, 1)
    bottom = (lowest + highest - span) / 2
    step = max(1, -(-len(numbers) // _POINTS_MOST))
    kept = [*numbers[:-1:step], numbers[-1]]
    wide = WIDTH_PX - 2 * _MARGIN_PX
    high = HEIGHT_PX - 2 * _MARGIN_PX
    between = wide / max(1, len(kept) - 1)
    points = " ".join(
        f"{_MARGIN_PX + n * between:.1f},{_MARGIN_PX + high * (1 - (one - bottom) / span):.1f}"
        for n, one in enumerate(kept)
    )
    return Line(points=points, first=numbers[0], last=numbers[-1], lowest=lowest, highest=highest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar to draw, in SVG's units from the upper left, and the number that it stands for."""

    left: float
    top: float
    width: float
    height: float
    number: int


def bars_of(numbers: Sequence[int]) -> list[Bar]:
    """Lay a bar for each number, side by side; the highest fills the height, 0 is a hair."""
    highest = max([*numbers, 1])
    each = (WIDTH_PX - 2 * _MARGIN_PX) / max(1, len(numbers))
    high = HEIGHT_PX - 2 * _MARGIN_PX
    return [
        Bar(
            left=round(_MARGIN_PX + place * each, 1),
            top=round(_MARGIN_PX + high - max(1.0, high * number / highest), 1),
            width=round(max(1.0, each - 1.5), 1),
            height=round(max(1.0, high * number / highest), 1),
            number=number,
        )
        for place, number in enumerate(numbers)
    ]
