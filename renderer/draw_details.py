"""The line below the price: net content and unit price."""

from esl.domain.errors import PriceDoesNotFit
from esl.domain.panel import Ink
from renderer.canvas import stamp
from renderer.fonts import Fonts
from renderer.packing import Canvas
from renderer.standard import Layout


def draw_details(
    canvas: Canvas, layout: Layout, fonts: Fonts, *, net_content: str, unit_price: str
) -> None:
    """Draw net content and unit price on one line; if only one fits, the unit price.

    Raises:
        PriceDoesNotFit: The unit price, which the law asks for, does not fit.
        MissingGlyph: The font lacks a character.
    """
    box, sizes = layout.details, layout.sizes
    both = " · ".join(filter(None, (net_content, unit_price)))
    for text in (both, unit_price):
        for size in range(sizes.details_max, sizes.details_min - 1, -1):
            font = fonts.regular(size)
            if font.width_px(text) <= box.width:
                run = font.run(text)
                stamp(canvas, run, left=box.left, baseline=box.bottom, ink=Ink.BLACK)
                return
    raise PriceDoesNotFit(f"the unit price is wider than {box.width} px at {sizes.details_min} px")
