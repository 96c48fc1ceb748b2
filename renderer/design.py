"""A template compiled for a panel: nothing of it is parsed or laid out again per label.

    face ──▶ answers to its conditions ──▶ arrangement (cached): boxes, painters, two layers
                                           └─▶ settled for texts that give space away (cached)

    product layer   what prints only what belongs to the product: name, codes, fixed shapes
    price layer     all the rest, and whatever lies over it

An element of the product kind that lies over one of the price kind joins the price layer, so
that painting the layers one after the other gives the same picture as painting in order.
"""

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from esl.domain.errors import LayoutDoesNotFit, RenderRefused
from esl.domain.face import Face
from esl.domain.panel import Panel
from renderer.bind import bind_leaf
from renderer.canvas import Box
from renderer.kit import Kit
from renderer.layout.arrange import arrange
from renderer.layout.handles import Handle, find_handles
from renderer.layout.tree import Node, grow_tree
from renderer.marks import design_identity
from renderer.needs import FaceNeeds
from renderer.packing import is_plain
from renderer.part import Part
from renderer.template.conditions import compile_panel_condition
from renderer.template.models import Variant
from renderer.template.template import Template

ARRANGEMENTS_KEPT = 64
"""Bound of the arrangements one design keeps: six conditions in every combination."""

SETTLED_KEPT = 256
"""Bound of the settled ones: each for a few lines of text in a few sizes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrangement:
    """Everything a face with certain answers shows, in boxes; compared by identity."""

    parts: tuple[Part, ...]  # in drawing order
    product: tuple[Part, ...]
    fixed: int  # how many of these come first and are fixed
    price: tuple[Part, ...]
    reads: tuple[Callable[[Face], object], ...]  # what decides the product layer's pixels
    answers: tuple[bool, ...]
    giving: tuple[Part, ...]  # texts that give space away; none once that is settled
    heights: tuple[int, ...] = ()  # what they need, once it is

    def key(self, face: Face) -> tuple[object, ...]:
        """Name the product layer of a face."""
        said = (self, face.locale, face.currency, *[read(face) for read in self.reads])
        if not face.others:
            return said
        return (*said, *[(other.locale, other.currency) for other in face.others])


class Design:
    """One template on one panel.

    Caches: the last `ARRANGEMENTS_KEPT` arrangements, by the answers to the conditions, and the
    last `SETTLED_KEPT` settled ones, by the arrangement and the heights that its giving texts need.
    """

    def __init__(self, template: Template, panel: Panel, kit: Kit) -> None:
        self.panel = panel
        self.plain = is_plain(panel)
        self.products = template.file.products
        self.identity = design_identity(template.digest, panel)
        self._kit = kit
        self._template = template
        index, variant = choose_variant(template, panel)
        self._needs = FaceNeeds(template.file.words, kit.money)
        self._tree = grow_tree(variant.elements, f"variants/{index}/elements", self._needs)
        self._arrangement = lru_cache(maxsize=ARRANGEMENTS_KEPT)(self._arrange)
        self._settled = lru_cache(maxsize=SETTLED_KEPT)(self._settle)

    def arrangement(self, face: Face) -> Arrangement:
        """Find where everything of a face goes, with all the space its texts may take.

        Raises:
            LayoutDoesNotFit: The boxes need more space than the panel has.
        """
        return self._arrangement(self._tree.answer(face))

    def settle(self, arrangement: Arrangement, face: Face) -> Arrangement:
        """Let texts give away what they do not need: the same for all faces of one product layer.

        Raises:
            RenderRefused: A text does not fit even with all its space.
        """
        if not arrangement.giving:
            return arrangement
        heights = [part.measure_height(face) for part in arrangement.giving]
        return self._settled(arrangement, tuple(heights))

    def settle_at(self, arrangement: Arrangement, heights: Sequence[int]) -> Arrangement:
        """Settle an arrangement by the heights that its giving texts need."""
        return self._settled(arrangement, tuple(heights))

    def handles(self, face: Face) -> tuple[Handle, ...]:
        """Find what of the layout of a face can be moved or stretched.

        Raises:
            LayoutDoesNotFit: The boxes need more space than the panel has.
        """
        arrangement = self.arrangement(face)
        needed: dict[Node, int] = {}
        try:
            for part in arrangement.giving:
                needed[part.leaf.node] = part.measure_height(face)
        except RenderRefused:  # a text that does not fit, and is not drawn, keeps all its space
            needed.clear()
        return find_handles(self._tree, arrangement.answers, self.panel, needed)

    def _settle(self, arrangement: Arrangement, heights: tuple[int, ...]) -> Arrangement:
        nodes = [part.leaf.node for part in arrangement.giving]
        return self._arrange(arrangement.answers, tuple(zip(nodes, heights, strict=True)))

    def _arrange(
        self, answers: tuple[bool, ...], needed: tuple[tuple[Node, int], ...] | None = None
    ) -> Arrangement:
        placed = arrange(self._tree, answers, self.panel, dict(needed or ()))
        bound = {
            leaf: bind_leaf(leaf, self.panel, self._kit, self._needs, self._template.pictures)
            for leaf in placed.leaves
        }
        if needed is not None:
            for given in self._arrangement(answers).giving:
                leaf = next(leaf for leaf in placed.leaves if leaf.node is given.leaf.node)
                # The painter that measured has the lines already, and stands them at the top.
                bound[leaf] = replace(bound[leaf], painter=given.painter)
        parts = tuple(bound.values())
        product: list[Part] = []
        price: list[Part] = []
        for part in parts:
            over = any(_overlap(part.leaf.box, below.leaf.box) for below in price)
            (product if part.stable and not over else price).append(part)
        stable = [part for part in parts if part.stable]
        return Arrangement(
            parts=parts,
            product=tuple(product),
            fixed=next((i for i, part in enumerate(product) if not part.fixed), len(product)),
            price=tuple(price),
            reads=tuple(dict.fromkeys(read for part in stable for read in part.reads())),
            answers=answers,
            giving=()
            if needed is not None
            else tuple(bound[leaf] for leaf in placed.giving if bound[leaf].stable),
            heights=() if needed is None else tuple(height for _, height in needed),
        )


def choose_variant(template: Template, panel: Panel) -> tuple[int, Variant]:
    """Find a template's first variant for a panel, with its place in the list.

    Raises:
        LayoutDoesNotFit: None is for this panel.
    """
    for index, variant in enumerate(template.file.variants):
        if variant.panels and not any(
            fnmatch.fnmatchcase(panel.panel_id, pattern) for pattern in variant.panels
        ):
            continue
        if variant.when is None or compile_panel_condition(variant.when).holds(panel):
            return index, variant
    raise LayoutDoesNotFit(
        f"template {template.file.name!r} has no variant for panel {panel.panel_id}"
    )


def _overlap(a: Box, b: Box) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
