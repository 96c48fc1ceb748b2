"""Scaling pictures by area, in linear light, with whole numbers.

Each new pixel is the mean of the area it covers in the old picture, weighted by alpha. Light is
averaged, not sRGB values: a fine pattern of black and white becomes the grey it looks like from
afar. Whole numbers are added in any order to the same sum, so every machine gets the same pixels;
with floats the last bit, and then a dithered pixel, would depend on the processor.
"""

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]

_FULL = 65_535


def _linear_levels() -> Whole:
    """Light of each sRGB level, 0 to 65535 (IEC 61966-2-1)."""
    level = np.arange(256) / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004
    levels: Whole = np.rint(light * _FULL).astype(np.int64)
    return levels


LIGHT_OF_LEVEL = _linear_levels()
_BETWEEN_LEVELS = (LIGHT_OF_LEVEL[:-1] + LIGHT_OF_LEVEL[1:] + 1) // 2


def fit_inside(size_px: tuple[int, int], box_px: tuple[int, int]) -> tuple[int, int]:
    """Return the largest (width, height) of a picture's shape in a box, each at least 1 px."""
    (width, height), (box_width, box_height) = size_px, box_px
    if width * box_height >= height * box_width:
        return box_width, max(1, (2 * height * box_width + width) // (2 * width))
    return max(1, (2 * width * box_height + height) // (2 * height)), box_height


def scale_picture(
    rgba: NDArray[np.uint8], width_px: int, height_px: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Scale RGBA pixels; return sRGB of shape (height, width, 3), and where half or more covers.

    Colours are those of the covering part alone: a soft edge keeps its colour and does not fade
    into a ground that nobody knows yet.
    """
    alpha = rgba[:, :, 3:].astype(np.int64)
    light = LIGHT_OF_LEVEL[rgba[:, :, :3]] * alpha
    both = np.concatenate((light, alpha), axis=2)
    sums = _sum_areas(_sum_areas(both, height_px, axis=0), width_px, axis=1)
    cover = sums[:, :, 3:]
    mean = (sums[:, :, :3] + cover // 2) // np.maximum(cover, 1)
    whole = 255 * rgba.shape[0] * rgba.shape[1]
    return levels_of_light(mean), 2 * cover[:, :, 0] >= whole


def levels_of_light(light: Whole) -> NDArray[np.uint8]:
    """Return the nearest sRGB levels, 0 to 255, of light from 0 to 65535."""
    return np.searchsorted(_BETWEEN_LEVELS, light, side="right").astype(np.uint8)


def _sum_areas(values: Whole, count: int, *, axis: int) -> Whole:
    """Sum ``count`` equal stretches of an axis, in units of 1/count of an old pixel.

    The sum up to any point is a running total plus a part of one pixel. The largest number is
    65535 · 255 · height · width · new width, 2^56 where all three are 1360.
    """
    length = values.shape[axis]
    rows = np.moveaxis(values, axis, 0)
    totals = np.zeros((length + 1, *rows.shape[1:]), np.int64)
    np.cumsum(rows, axis=0, out=totals[1:])
    ends = np.arange(count + 1, dtype=np.int64) * length
    full, part = ends // count, ends % count
    weights = part.reshape(-1, *([1] * (rows.ndim - 1)))
    upto = totals[full] * count + rows[np.minimum(full, length - 1)] * weights
    return np.moveaxis(np.diff(upto, axis=0), 0, axis)
