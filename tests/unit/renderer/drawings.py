"""Drawings of small templates, for tests of one element or group at a time."""

from dataclasses import replace
from functools import cache

import numpy as np

from esl.domain.face import Face
from esl.domain.panel import Ink, Panel
from renderer.canvas import Box
from renderer.drawing import Drawing, DrawnPart
from renderer.packing import Canvas
from renderer.render import Renderer
from renderer.template.template import Template
from tests.panels import PANELS
from tests.unit.renderer.lint.templates import template_of

RENDERER = Renderer()
PANEL = PANELS.named("bwry-296x128")  # 112 dpi: 4.41 px a millimetre
FACE = Face(name="Milk", price_minor=129, currency="EUR", locale="de_DE")


@cache
def template(*elements: str, products: int = 1) -> Template:
    """Make a template of these elements, each as YAML in one line."""
    return template_of(*elements, products=products)


def draw(*elements: str, face: Face = FACE, panel: Panel = PANEL, products: int = 1) -> Drawing:
    """Draw them, and hold the fast road to the same picture."""
    made = template(*elements, products=products)
    return RENDERER.draw(face, panel, made)


def boxes(drawing: Drawing) -> dict[str, tuple[int, int, int, int]]:
    """Return each part's (left, top, width, height) by the element's id."""
    return {part.element.id: _sides(part.box) for part in drawing.parts if part.element.id}


def part_of(drawing: Drawing, kind: str) -> DrawnPart:
    """Return the one part of a kind."""
    [part] = [part for part in drawing.parts if part.element.type == kind]
    return part


def inside(canvas: Canvas, box: Box) -> Canvas:
    """Cut a box out of a canvas."""
    return canvas[box.top : box.bottom, box.left : box.right]


def inks(canvas: Canvas) -> set[Ink]:
    """Return the inks on a canvas."""
    return {Ink(int(ink)) for ink in np.unique(canvas)}


def smaller(width_px: int, height_px: int) -> Panel:
    """Make a panel of another size."""
    return replace(
        PANEL, panel_id=f"bwry-{width_px}x{height_px}", width_px=width_px, height_px=height_px
    )


def _sides(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.width, box.height
