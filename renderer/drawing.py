"""What was drawn where: the slow road's result, for checks, previews and tests."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from esl.domain.face import Face
from esl.domain.panel import Ink, Panel
from renderer.canvas import Box, blank
from renderer.codes.place import PlacedCode
from renderer.design import Arrangement
from renderer.draw.painter import Note
from renderer.packing import Canvas
from renderer.part import Part
from renderer.template.models import Element

GROUND_SHARE = 0.03
"""Least share of an element's pixels over an ink that makes it a ground; less is a touched edge."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnPart:
    """One element as it came out."""

    path: str
    element: Element
    product: int
    box: Box
    ink_box: Box | None  # what its text, shape or code touched; None for nothing
    texts: tuple[str, ...]  # as read
    font_px: int | None  # of its largest text
    cap_px: int | None  # height of that text's digits and capitals
    small_cap_px: int | None  # height of its smallest text's
    ink: Ink | None
    mask: NDArray[np.bool_]  # the same, pixel by pixel on the whole panel
    grounds: frozenset[Ink]  # what lay under that before, its own ground included
    cut: bool
    code: PlacedCode | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawing:
    """A label's picture with everything known about it."""

    panel: Panel
    canvas: Canvas
    parts: tuple[DrawnPart, ...]

    @property
    def codes(self) -> tuple[PlacedCode, ...]:
        """Return the codes on it."""
        return tuple(part.code for part in self.parts if part.code is not None)


def trace(arrangement: Arrangement, face: Face, panel: Panel) -> Drawing:
    """Draw a face part by part and note what each did.

    Raises:
        RenderRefused: As `renderer.render.Renderer.render` does.
    """
    canvas = blank(panel)
    return Drawing(
        panel=panel,
        canvas=canvas,
        parts=tuple(_trace_part(part, canvas, face) for part in arrangement.parts),
    )


def _trace_part(part: Part, canvas: Canvas, face: Face) -> DrawnPart:
    before = canvas.copy()
    if part.ground is not None:
        box = part.leaf.box
        before[box.top : box.bottom, box.left : box.right] = part.ground
    notes: list[Note] = []
    on_black, on_white = (np.full_like(canvas, ink) for ink in (Ink.BLACK, Ink.WHITE))
    part.without_ground().paint(on_black, face)
    part.without_ground().paint(on_white, face)
    mask = on_black == on_white  # whatever was not painted still differs
    code = part.paint(canvas, face, notes)
    sizes = [note.cap_px for note in notes if note.cap_px is not None]
    return DrawnPart(
        path=part.leaf.node.path,
        element=part.leaf.node.element,
        product=part.leaf.node.product,
        box=part.leaf.box,
        ink_box=_bounds(mask),
        mask=mask,
        texts=tuple(text for note in notes for text in note.texts),
        font_px=max((n.font_px for n in notes if n.font_px is not None), default=None),
        cap_px=max(sizes, default=None),
        small_cap_px=min(sizes, default=None),
        ink=next((note.ink for note in notes), None),
        grounds=_inks_under(mask, before),
        cut=any(note.cut for note in notes),
        code=code,
    )


def _inks_under(mask: NDArray[np.bool_], before: Canvas) -> frozenset[Ink]:
    inks, counts = np.unique(before[mask], return_counts=True)
    least = GROUND_SHARE * int(mask.sum())
    return frozenset(
        Ink(int(ink)) for ink, count in zip(inks, counts, strict=True) if count >= least
    )


def _bounds(touched: NDArray[np.bool_]) -> Box | None:
    rows = np.flatnonzero(touched.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(touched.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return Box(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)
