"""The product's name, in up to two lines."""

from esl.domain.panel import Ink
from renderer.canvas import stamp
from renderer.fonts import Fonts
from renderer.packing import Canvas
from renderer.standard import Layout
from renderer.text import clean, fit_lines


def full_name(name: str, brand: str | None) -> str:
    """Join brand and name, unless the name already says the brand; cleaned for print."""
    name = clean(name)
    brand = clean(brand or "")
    if brand and brand.casefold() not in name.casefold():
        return f"{brand} {name}"
    return name


def draw_name(canvas: Canvas, layout: Layout, fonts: Fonts, text: str) -> None:
    """Draw a cleaned name, as large as its box allows, in the middle of the box's height.

    Raises:
        NameDoesNotFit: Nothing of the first word fits.
        MissingGlyph: The font lacks a character.
    """
    box, sizes = layout.name, layout.sizes
    fitted = fit_lines(
        text,
        fonts.bold,
        width_px=box.width,
        height_px=box.height,
        max_px=sizes.name_max,
        min_px=sizes.name_min,
    )
    font = fitted.font
    inked = font.cap_px + (len(fitted.lines) - 1) * fitted.line_px
    baseline = box.top + (box.height - inked) // 2 + font.cap_px
    for i, line in enumerate(fitted.lines):
        stamp(
            canvas,
            font.run(line),
            left=box.left,
            baseline=baseline + i * fitted.line_px,
            ink=Ink.BLACK,
        )
