"""Accepting uploaded pictures; the one place of the renderer that starts a process.

    bytes ─▶ decode_worker (own process, limited) ─▶ plain pixels ─▶ our PNG ─▶ Picture

It runs when somebody uploads a picture and never while a label is drawn: drawing starts from a
`Picture`, and stays pure.
"""

import re
import subprocess
import sys

import numpy as np

from esl.domain.errors import InvalidInput
from renderer.pictures.decode_worker import SIZE, Verdict
from renderer.pictures.ditherers import find_ditherer
from renderer.pictures.picture import Ditherer, Picture, Rgba
from renderer.pictures.upload_limits import (
    DECODING_LONGEST_S,
    FILE_LIMIT_BYTES,
    PIXEL_LIMIT,
    SIDE_LIMIT_PX,
)

__all__ = ["Ditherer", "Picture", "accept_picture"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SAVE_AS = "save it as PNG, JPEG, WebP, GIF or BMP and send that file"

_REFUSALS = {
    Verdict.NOT_A_PICTURE: ("the file is not a picture of a kind that labels can use", _SAVE_AS),
    Verdict.TOO_MANY_PIXELS: (
        f"the picture has more than {PIXEL_LIMIT:,} pixels",
        f"scale it down; more than {SIDE_LIMIT_PX} pixels wide or high are never used",
    ),
    Verdict.MOVING: ("the picture moves, and a label cannot", "save one frame of it as PNG"),
}


def accept_picture(data: bytes, name: str) -> Picture:
    """Decode an uploaded picture in a process of its own and keep its bare pixels.

    Metadata goes, the colour profile is applied, a camera's rotation too, transparency stays.
    The picture is dithered by epaper-dithering if that is installed here, else by Pillow, and
    stays so (see `renderer.pictures.picture`).

    Raises:
        InvalidInput: The name is no name (path ``/name``), or the file is too large, not a
            picture, damaged, moving, or takes too much memory or time (path ``""``).
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput.at(
            "/name",
            "a picture's name has 1 to 63 small letters, digits and hyphens",
            fix="name it like the file, for example shop-logo",
        )
    if not data:
        raise InvalidInput.at("", "the file is empty", fix="send the picture's bytes")
    if len(data) > FILE_LIMIT_BYTES:
        raise InvalidInput.at(
            "",
            f"the file has {len(data):,} bytes; at most {FILE_LIMIT_BYTES:,} are accepted",
            fix=f"scale it down to {SIDE_LIMIT_PX} pixels, or save it as JPEG",
        )
    return Picture.of(name, decode_apart(data), find_ditherer())


def decode_apart(data: bytes) -> Rgba:
    """Decode a picture in a process of its own: red, green, blue and cover of each pixel.

    Its longer side has `SIDE_LIMIT_PX` at most; larger ones are scaled down.

    Raises:
        InvalidInput: Not a picture, damaged, moving, or takes too much memory or time.
    """
    try:
        # -I: no path, user site or PYTHON* variable of this process reaches the child.
        child = subprocess.run(
            [sys.executable, "-I", "-m", "renderer.pictures.decode_worker"],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=DECODING_LONGEST_S,
            check=False,
            env={},
        )
    except subprocess.TimeoutExpired:
        raise InvalidInput.at(
            "", "the picture takes too long to decode", fix="scale it down and send it again"
        ) from None
    if child.returncode in list(Verdict):
        detail, fix = _REFUSALS[Verdict(child.returncode)]
        raise InvalidInput.at("", detail, fix=fix)
    pixels = child.stdout[SIZE.size :]
    if child.returncode == 0 and len(child.stdout) > SIZE.size:
        width_px, height_px = SIZE.unpack(child.stdout[: SIZE.size])
        if max(width_px, height_px) <= SIDE_LIMIT_PX and len(pixels) == 4 * width_px * height_px:
            return np.frombuffer(pixels, np.uint8).reshape(height_px, width_px, 4)
    raise InvalidInput.at(
        "",
        "the picture is damaged, or needs more memory or time than a picture may",
        fix=f"open it in a picture program and {_SAVE_AS}",
    )
