"""One label drawn for whoever designs templates: the picture, its boxes, and what is wrong.

The command line and the HTTP door both ask for it here.
"""

from dataclasses import dataclass
from typing import Any

from esl.domain.face import Face
from esl.domain.panel import Panel
from renderer.codes.read_back import check_codes, decode_codes
from renderer.drawing import Drawing, DrawnPart
from renderer.frame import Frame
from renderer.lint.finding import Finding
from renderer.lint.lint import lint_face, lint_template
from renderer.preview_marks import picture_of
from renderer.render import Renderer
from renderer.template.template import Template, find_line


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a picture is shown."""

    scale: int = 1
    boxes: bool = False
    grid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedLabel:
    """A label's picture with everything known about it."""

    frame: Frame
    drawing: Drawing
    png: bytes


def render_label(
    renderer: Renderer, template: Template, panel: Panel, face: Face, view: View
) -> RenderedLabel:
    """Draw a label, read its codes back and make its picture.

    Raises:
        RenderRefused: The face cannot be shown truthfully, or a code cannot be read.
    """
    frame = renderer.render(face, panel, template)
    check_codes(frame.pixels, panel, frame.codes)
    decode_codes(frame.pixels, panel, frame.codes)
    drawing = renderer.draw(face, panel, template)
    png = picture_of(drawing, scale=view.scale, boxes=view.boxes, grid=view.grid)
    return RenderedLabel(frame=frame, drawing=drawing, png=png)


def lint_label(
    renderer: Renderer, template: Template, panel: Panel, face: Face | None
) -> tuple[Finding, ...]:
    """Check a template on a panel with a face, or with its own sample and worst case."""
    if face is None:
        return lint_template(renderer, template, [panel])
    return lint_face(renderer, template, panel, face)


def part_view(part: DrawnPart, template: Template) -> dict[str, Any]:
    """Describe where an element came to stand, for editors that show it."""
    path = f"/{part.path}"
    return {
        "pointer": path,
        "line": find_line(template.lines, path),
        "type": part.element.type,
        "id": part.element.id,
        "product": part.product,
        "box": [part.box.left, part.box.top, part.box.width, part.box.height],
        "ink_box": None
        if part.ink_box is None
        else [part.ink_box.left, part.ink_box.top, part.ink_box.width, part.ink_box.height],
        "texts": list(part.texts),
        "font_px": part.font_px,
        "cut": part.cut,
    }
