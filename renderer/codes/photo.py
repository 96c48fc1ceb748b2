"""Codes read out of a photo, as a phone takes it where its browser cannot scan by itself."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import zxingcpp

from esl.domain.errors import InvalidInput
from renderer.pictures.images import decode_apart
from renderer.pictures.upload_limits import FILE_LIMIT_BYTES, SIDE_LIMIT_PX

CODES_MOST: Final = 20
"""More in one photo help nobody."""

_WHITE: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoCode:
    """A code in a photo: what it says, and its kind, such as ``EAN13``."""

    text: str
    symbol: str


def codes_in_photo(data: bytes) -> list[PhotoCode]:
    """Read the codes in a picture's bytes, each once, from the middle of the picture outwards.

    Raises:
        InvalidInput: Nothing, too much, no picture, a damaged one, or one that takes too long.
    """
    if not data:
        raise InvalidInput.at("", "no photo", fix="Send the bytes of a photo.")
    if len(data) > FILE_LIMIT_BYTES:
        fix = f"Scale it down to {SIDE_LIMIT_PX} pixels, or save it as JPEG."
        raise InvalidInput.at("", f"more than {FILE_LIMIT_BYTES:,} bytes", fix=fix)
    rgba = decode_apart(data)
    cover = rgba[..., 3:].astype(np.uint16)
    rgb = (rgba[..., :3] * cover + _WHITE * (_WHITE - cover)) // _WHITE
    grey = np.ascontiguousarray(rgb.mean(axis=2).astype(np.uint8))
    middle_y, middle_x = grey.shape[0] / 2, grey.shape[1] / 2
    found: dict[str, tuple[float, PhotoCode]] = {}
    for one in zxingcpp.read_barcodes(grey):
        text = one.text.strip()
        corner, other = one.position.top_left, one.position.bottom_right
        away = abs((corner.x + other.x) / 2 - middle_x) + abs((corner.y + other.y) / 2 - middle_y)
        if text and (text not in found or away < found[text][0]):
            found[text] = (away, PhotoCode(text=text, symbol=one.format.name))
    nearest = sorted(found.values(), key=lambda pair: (pair[0], pair[1].text))
    return [code for _, code in nearest[:CODES_MOST]]
