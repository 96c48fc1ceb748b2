"""An uploaded picture in the inks of a panel.

    RGBA ─▶ scaled by area ─▶ colours as good as an ink stay that ink ─▶ grey or coloured?
                                                                          │        │
                                             black and white dots ◀───────┘        └──▶ all inks

The inks are what was measured on the panel, stretched so that its black and white are those of
the picture: paper that measures (173, 178, 174) is white to an eye on the label, and must not
look to the ditherer like a white that cannot be reached.

Grey never becomes a colour: a shadow with red and yellow specks is the mark of a bad label (field
notes, open-source 3.2). And a colour that is nearly an ink becomes that ink, because a logo's
plain red should not be dotted with yellow for being brighter than red ink can be.

What dithers is fixed in the picture when it is uploaded (`renderer.pictures.picture`): the same
picture, size and panel give the same pixels on every machine.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from esl.domain.errors import PictureNotDrawn
from esl.domain.panel import Ink, Panel
from renderer.packing import Canvas
from renderer.pictures.ditherers import Pixels, Rgb, brightness_and_hue, diffuse
from renderer.pictures.picture import Picture
from renderer.pictures.resample import fit_inside, scale_picture
from renderer.pictures.shapes import Mask

PICTURES_KEPT = 64
"""Bound of the cache of `InkedPictures`: 5 MB if each fills a 2.9" label, 1 MB each at 10.85"."""

_GREY_WITHIN = 20
"""A pixel is grey if red and blue are within this of green (field notes, open-source 3.2)."""

_INK_WITHIN = 3 * 40 * 40
"""Squared distance within which a colour is as good as an ink: 40 levels of each channel."""

_NO_COLOUR = [Ink.BLACK, Ink.WHITE]

_PLAIN: dict[Ink, Rgb] = {
    Ink.BLACK: (0, 0, 0),
    Ink.WHITE: (255, 255, 255),
    Ink.YELLOW: (255, 220, 0),
    Ink.RED: (230, 0, 20),
}
"""What a designer means by the colour of an ink: between the pure one and common signal tones."""


class InkedPictures:
    """Pictures in inks, as labels need them again and again.

    Cache: the last `PICTURES_KEPT` by picture (its digest), size, panel and way.
    """

    def __init__(self) -> None:
        self._inked = lru_cache(maxsize=PICTURES_KEPT)(_dither_shared)

    def find(
        self, picture: Picture, width_px: int, height_px: int, panel: Panel, *, dither: bool
    ) -> tuple[Canvas, Mask]:
        """Return what `dither_picture` does; the arrays are shared and cannot be written.

        Raises:
            PictureNotDrawn: The picture's ditherer is not installed on this machine.
        """
        return self._inked(picture, width_px, height_px, panel, dither)


def _dither_shared(
    picture: Picture,
    width_px: int,
    height_px: int,
    panel: Panel,
    dither: bool,  # noqa: FBT001  a part of the cache's key
) -> tuple[Canvas, Mask]:
    inks, opaque = dither_picture(picture, width_px, height_px, panel, dither=dither)
    inks.flags.writeable = opaque.flags.writeable = False
    return inks, opaque


def dither_picture(
    picture: Picture, width_px: int, height_px: int, panel: Panel, *, dither: bool
) -> tuple[Canvas, Mask]:
    """Turn a picture into inks, as large as a box allows in its own shape.

    Returns:
        The inks, and where the picture covers what lies below it, both of shape (height, width)
        of the scaled picture, at most that of the box.

    Raises:
        ValueError: The box has no area.
        PictureNotDrawn: The picture's ditherer is not installed on this machine.
    """
    if width_px < 1 or height_px < 1:
        raise ValueError(f"a picture needs a box with an area, not {width_px}x{height_px} px")
    size = fit_inside((picture.width_px, picture.height_px), (width_px, height_px))
    levels, opaque = scale_picture(picture.rgba(), *size)
    inks = sorted(set(panel.inks) | {Ink.BLACK, Ink.WHITE})
    colours = _stretch([panel.ink_rgb[ink] for ink in inks])
    levels = np.where(opaque[:, :, np.newaxis], levels, 255).astype(np.uint8)
    levels = _settle(levels, inks, colours)
    grey = _choose(_without_colour(levels), colours[:2], picture, dither=dither)
    coloured = grey if inks == _NO_COLOUR else _choose(levels, colours, picture, dither=dither)
    chosen = np.where(_is_grey(levels), grey, coloured)
    return np.array(inks, np.uint8)[chosen], opaque


def _stretch(colours: list[Rgb]) -> list[Rgb]:
    """Stretch inks, black and white first, so that these two are 0 and 255 in each channel."""
    black, white = colours[:2]

    def stretch(rgb: Rgb) -> Rgb:
        red, green, blue = (
            min(max(round(255 * (level - low) / max(high - low, 1)), 0), 255)
            for level, low, high in zip(rgb, black, white, strict=True)
        )
        return red, green, blue

    return [stretch(rgb) for rgb in colours]


def _settle(levels: Pixels, inks: list[Ink], colours: list[Rgb]) -> Pixels:
    """Replace colours that a designer would call an ink by what that ink looks like."""
    settled = levels.copy()
    for ink, colour in zip(inks, colours, strict=True):
        settled[_distances(levels, _PLAIN[ink]) <= _INK_WITHIN] = colour
    return settled


def _is_grey(levels: Pixels) -> Mask:
    red, green, blue = (levels[:, :, channel].astype(np.int16) for channel in range(3))
    grey: Mask = (abs(red - green) < _GREY_WITHIN) & (abs(blue - green) < _GREY_WITHIN)
    return grey


def _without_colour(levels: Pixels) -> Pixels:
    """Replace every pixel by the grey of its brightness (ITU-R BT.601, in thousandths)."""
    grey: NDArray[np.int64] = (levels @ np.array([299, 587, 114]) + 500) // 1000
    return np.repeat(grey[:, :, np.newaxis].astype(np.uint8), 3, axis=2)


def _choose(pixels: Pixels, colours: list[Rgb], picture: Picture, *, dither: bool) -> Pixels:
    """Return the index of an ink for each pixel."""
    if dither:
        try:
            return diffuse(pixels, colours, picture.ditherer)
        except PictureNotDrawn as exc:
            raise PictureNotDrawn(f"picture {picture.name!r}: {exc}") from exc
    seen = brightness_and_hue(pixels)
    inks = brightness_and_hue(np.array(colours, np.uint8))
    distances = np.stack([_distances(seen, ink) for ink in inks])
    nearest: Pixels = np.argmin(distances, axis=0).astype(np.uint8)
    return nearest


def _distances(pixels: Pixels, colour: Rgb | Pixels) -> NDArray[np.int64]:
    """Square the differences from a colour and add them up over the channels."""
    apart = pixels.astype(np.int64) - np.asarray(colour, np.int64)
    distances: NDArray[np.int64] = (apart * apart).sum(axis=2)
    return distances
