"""Pictures for people: a frame in the colours its inks really have.

A panel's `ink_rgb` are as its glass reflects light. White paper measured (173, 178, 174), which on
a screen beside white looks dirty, although an eye that has adapted to the label takes it for
white. So every ink is scaled per channel by what brings the paper to (240, 241, 238): contrasts
between inks stay as measured, except that black is kept as it was, because scaling would only
lighten it. Of most panels nobody has measured the inks; `Panel.measured` says so.
"""

from io import BytesIO

from PIL import Image

from esl.domain.panel import Ink, Panel, Rgb
from renderer.canvas import enlarge
from renderer.packing import unpack

PAPER_RGB: Rgb = (240, 241, 238)
"""White paper on a screen: near white, and still not the page it stands on."""


def screen_rgb(panel: Panel) -> tuple[Rgb, ...]:
    """Return a screen's colour for each ink, indexed by `Ink`."""
    paper = panel.ink_rgb[Ink.WHITE]
    return tuple(
        rgb if ink is Ink.BLACK else _scaled(rgb, paper)
        for ink, rgb in zip(Ink, panel.ink_rgb, strict=True)
    )


def _scaled(rgb: Rgb, paper: Rgb) -> Rgb:
    red, green, blue = (
        min(255, round(channel * goal / max(white, 1)))
        for channel, goal, white in zip(rgb, PAPER_RGB, paper, strict=True)
    )
    return red, green, blue


def png_bytes(pixels: bytes, panel: Panel, *, scale: int = 1) -> bytes:
    """Make a palette PNG of packed pixels, each drawn as ``scale`` x ``scale``.

    Raises:
        ValueError: The pixels are not this panel's frame, or the scale is below 1.
    """
    if scale < 1:
        raise ValueError(f"scale {scale} is below 1")
    canvas = unpack(pixels, panel)
    image = Image.fromarray(enlarge(canvas, scale))
    image.putpalette([channel for rgb in screen_rgb(panel) for channel in rgb])
    out = BytesIO()
    image.save(out, "PNG", bits=2)
    return out.getvalue()
