"""What of a layout can be moved or stretched by hand, for editors: its written lengths in pixels.

An element with a ``box`` can be moved and stretched in what is around it; a child of a row or
column that says its ``width`` or ``height`` can be stretched along it. All others are where they
are because of what is beside them.

A turned element lays out what it holds in an upright frame of its own, so a handle says where on
the panel that frame is and how it is turned: ``own`` and ``around`` are the same place, said in
the frame and on the panel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from esl.domain.panel import Panel
from renderer.canvas import Box
from renderer.layout.arrange import Arranger, Surrounding
from renderer.layout.tree import Node, Tree
from renderer.template.models import Element, Length


class Side(StrEnum):
    """A length that an element says of itself."""

    LEFT = "left"
    TOP = "top"
    WIDTH = "width"
    HEIGHT = "height"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One length as the file says it."""

    side: Side
    path: str  # "variants/0/elements/3/box/0"
    length: Length
    whole_px: int  # what 100 % of it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """An element that can be moved or stretched on one panel."""

    path: str  # "variants/0/elements/3"
    element: Element
    product: int  # which of the label's products it speaks of, from 0
    box: Box  # on the panel
    own: Box  # in the upright frame around it
    around: Box  # that frame on the panel
    turn: int  # of that frame, degrees clockwise
    written: tuple[Written, ...]


def find_handles(
    tree: Tree, answers: Sequence[bool], panel: Panel, needed: Mapping[Node, int] | None = None
) -> tuple[Handle, ...]:
    """Find what can be moved or stretched, groups before what they hold.

    Takes what `renderer.layout.arrange.arrange` takes.

    Raises:
        LayoutDoesNotFit: As that does.
    """
    finder = _Finder(panel, answers, needed or {})
    finder.place_all(tree)
    return tuple(finder.handles)


class _Finder(Arranger):
    def __init__(self, panel: Panel, answers: Sequence[bool], needed: Mapping[Node, int]) -> None:
        super().__init__(panel, answers, needed)
        self.handles: list[Handle] = []

    def place(self, node: Node, box: Box, frame: Surrounding) -> None:
        """Note a handle, if it is one, and place what is in it."""
        written = _written(node, frame)
        if written:
            self.handles.append(
                Handle(
                    path=node.path,
                    element=node.element,
                    product=node.product,
                    box=frame.on_panel(box),
                    own=box,
                    around=frame.outer,
                    turn=frame.turn,
                    written=written,
                )
            )
        super().place(node, box, frame)


def _written(node: Node, frame: Surrounding) -> tuple[Written, ...]:
    element, (width, height) = node.element, frame.size
    if element.box is not None:
        return tuple(
            Written(side=side, path=f"{node.path}/box/{index}", length=length, whole_px=whole)
            for index, (side, length, whole) in enumerate(
                zip(Side, element.box, (width, height, width, height), strict=True)
            )
        )
    return tuple(
        Written(side=side, path=f"{node.path}/{side}", length=length, whole_px=whole)
        for side, length, whole in (
            (Side.WIDTH, element.width, width),
            (Side.HEIGHT, element.height, height),
        )
        if length is not None
    )
