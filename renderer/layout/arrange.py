"""Boxes for everything that is shown, in pixels of the panel.

    tree + answers to its conditions ──▶ leaves in drawing order, each with its box

A leaf's box and turn are absolute. A turned element lays out what it holds in its own upright
frame, whose width is the box's height at 90 and 270 degrees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from esl.domain.errors import LayoutDoesNotFit
from esl.domain.panel import Panel
from renderer.canvas import Box
from renderer.layout.lengths import in_px, inside, share_out
from renderer.layout.tree import Node, Tree
from renderer.template.models import (
    Barcode,
    Column,
    Grid,
    Price,
    Qr,
    Rect,
    Row,
    Stack,
    Text,
)

QUARTER, HALF, FULL = 90, 180, 360


@dataclass(frozen=True, slots=True)
class Surrounding:
    """What is around an element: an upright system of coordinates inside the panel."""

    outer: Box  # on the panel
    turn: int

    @property
    def size(self) -> tuple[int, int]:
        """Its width and height, upright."""
        if self.turn % HALF:
            return self.outer.height, self.outer.width
        return self.outer.width, self.outer.height

    def on_panel(self, box: Box) -> Box:
        """Say where on the panel a box of this frame lies."""
        outer = self.outer
        match self.turn:
            case 90:
                return Box(outer.right - box.bottom, outer.top + box.left, box.height, box.width)
            case 180:
                return Box(
                    outer.right - box.right, outer.bottom - box.bottom, box.width, box.height
                )
            case 270:
                return Box(outer.left + box.top, outer.bottom - box.right, box.height, box.width)
            case _:
                return Box(outer.left + box.left, outer.top + box.top, box.width, box.height)


@dataclass(frozen=True, slots=True)
class Leaf:
    """An element with its place; groups appear only for the area they fill."""

    node: Node
    box: Box  # on the panel
    turn: int  # degrees clockwise, all turns around it added up

    def on_panel(self, box: Box) -> Box:
        """Say where on the panel a box of the leaf's own upright frame lies."""
        return Surrounding(self.box, self.turn).on_panel(box)


@dataclass(frozen=True, slots=True)
class Placed:
    """What `arrange` found."""

    leaves: tuple[Leaf, ...]  # in drawing order
    giving: tuple[Leaf, ...]  # texts of columns that give away the height they do not need


def arrange(
    tree: Tree, answers: Sequence[bool], panel: Panel, needed: Mapping[Node, int] | None = None
) -> Placed:
    """Give every element that is shown its box.

    ``needed`` is the height in pixels that giving texts really need, once that is known.

    Raises:
        LayoutDoesNotFit: Children of a row or column need more than it has, or a box lies
            outside the panel or is empty.
    """
    arranger = Arranger(panel, answers, needed or {})
    arranger.place_all(tree)
    return Placed(tuple(arranger.leaves), tuple(arranger.giving))


class Arranger:
    """Places the elements of one label, and keeps their leaves."""

    def __init__(self, panel: Panel, answers: Sequence[bool], needed: Mapping[Node, int]) -> None:
        self.panel = panel
        self.answers = answers
        self.needed = needed
        self.leaves: list[Leaf] = []
        self.giving: list[Leaf] = []

    def place_all(self, tree: Tree) -> None:
        """Place everything that is shown.

        Raises:
            LayoutDoesNotFit: As `arrange` does.
        """
        panel = self.panel
        whole = Surrounding(Box(0, 0, panel.width_px, panel.height_px), 0)
        for node in tree.nodes:
            if self.shows(node):
                self.place(node, self.own_box(node, whole), whole)

    def shows(self, node: Node) -> bool:
        """Say whether a node is shown: a group only if anything in it is."""
        if not all(self.answers[i] for i in node.conditions):
            return False
        return not node.children or any(self.shows(child) for child in node.children)

    def own_box(self, node: Node, frame: Surrounding) -> Box:
        """Resolve an element's ``box``; without one it fills what is around it."""
        width, height = frame.size
        if node.element.box is None:
            return Box(0, 0, width, height)
        left, top, w, h = (
            in_px(length, whole, self.panel)
            for length, whole in zip(node.element.box, (width, height, width, height), strict=True)
        )
        return Box(left, top, w, h)

    def place(self, node: Node, box: Box, frame: Surrounding) -> None:
        """Note a node's leaf, and place what is in it."""
        width, height = frame.size
        if box.right > width or box.bottom > height or not (box.width and box.height):
            raise LayoutDoesNotFit(
                f"{name_of(node)} has a box of {box.width}x{box.height} px at {box.left}, "
                f"{box.top}, and around it are {width}x{height} px on {self.panel.panel_id}"
            )
        element = node.element
        turn = (frame.turn + element.rotate) % FULL
        outer = frame.on_panel(box)
        if not node.children:
            self.leaves.append(Leaf(node, outer, turn))
            return
        if element.fill is not None:
            self.leaves.append(Leaf(node, outer, turn))
        own = Surrounding(outer, turn)
        content = inside(Box(0, 0, *own.size), element.pad, self.panel)
        inner = Surrounding(own.on_panel(content), turn)
        match element:
            case Row() | Column():
                self._place_line(node, element, inner)
            case Grid():
                self._place_grid(node, element, inner)
            case Stack():
                for child in node.children:
                    if self.shows(child):
                        self.place(child, self.own_box(child, inner), inner)

    def _place_line(self, node: Node, group: Row | Column, frame: Surrounding) -> None:
        children = [child for child in node.children if self.shows(child)]
        width, height = frame.size
        across = isinstance(group, Row)
        whole = width if across else height
        gap = in_px(group.gap, whole, self.panel)
        given = [c.element.width if across else c.element.height for c in children]
        fixed = [
            None if length is None or c.element.grow else in_px(length, whole, self.panel)
            for c, length in zip(children, given, strict=True)
        ]
        if not across:
            fixed = [
                length if length is None else min(length, self.needed.get(c, length))
                for c, length in zip(children, fixed, strict=True)
            ]
        lengths = share_out(fixed, [c.element.grow or 1 for c in children], whole, gap)
        if lengths is None:
            needed = sum(x or 0 for x in fixed) + gap * (len(fixed) - 1)
            raise LayoutDoesNotFit(
                f"what {name_of(node)} holds needs {needed} px and it has {whole} px on "
                f"{self.panel.panel_id}"
            )
        at = 0
        for child, length in zip(children, lengths, strict=True):
            box = Box(at, 0, length, height) if across else Box(0, at, width, length)
            self.place(child, box, frame)
            if not across and isinstance(child.element, Text) and child.element.give:
                self.giving.append(self.leaves[-1])
            at += length + gap

    def _place_grid(self, node: Node, grid: Grid, frame: Surrounding) -> None:
        width, height = frame.size
        gap = in_px(grid.gap, min(width, height), self.panel)
        widths = share_out([None] * grid.columns, [1] * grid.columns, width, gap)
        heights = share_out([None] * grid.rows, [1] * grid.rows, height, gap)
        if widths is None or heights is None:
            raise LayoutDoesNotFit(f"{name_of(node)} has gaps wider than itself")
        if grid.rule is not None:
            self._place_rules(node, grid, frame, widths, heights, gap)
        for child in node.children:
            if not self.shows(child):
                continue
            row, column = divmod(child.cell or 0, grid.columns)
            cell = Box(
                sum(widths[:column]) + gap * column,
                sum(heights[:row]) + gap * row,
                widths[column],
                heights[row],
            )
            inner = Surrounding(frame.on_panel(cell), frame.turn)
            self.place(child, self.own_box(child, inner), inner)

    def _place_rules(
        self,
        node: Node,
        grid: Grid,
        frame: Surrounding,
        widths: list[int],
        heights: list[int],
        gap: int,
    ) -> None:
        """Put a line of one pixel into the middle of each gap."""
        width, height = frame.size
        boxes = [
            Box(sum(widths[:i]) + gap * (i - 1) + gap // 2, 0, 1, height)
            for i in range(1, grid.columns)
        ] + [
            Box(0, sum(heights[:i]) + gap * (i - 1) + gap // 2, width, 1)
            for i in range(1, grid.rows)
        ]
        rule = Rect.model_validate({"type": "rect", "fill": grid.rule})
        for box in boxes:
            line = Node(path=node.path, element=rule, product=0, conditions=())
            self.leaves.append(Leaf(line, frame.on_panel(box), frame.turn))


def name_of(node: Node) -> str:
    """Name an element in a message: by its id, what it prints, or its kind and place."""
    element = node.element
    if element.id:
        return f"{element.type} {element.id!r}"
    match element:
        case Text(value=value) | Price(value=value) | Qr(value=value) | Barcode(value=value):
            return f"{element.type} '{value}'"
        case _:
            return f"{element.type} at {node.path}"
