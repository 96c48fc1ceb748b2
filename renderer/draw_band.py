"""The promotion band: white on red, the badge on the left, the percentage on the right."""

from esl.domain.panel import Ink
from renderer.canvas import Box, stamp
from renderer.fonts import Font, Fonts
from renderer.packing import Canvas
from renderer.standard import Layout
from renderer.text import clean, shorten


def draw_band(
    canvas: Canvas, layout: Layout, box: Box, fonts: Fonts, *, badge: str, percent: str
) -> None:
    """Write on the band, which is already red.

    Raises:
        NameDoesNotFit: Not even the first letters of the badge fit.
        MissingGlyph: The font lacks a character.
    """
    sizes = layout.sizes
    width = box.width - 2 * sizes.margin
    badge = clean(badge)
    font, percent = _fit(fonts, layout, badge, percent, width)
    badge = shorten(badge, font, width)
    baseline = box.top + (box.height + font.cap_px + 1) // 2
    for text, left in (
        (badge, box.left + sizes.margin),
        (percent, box.right - sizes.margin - font.width_px(percent)),
    ):
        stamp(canvas, font.short_run(text), left=left, baseline=baseline, ink=Ink.WHITE)


def _fit(fonts: Fonts, layout: Layout, badge: str, percent: str, width_px: int) -> tuple[Font, str]:
    """Find the largest font for both; a badge too long for both stands without percentage."""
    sizes = layout.sizes
    for text in (percent, ""):
        apart = 2 * sizes.gap if text else 0
        for size in range(sizes.band_max, sizes.band_min - 1, -1):
            font = fonts.bold(size)
            if font.width_px(badge) + apart + font.width_px(text) <= width_px:
                return font, text
    return fonts.bold(sizes.band_min), ""
