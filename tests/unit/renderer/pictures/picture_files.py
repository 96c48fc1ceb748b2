"""Files to upload, good and bad."""

import struct
import zlib
from io import BytesIO

from PIL import Image

RED = (230, 0, 20)


def file_of(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Encode a picture."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def plain(size: tuple[int, int] = (40, 30), mode: str = "RGB") -> Image.Image:
    """Make a red picture with a white left half."""
    image = Image.new("RGB", size, RED)
    image.paste((255, 255, 255), (0, 0, size[0] // 2, size[1]))
    return image.convert(mode)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Make one chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width: int, height: int, rows: bytes) -> bytes:
    """Make a one-bit grey PNG whose header says what it likes."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows, 9))
        + png_chunk(b"IEND", b"")
    )
