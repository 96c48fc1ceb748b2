"""What all painters have in common: a box's view of the canvas, the face, and notes if asked.

A painter is made once for an element in a box of known size and then paints any number of faces.
What it paints lies in the box by construction: it gets a view of nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from esl.domain.face import Face
from esl.domain.panel import Ink
from renderer.packing import Canvas

Reader = Callable[[Face], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a painter put on the canvas, for the checks and the tests; the fast road makes none."""

    texts: tuple[str, ...] = ()  # in the order they are read
    font_px: int | None = None  # of the largest text
    cap_px: int | None = None  # height of its digits and capitals
    ink: Ink | None = None
    cut: bool = False  # a text was shortened


Notes = list[Note] | None


class Painter(Protocol):
    """Paints one element.

    ``reads`` are the readers of everything it prints: if it is ``stable``, equal answers give
    equal pixels.
    """

    @property
    def stable(self) -> bool:
        """Say whether it prints nothing but what belongs to the product."""
        ...

    @property
    def reads(self) -> tuple[Reader, ...]:
        """Return the readers of what it prints."""
        ...

    def paint(self, view: Canvas, face: Face, notes: Notes = None) -> None:
        """Paint a face's part into the view of its box.

        Raises:
            RenderRefused: It does not fit, or a character has no glyph.
        """
        ...
