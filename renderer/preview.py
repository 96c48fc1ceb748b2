"""Pictures for people: a frame in the colours its inks really have.

The inks were measured on a 3.97" four-colour panel (EP397YR, field notes, standards C.3). White
paper measured (173, 178, 174), which on a screen beside white looks dirty, although an eye that
has adapted to the label takes it for white. So every ink is scaled per channel by what brings the
paper to (240, 241, 238): contrasts between inks stay as measured, except that black is kept as
it was, because scaling would only lighten it.
"""

from io import BytesIO

from PIL import Image

from esl.domain.panel import Panel
from renderer.canvas import enlarge
from renderer.packing import unpack

INK_RGB = (
    (10, 7, 14),  # black, as measured
    (240, 241, 238),  # white, measured (173, 178, 174)
    (239, 173, 0),  # yellow, measured (172, 128, 0)
    (118, 32, 19),  # red, measured (85, 24, 14)
)


def png_bytes(pixels: bytes, panel: Panel, *, scale: int = 1) -> bytes:
    """Make a palette PNG of packed pixels, each drawn as ``scale`` x ``scale``.

    Raises:
        ValueError: The pixels are not this panel's frame, or the scale is below 1.
    """
    if scale < 1:
        raise ValueError(f"scale {scale} is below 1")
    canvas = unpack(pixels, panel)
    image = Image.fromarray(enlarge(canvas, scale))
    image.putpalette([channel for rgb in INK_RGB for channel in rgb])
    out = BytesIO()
    image.save(out, "PNG", bits=2)
    return out.getvalue()
