"""The two programs that dither, behind one call each; nothing else imports either.

Both get a picture of shape (height, width, 3) in sRGB and inks as sRGB colours, and return the
index of an ink for each pixel. In both, the share of white dots of a grey is its sRGB level (128 is
every second pixel), which is more white than its share of light: black dots on e-paper grow, and
its white is a grey (field notes, standards C.3).
"""

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from esl.domain.errors import PictureNotDrawn
from renderer.pictures.picture import Ditherer

try:
    from epaper_dithering import ColorPalette, DitherMode, dither_image
except ImportError:  # the extra `dither` is not installed
    dither_image = None  # type: ignore[assignment]

Rgb = tuple[int, int, int]
Pixels = NDArray[np.uint8]

_PALETTE_SIZE = 256


def find_ditherer() -> Ditherer:
    """Return the better ditherer that is installed; for uploads, never while drawing."""
    return Ditherer.EPAPER if find_spec("epaper_dithering") else Ditherer.PILLOW


def diffuse(pixels: Pixels, inks: Sequence[Rgb], ditherer: Ditherer) -> Pixels:
    """Dither to inks, of which the first two are black and white; shape (height, width).

    Raises:
        PictureNotDrawn: The ditherer is not installed on this machine.
    """
    match ditherer:
        case Ditherer.PILLOW:
            return _diffuse_with_pillow(pixels, inks)
        case Ditherer.EPAPER:
            return _diffuse_with_epaper(pixels, inks)


def _diffuse_with_pillow(pixels: Pixels, inks: Sequence[Rgb]) -> Pixels:
    """Floyd and Steinberg's way, left to right in each row, in brightness and hue."""
    colours = brightness_and_hue(np.array([inks], np.uint8)).tobytes()
    palette = Image.new("P", (1, 1))
    # Pillow would fill what is left of the palette itself, so it is filled with the first ink.
    palette.putpalette(colours + colours[:3] * (_PALETTE_SIZE - len(inks)))
    picture = Image.fromarray(brightness_and_hue(pixels))
    indexes = np.array(picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG))
    indexes[indexes >= len(inks)] = 0
    return indexes


def brightness_and_hue(pixels: Pixels) -> Pixels:
    """Turn sRGB into half its brightness, and blueness and redness around 128 (BT.601).

    A difference of hue so counts four times one of brightness. In red, green and blue a tomato's
    bright red is nearer to yellow ink than to red ink, which is much darker than a screen's red.
    """
    red, green, blue = (pixels[..., channel].astype(np.int64) for channel in range(3))
    brightness = (299 * red + 587 * green + 114 * blue + 500) // 1000
    parts = (
        brightness // 2,
        128 + (564 * (blue - brightness)) // 1000,
        128 + (713 * (red - brightness)) // 1000,
    )
    return np.stack(parts, axis=-1).clip(0, 255).astype(np.uint8)


def _diffuse_with_epaper(pixels: Pixels, inks: Sequence[Rgb]) -> Pixels:
    """Burkes' way, rows in turn from either side."""
    if dither_image is None:
        raise PictureNotDrawn(
            "accepted on a machine with epaper-dithering, which this one lacks; "
            "install the extra `dither` here, or upload it here again"
        )
    palette = ColorPalette(
        colors={str(index): rgb for index, rgb in enumerate(inks)}, accent=str(len(inks) - 1)
    )
    return np.asarray(dither_image(Image.fromarray(pixels), palette, mode=DitherMode.BURKES))
