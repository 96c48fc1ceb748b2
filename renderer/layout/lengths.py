"""Lengths of the template language in pixels: ``12``, ``"25%"``, ``"2.4mm"``."""

from esl.domain.panel import Panel
from renderer.canvas import Box
from renderer.template.models import Length

SIDES = 4


def in_px(length: Length, whole_px: int, panel: Panel) -> int:
    """Resolve a length; ``whole_px`` is what 100 % is. A length above nothing is at least 1."""
    if isinstance(length, int):
        return length
    if length.endswith("%"):
        exact = float(length[:-1]) * whole_px / 100
    else:
        exact = float(length[:-2]) / panel.px_mm
    return max(round(exact), 1) if exact else 0


def inside(box: Box, pad: Length | tuple[Length, ...] | None, panel: Panel) -> Box:
    """Take the padding off a box: one length, (vertical, horizontal), or top, right, bottom, left.

    A padding larger than the box leaves an empty one.
    """
    if pad is None:
        return box
    given = pad if isinstance(pad, tuple) else (pad,)
    top, right, bottom, left = (
        (given * SIDES)[:SIDES]
        if len(given) != SIDES - 1
        else (
            given[0],
            given[1],
            given[2],
            given[1],
        )
    )
    left_px, right_px = (in_px(x, box.width, panel) for x in (left, right))
    top_px, bottom_px = (in_px(x, box.height, panel) for x in (top, bottom))
    return Box(
        box.left + left_px,
        box.top + top_px,
        max(box.width - left_px - right_px, 0),
        max(box.height - top_px - bottom_px, 0),
    )


def share_out(
    fixed: list[int | None], grow: list[int], whole_px: int, gap_px: int
) -> list[int] | None:
    """Divide a row's or column's length among its children; None if the fixed ones need more.

    ``fixed[i]`` is a child's length in pixels, or None for a share of what is left in the
    proportion of ``grow[i]``; the shares add up to exactly what is left.
    """
    left = whole_px - gap_px * (len(fixed) - 1) - sum(x for x in fixed if x is not None)
    if left < 0:
        return None
    shares = sum(g for x, g in zip(fixed, grow, strict=True) if x is None)
    lengths, used, taken = [], 0, 0
    for length, weight in zip(fixed, grow, strict=True):
        if length is not None:
            lengths.append(length)
            continue
        used += weight
        upto = left * used // shares
        lengths.append(upto - taken)
        taken = upto
    return lengths
