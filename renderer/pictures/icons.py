"""The built-in icons as masks of any size."""

from functools import lru_cache

from renderer.pictures.icon_shapes import ICON_SHAPES
from renderer.pictures.shapes import Mask, rasterise

SMALLEST_PX = 10
"""Below it no icon can be told from the next: a pixel would be 5 of the grid's 48 units."""

ICONS_KEPT = 256
"""Bound of the cache of `Icons`: every icon at eight sizes."""


class Icons:
    """Draws icons.

    Cache: the last `ICONS_KEPT` masks by name and side; 100 bytes to 40 KB each.
    """

    def __init__(self) -> None:
        self._mask = lru_cache(maxsize=ICONS_KEPT)(_draw)

    @staticmethod
    def names() -> tuple[str, ...]:
        """Return the names of all icons, sorted."""
        return tuple(sorted(ICON_SHAPES))

    def mask(self, name: str, width_px: int, height_px: int) -> Mask:
        """Draw an icon as large as a box allows; a square mask, True is ink.

        Below `SMALLEST_PX` it is drawn all the same; the checks at save find it.

        Raises:
            KeyError: There is no such icon.
            ValueError: The box has no area.
        """
        side_px = min(width_px, height_px)
        if side_px < 1:
            raise ValueError(f"an icon needs a box with an area, not {width_px}x{height_px} px")
        return self._mask(name, side_px)


def _draw(name: str, side_px: int) -> Mask:
    mask = rasterise(ICON_SHAPES[name], side_px)
    mask.flags.writeable = False  # shared by all who ask
    return mask
