"""An uploaded picture as it is kept: a plain PNG that we wrote ourselves.

Which program turns it into inks is written into the PNG (text chunk ``Dither``) when it is
accepted, because the two differ in single pixels: with the extra `dither` installed it is
epaper-dithering, without it Pillow. A picture so keeps its pixels when the extra comes later, and
a machine without it refuses the label instead of drawing it slightly differently from the next.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from renderer.pictures.upload_limits import SIDE_LIMIT_PX

_DITHERER_KEY = "Dither"

Rgba = NDArray[np.uint8]
"""Shape (height, width, 4): red, green, blue in sRGB and alpha, not premultiplied."""


class Ditherer(StrEnum):
    """The program that turns a picture into inks."""

    PILLOW = "pillow"
    EPAPER = "epaper-dithering"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """A picture without metadata, in sRGB, upright; equal to another if its digest is.

    ``digest`` is SHA-256 over size, ditherer and RGBA pixels, as 64 lower-case hex digits, so
    that it does not depend on how well some machine's zlib compresses.
    """

    name: str
    width_px: int
    height_px: int
    ditherer: Ditherer
    png: bytes
    digest: str

    @classmethod
    def of(cls, name: str, rgba: Rgba, ditherer: Ditherer) -> Self:
        """Encode pixels and name them by their content.

        Raises:
            ValueError: They have no area, or a side above `SIDE_LIMIT_PX`.
        """
        image = Image.fromarray(rgba)
        info = PngInfo()
        info.add_text(_DITHERER_KEY, ditherer)
        out = BytesIO()
        image.save(out, "PNG", optimize=True, pnginfo=info)
        return cls._named(name, rgba, ditherer, out.getvalue())

    @classmethod
    def stored(cls, name: str, png: bytes) -> Self:
        """Take up what ``png`` of an accepted picture was; never for bytes from outside.

        Raises:
            ValueError: These are not the bytes of an accepted picture.
        """
        try:
            image = Image.open(BytesIO(png), formats=["PNG"])
            ditherer = Ditherer(str(image.info.get(_DITHERER_KEY)))
            pixels = _pixels(image)
        except (OSError, SyntaxError) as exc:  # Pillow's words for a broken chunk
            raise ValueError(f"the stored picture {name!r} is damaged") from exc
        return cls._named(name, pixels, ditherer, png)

    @classmethod
    def _named(cls, name: str, rgba: Rgba, ditherer: Ditherer, png: bytes) -> Self:
        height_px, width_px, _ = rgba.shape
        if not (0 < width_px <= SIDE_LIMIT_PX and 0 < height_px <= SIDE_LIMIT_PX):
            raise ValueError(f"a picture of {width_px}x{height_px} px cannot be kept")
        digest = hashlib.sha256(f"{width_px}x{height_px} {ditherer}\n".encode())
        digest.update(rgba.tobytes())
        return cls(
            name=name,
            width_px=width_px,
            height_px=height_px,
            ditherer=ditherer,
            png=png,
            digest=digest.hexdigest(),
        )

    def rgba(self) -> Rgba:
        """Decode the pixels, shape (height, width, 4)."""
        return _pixels(Image.open(BytesIO(self.png), formats=["PNG"]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Picture) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def _pixels(image: Image.Image) -> Rgba:
    if image.mode != "RGBA" or max(image.size) > SIDE_LIMIT_PX:
        raise ValueError(f"a stored picture is RGBA and at most {SIDE_LIMIT_PX} px wide and high")
    return np.asarray(image)
