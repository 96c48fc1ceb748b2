"""How inks look beside each other on the glass: luminance and contrast.

The contrast of two inks is WCAG 2's: (L1 + 0.05) / (L2 + 0.05) of their relative luminances, the
lighter over the darker, from the colours that were measured on the panel. Ideal colours would
mislead: with them red on black reads 5.3, and in truth it is 1.5 (field notes, standards C.3).

=============  ========  =====
measured BWRY  contrast
=============  ========  =====
black  white        9.3  text
white  red          6.4  text
black  yellow       5.6  text
red    yellow       3.8
yellow white        1.7  never
red    black        1.5  never
=============  ========  =====
"""

from functools import lru_cache

from esl.domain.panel import Ink, Panel

Rgb = tuple[int, int, int]


def contrast(first: Ink, second: Ink, panel: Panel) -> float:
    """Return the contrast of two inks of a panel, 1 to 21, the same in either order.

    An ink that the panel has not is looked up all the same, as its nominal colour.
    """
    return rgb_contrast(panel.ink_rgb[first], panel.ink_rgb[second])


@lru_cache(maxsize=256)
def rgb_contrast(first: Rgb, second: Rgb) -> float:
    """Return the contrast of two sRGB colours. Cache: 256 pairs, far more than inks give."""
    darker, lighter = sorted((relative_luminance(first), relative_luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def relative_luminance(rgb: Rgb) -> float:
    """Return the share of white's light that a colour reflects, 0 to 1 (WCAG 2, sRGB)."""
    red, green, blue = (_linear(channel / 255) for channel in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(level: float) -> float:
    dark = 0.04045  # IEC 61966-2-1
    return level / 12.92 if level <= dark else float(((level + 0.055) / 1.055) ** 2.4)
