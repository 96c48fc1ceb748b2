"""The renderer: a face becomes a frame for a panel, in layers.

======= ==========================================================================
design  a template compiled for a panel (cached, a handful)
product white, fixed shapes, name, codes: what changes with the product (cached, packed)
price   badge, prices, unit price: painted each time
frame   packed for the panel and named by its digest
======= ==========================================================================
"""

from dataclasses import replace
from functools import lru_cache

from esl.domain.errors import RenderRefused, TooManyProducts
from esl.domain.face import Face
from esl.domain.panel import Panel
from renderer.canvas import blank
from renderer.codes.place import CodeWriter, PlacedCode
from renderer.design import Arrangement, Design
from renderer.drawing import Drawing, trace
from renderer.frame import Frame
from renderer.kit import Kit
from renderer.layers import Layer, LayerCache
from renderer.layout.handles import Handle
from renderer.marks import heights_in, mark_of
from renderer.money_text import MoneyWriter
from renderer.packing import Canvas, expand, pack, squeeze, unpack
from renderer.pictures.dither import InkedPictures
from renderer.pictures.icons import Icons
from renderer.repaint import Ground, find_grounds, lay_grounds
from renderer.template.template import Template
from renderer.text.fonts import Fonts

PRODUCTS_KEPT = 10_240
"""Default bound of the product cache: 100 MB when full at 296x128, 310 MB at 400x300.

A shop with more products than that draws them anew at each change of all prices: the cache then
forgets each before its turn comes again.
"""

BACKDROPS_KEPT = 16
"""Bound of the backdrops: canvases, 37 KB each at 296x128 and 1.9 MB at 1600x1200."""

GROUNDS_KEPT = 256
"""Bound of the grounds kept for repainting: one a settled arrangement, a few KB each."""

DESIGNS_KEPT = 128
"""Bound of the compiled designs: twelve templates on ten panel models."""


class Renderer:
    """Draws faces; owns all fonts, tables and caches, so that two renderers share nothing.

    A renderer may be used from several threads. Making one takes a few milliseconds, and it
    learns glyphs and QR tables as it meets them: keep one per process.

    Caches: the last `DESIGNS_KEPT` designs, by template digest and panel; the last
    ``products_kept`` product layers (packed, two bits a pixel), by arrangement and by what they
    print; by arrangement `GROUNDS_KEPT` grounds, and `BACKDROPS_KEPT` backdrops, what no face
    changes; of both all are forgotten when there are more.
    """

    def __init__(self, *, fonts: Fonts | None = None, products_kept: int = PRODUCTS_KEPT) -> None:
        fonts = fonts or Fonts()
        self._kit = Kit(
            fonts=fonts,
            money=MoneyWriter(fonts.can_draw),
            codes=CodeWriter(),
            icons=Icons(),
            pictures=InkedPictures(),
        )
        self._designs = lru_cache(maxsize=DESIGNS_KEPT)(self._compile)
        self._layers = LayerCache(products_kept)
        self._known_backdrops: dict[Arrangement, Canvas] = {}
        self._known_grounds: dict[Arrangement, tuple[Ground, ...] | None] = {}

    def render(
        self, face: Face, panel: Panel, template: Template, *, marked: bool = False
    ) -> Frame:
        """Draw a face for a panel with a template; ``marked`` so that it can be repainted.

        A link that may be left out is, where its QR code would be too fine to scan, or takes the
        place of what must be shown.

        Raises:
            PriceDoesNotFit: A price would have to be cut.
            NameDoesNotFit: A text does not fit as far as its element allows.
            MissingGlyph: The fonts lack a character.
            CodeDoesNotFit: A code would fall below its module limits, or has wrong content.
            LayoutDoesNotFit: The template's boxes need more than the panel has.
            TooManyProducts: The label has more products than the template shows.
        """
        return self._choose(face, self._designs(template, panel), marked=marked)[1]

    def repaint(
        self, base: bytes, mark: bytes, face: Face, panel: Panel, template: Template
    ) -> Frame | None:
        """Draw a face over a marked picture with the same product layer: `render`, but sooner.

        The codes of ``base`` are where they were, pixel by pixel, and the frame names none. None
        if the layers differ, or only `render` can tell what becomes of this face.
        """
        design = self._designs(template, panel)
        if len(face.others) >= design.products:
            return None
        arrangement = design.arrangement(face)
        heights = heights_in(mark)
        if mark != mark_of(design.identity, _said(arrangement, arrangement.key(face)), heights):
            return None
        if len(heights) != len(arrangement.giving):
            return None
        if arrangement.giving:
            arrangement = design.settle_at(arrangement, heights)
        grounds = self._find_grounds(design, arrangement, face)
        if grounds is None:
            return None
        canvas = unpack(base, panel)
        lay_grounds(canvas, grounds)
        try:
            for part in arrangement.price:
                part.paint(canvas, face)
        except RenderRefused:
            return None
        return Frame.of(panel.panel_id, pack(canvas, panel), (), mark)

    def draw(self, face: Face, panel: Panel, template: Template) -> Drawing:
        """Draw a face as `render` does, slowly, noting what every element did.

        Raises:
            RenderRefused: As `render` does.
        """
        design = self._designs(template, panel)
        said, _ = self._choose(
            face, design, marked=False
        )  # so that both roads say and refuse the same
        return trace(design.settle(design.arrangement(said), said), said, panel)

    def handles(self, face: Face, panel: Panel, template: Template) -> tuple[Handle, ...]:
        """Find what of a layout can be moved or stretched by hand, also where it is not drawn.

        Raises:
            LayoutDoesNotFit: The template's boxes need more than the panel has.
        """
        return self._designs(template, panel).handles(face)

    def _compile(self, template: Template, panel: Panel) -> Design:
        return Design(template, panel, self._kit)

    def _choose(self, face: Face, design: Design, *, marked: bool) -> tuple[Face, Frame]:
        """Draw a face, or the same without a link that may be left out."""
        _check_products(face, design)
        try:
            return face, self._render(face, design, marked=marked)
        except RenderRefused:
            plain = _without_spare_link(face)
            if plain is None:
                raise
        return plain, self._render(plain, design, marked=False)

    def _render(self, face: Face, design: Design, *, marked: bool) -> Frame:
        panel = design.panel
        arrangement = design.arrangement(face)
        key = arrangement.key(face)
        layer = self._layers.get(key)
        grounds = None
        if layer is None:
            arrangement = design.settle(arrangement, face)
            canvas, codes = self._paint_product(arrangement, face, panel)
            if design.plain:
                grounds = self._find_grounds(design, arrangement, face)
            if grounds is None:
                self._layers.put(key, Layer(squeeze(canvas), codes, arrangement))
        else:
            arrangement = layer.arrangement
            size = panel.width_px * panel.height_px
            canvas = expand(layer.packed)[:size].reshape(panel.height_px, panel.width_px)
            lay_grounds(canvas, layer.grounds)
            codes = layer.codes
        for part in arrangement.price:
            placed = part.paint(canvas, face)
            if placed is not None:
                codes += (placed,)
        pixels = pack(canvas, panel)
        if grounds is not None:  # and so no code among the prices
            self._layers.put(key, Layer(pixels, codes, arrangement, grounds))
        mark = b""
        if marked:
            mark = mark_of(design.identity, _said(arrangement, key), arrangement.heights)
        return Frame.of(panel.panel_id, pixels, codes, mark)

    def _paint_product(
        self, arrangement: Arrangement, face: Face, panel: Panel
    ) -> tuple[Canvas, tuple[PlacedCode, ...]]:
        backdrop = self._known_backdrops.get(arrangement)
        if backdrop is None:
            backdrop = self._paint_backdrop(arrangement, face, panel)
        canvas = backdrop.copy()
        codes: list[PlacedCode] = []
        for part in arrangement.product[arrangement.fixed :]:
            placed = part.paint(canvas, face)
            if placed is not None:
                codes.append(placed)
        return canvas, tuple(codes)

    def _paint_backdrop(self, arrangement: Arrangement, face: Face, panel: Panel) -> Canvas:
        canvas = blank(panel)
        for part in arrangement.product[: arrangement.fixed]:
            part.paint(canvas, face)
        known = self._known_backdrops
        if len(known) >= BACKDROPS_KEPT:
            known.clear()
        known[arrangement] = canvas
        return canvas

    def _find_grounds(
        self, design: Design, arrangement: Arrangement, face: Face
    ) -> tuple[Ground, ...] | None:
        known = self._known_grounds
        if arrangement not in known:
            if len(known) >= GROUNDS_KEPT:
                known.clear()
            known[arrangement] = find_grounds(arrangement, face, design.panel)
        return known[arrangement]


def _said(arrangement: Arrangement, key: tuple[object, ...]) -> tuple[object, ...]:
    """Return what a product layer prints, by its cache key but without what is of this process."""
    return (arrangement.answers, *key[1:])


def _without_spare_link(face: Face) -> Face | None:
    """Return the face without a link that may be left out; None if there is none."""
    faces = (face, *face.others)
    if not any(f.link is not None and f.link_may_be_left_out for f in faces):
        return None
    first, *others = (replace(f, link=None) if f.link_may_be_left_out else f for f in faces)
    return replace(first, others=tuple(others))


def _check_products(face: Face, design: Design) -> None:
    products = 1 + len(face.others)
    if products > design.products:
        raise TooManyProducts(
            f"the label has {products} products and its template shows {design.products}"
        )
