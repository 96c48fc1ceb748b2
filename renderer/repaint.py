"""New prices on a picture that hangs already: what belongs to the product is not drawn again.

A picture whose product layer is *marked* (`renderer.marks`) as that of a new face differs from the
new picture in the boxes of the price layer alone. So the ground of these boxes is laid over it, and
the price layer is painted as always::

    picture that hangs ──▶ grounds of the price boxes ──▶ price layer ──▶ new picture

That is what the layer cache does, too: whoever has the picture of a label, as deltas need it, needs
no layer in memory. Not for arrangements in which price and product share
pixels, other than fixed shapes below a price, or in which the price layer has a code.
"""

from dataclasses import dataclass

from esl.domain.face import Face
from esl.domain.panel import Panel
from renderer.canvas import area_of, blank
from renderer.design import Arrangement
from renderer.packing import Canvas
from renderer.part import Part


@dataclass(frozen=True, slots=True)
class Ground:
    """What lies below one box of the price layer."""

    area: tuple[slice, slice]  # of the box on a canvas
    inks: Canvas


def find_grounds(arrangement: Arrangement, face: Face, panel: Panel) -> tuple[Ground, ...] | None:
    """Find what lies below every box of the price layer; None if it cannot be painted alone."""
    said = [part for part in arrangement.product if not part.fixed]
    for part in arrangement.price:
        if part.code is not None or any(_share(part, other) for other in said):
            return None
    canvas = blank(panel)
    for part in arrangement.product:
        if part.fixed:
            part.paint(canvas, face)
    areas = [area_of(part.leaf.box) for part in arrangement.price]
    return tuple(Ground(area, canvas[area].copy()) for area in areas)


def lay_grounds(canvas: Canvas, grounds: tuple[Ground, ...]) -> None:
    """Take the price layer off a picture."""
    for ground in grounds:
        canvas[ground.area] = ground.inks


def _share(part: Part, other: Part) -> bool:
    a, b = part.leaf.box, other.leaf.box
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
