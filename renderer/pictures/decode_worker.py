"""The child process that opens foreign pictures: ``python -m renderer.pictures.decode_worker``.

    stdin   the file as uploaded
    stdout  width, height (big-endian, 4 bytes each), then RGBA bytes, row by row, sRGB, upright
    status  0, one of `Verdict`, or anything else if it fell over

Decoders of picture formats have a long record of memory faults and of small files that unpack to
gigabytes. So foreign bytes are only ever touched here, under limits set before the first of them
is read, and only plain pixels come back: no file format crosses into the controller.
"""

import resource
import struct
import sys
import warnings
from enum import IntEnum
from io import BytesIO

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from renderer.pictures.upload_limits import (
    DECODING_BYTES,
    DECODING_CPU_S,
    FILE_LIMIT_BYTES,
    PIXEL_LIMIT,
    SIDE_LIMIT_PX,
)

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_STILL_FORMATS = ("GIF", "JPEG")
"""Of a moving GIF the first frame is taken; a JPEG's further frames are the camera's previews."""

SIZE = struct.Struct(">II")


class Verdict(IntEnum):
    """Why a file was not accepted, as the exit status."""

    NOT_A_PICTURE = 10
    TOO_MANY_PIXELS = 11
    MOVING = 12


class Refused(Exception):
    """The file is what it seems, and not acceptable."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(verdict.name)


def limit_this_process() -> None:
    """Bound memory and processor time for the rest of this process; no files, no core dumps."""
    for limit, most in (
        (resource.RLIMIT_AS, DECODING_BYTES),
        (resource.RLIMIT_CPU, DECODING_CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def decode(data: bytes) -> Image.Image:
    """Open a file as an upright RGBA picture in sRGB, scaled to the largest side that is kept.

    Raises:
        Refused: It is not a picture of a known format, has too many pixels, or moves.
        OSError, ValueError, SyntaxError, MemoryError: It is damaged.
    """
    try:
        image = Image.open(BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(Verdict.TOO_MANY_PIXELS) from None
    except UnidentifiedImageError:
        raise Refused(Verdict.NOT_A_PICTURE) from None
    if image.width * image.height > PIXEL_LIMIT:
        raise Refused(Verdict.TOO_MANY_PIXELS)
    if getattr(image, "is_animated", False) and image.format not in _STILL_FORMATS:
        raise Refused(Verdict.MOVING)
    image.load()
    upright = ImageOps.exif_transpose(image)
    upright = _in_srgb(upright)
    upright.thumbnail((SIDE_LIMIT_PX, SIDE_LIMIT_PX), Image.Resampling.LANCZOS)
    return upright


def _in_srgb(image: Image.Image) -> Image.Image:
    """Convert to RGBA; a profile that cannot be used is left out, as browsers do."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):  # 16 bits a channel: `convert` would cut, not scale
        image = image.point(lambda level: level * (1 / 257)).convert("L")
    if profile and image.mode in {"RGB", "RGBA", "L", "CMYK"}:
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        try:
            converted = ImageCms.profileToProfile(
                image.convert("RGB") if alpha is not None else image,
                ImageCms.ImageCmsProfile(BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            image = converted
            if alpha is not None:
                image.putalpha(alpha)
    return image.convert("RGBA")


def main() -> int:
    """Decode what stands on stdin; return the exit status."""
    limit_this_process()
    Image.MAX_IMAGE_PIXELS = PIXEL_LIMIT
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        picture = decode(sys.stdin.buffer.read(FILE_LIMIT_BYTES + 1))
    except Refused as refusal:
        return refusal.verdict
    sys.stdout.buffer.write(SIZE.pack(*picture.size) + picture.tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
