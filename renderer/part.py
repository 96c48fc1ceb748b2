"""An element bound to its box on a panel: what is painted, for which product, over what."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from esl.domain.errors import RenderRefused
from esl.domain.face import Face
from esl.domain.panel import Ink
from renderer.canvas import Box, area_of, fill
from renderer.codes.place import PlacedCode
from renderer.draw.codes import BarcodePainter, QrPainter
from renderer.draw.painter import Notes, Painter, Reader
from renderer.draw.shapes import FixedPainter
from renderer.draw.text import TextPainter
from renderer.layout.arrange import QUARTER, Leaf, name_of
from renderer.packing import Canvas


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """One leaf of an arrangement, ready to paint faces: what each label would ask is kept."""

    leaf: Leaf
    content: Box  # on the panel, inside the padding
    ground: Ink | None  # painted over the whole box first
    painter: Painter | None  # paints a view of `content`
    code: QrPainter | BarcodePainter | None  # or paints on the panel
    _area: tuple[slice, slice] = field(init=False)  # of the content
    _turns: int = field(init=False)  # quarters
    _product: int = field(init=False)

    def __post_init__(self) -> None:
        """Look up once what painting asks."""
        object.__setattr__(self, "_area", area_of(self.content))
        object.__setattr__(self, "_turns", self.leaf.turn // QUARTER)
        object.__setattr__(self, "_product", self.leaf.node.product)

    @property
    def stable(self) -> bool:
        """Say whether it prints nothing but what belongs to the product."""
        owner = self.code or self.painter
        return owner is None or owner.stable

    @property
    def fixed(self) -> bool:
        """Say whether it is the same for every face, whatever its language."""
        return self.code is None and (
            self.painter is None or isinstance(self.painter, FixedPainter)
        )

    def reads(self) -> tuple[Reader, ...]:
        """Return readers of everything it prints, from the face of the whole label."""
        owner = self.code or self.painter
        if owner is None:
            return ()
        return tuple(_of_product(read, self.leaf.node.product) for read in owner.reads)

    def measure_height(self, face: Face) -> int:
        """Measure how tall a text's box has to be for its lines, padding included, in pixels.

        Raises:
            RenderRefused: The text does not fit the box it has.
        """
        box, content, painter = self.leaf.box, self.content, self.painter
        turned = self._turns % 2
        if not isinstance(painter, TextPainter):
            return box.width if turned else box.height
        padding = box.width - content.width if turned else box.height - content.height
        try:
            return padding + painter.measure_height(self._said(face))
        except RenderRefused as exc:
            raise type(exc)(f"{name_of(self.leaf.node)}: {exc}") from exc

    def without_ground(self) -> "Part":
        """Return the same part without what it paints behind itself."""
        return replace(self, ground=None)

    def paint(self, canvas: Canvas, face: Face, notes: Notes = None) -> PlacedCode | None:
        """Paint its product's part of a label's face.

        Raises:
            RenderRefused: It cannot be shown truthfully; names the element.
        """
        if self.ground is not None:
            fill(canvas, self.leaf.box, self.ground)
        said = self._said(face) if self._product else face
        painter = self.painter
        try:
            if painter is not None:
                view = canvas[self._area]  # the content's box
                painter.paint(np.rot90(view, self._turns) if self._turns else view, said, notes)
            elif self.code is not None:
                return self.code.paint(canvas, said, notes)
        except RenderRefused as exc:
            raise type(exc)(f"{name_of(self.leaf.node)}: {exc}") from exc
        return None

    def _said(self, face: Face) -> Face:
        """Return the face of its product on a label with several."""
        return face.others[self._product - 1] if self._product else face


def _of_product(read: Callable[[Face], object], product: int) -> Reader:
    if product == 0:
        return read
    return lambda face: read(face.others[product - 1])
