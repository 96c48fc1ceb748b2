"""Paper tickets: a label's own picture, printed at its own size, several on a sheet to be cut.

A ticket is the very pixels that the label should show, so all that was checked of them holds for
it too: prices, former prices, legal texts, codes. Each pixel is printed as one square; nothing is
smoothed. Below each stands, outside the cut, whose it is and when it was printed.

    sheet A4, upright, 10 mm of margin
    ┌──────────┐ ┌──────────┐
    │  ticket  │ │  ticket  │   as many as fit beside each other, in the order given
    └──────────┘ └──────────┘
    l-7 · 3/2     l-8 · 3/3
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from esl.domain.errors import MissingGlyph
from esl.domain.panel import Ink, Panel, Rgb
from renderer.packing import unpack
from renderer.text.fit import clean
from renderer.text.fonts import Fonts

PRINT_RGB: Final[dict[Ink, Rgb]] = {
    Ink.BLACK: (0, 0, 0),
    Ink.WHITE: (255, 255, 255),
    Ink.YELLOW: (255, 205, 0),
    Ink.RED: (210, 0, 0),
}
"""What a printer makes of each ink. White is the paper's own."""

_MARGIN_MM: Final = 10.0
_GAP_MM: Final = 4.0
_WORDS_MM: Final = 3.2  # height of the line below a ticket
_WORDS_PX: Final = 32  # its letters, at some 300 a inch
_WORDS_LONGEST: Final = 80
_PAGE_MM: Final = (A4[0] / mm, A4[1] / mm)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPicture:
    """A ticket to print: PNG of its pixels, size of its label's picture, words below the cut."""

    png: bytes
    width_mm: float
    height_mm: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """Where a ticket comes to lie: its page, from 0, and its upper left corner, in mm."""

    page: int
    left_mm: float
    top_mm: float
    width_mm: float
    height_mm: float


def ticket_png(pixels: bytes, panel: Panel) -> bytes:
    """Make the PNG of packed pixels in the colours of print, a pixel for each of the label."""
    image = Image.fromarray(unpack(pixels, panel))
    image.putpalette([channel for ink in sorted(Ink) for channel in PRINT_RGB[ink]])
    out = BytesIO()
    image.save(out, "PNG", bits=2)
    return out.getvalue()


def lay_out(sizes_mm: Sequence[tuple[float, float]]) -> Iterator[Laid]:
    """Lay tickets on sheets, row by row in their order; what is larger than a sheet is shrunk."""
    room_mm = _PAGE_MM[0] - 2 * _MARGIN_MM, _PAGE_MM[1] - 2 * _MARGIN_MM
    page, left, top, row = 0, 0.0, 0.0, 0.0
    for wide, high in sizes_mm:
        shrunk = min(1.0, room_mm[0] / wide, (room_mm[1] - _WORDS_MM) / high)
        width, height = wide * shrunk, high * shrunk
        if left > 0 and left + width > room_mm[0]:
            left, top, row = 0.0, top + row + _GAP_MM, 0.0
        if top > 0 and top + height + _WORDS_MM > room_mm[1]:
            page, left, top, row = page + 1, 0.0, 0.0, 0.0
        yield Laid(
            page=page,
            left_mm=_MARGIN_MM + left,
            top_mm=_MARGIN_MM + top,
            width_mm=width,
            height_mm=height,
        )
        left, row = left + width + _GAP_MM, max(row, height + _WORDS_MM)


def write_sheets(tickets: Sequence[PaperPicture], fonts: Fonts, *, title: str) -> bytes:
    """Write tickets as PDF, A4. The same tickets are the same bytes.

    Raises:
        ValueError: There is none.
    """
    if not tickets:
        raise ValueError("a sheet without tickets")
    out = BytesIO()
    pdf = Canvas(out, pagesize=A4, pageCompression=1, invariant=1)
    pdf.setTitle(title)
    pdf.setCreator("ESL controller")
    pdf.setLineWidth(0.2)
    pdf.setStrokeGray(0.6)
    page = 0
    places = lay_out([(one.width_mm, one.height_mm) for one in tickets])
    for ticket, at in zip(tickets, places, strict=True):
        if at.page != page:
            pdf.showPage()
            pdf.setLineWidth(0.2)
            pdf.setStrokeGray(0.6)
            page = at.page
        _put(pdf, at, _read(ticket.png))
        pdf.rect(
            at.left_mm * mm,
            (_PAGE_MM[1] - at.top_mm - at.height_mm) * mm,
            at.width_mm * mm,
            at.height_mm * mm,
        )
        words = _drawn_words(ticket.words, fonts)
        high = min(_WORDS_MM - 0.6, at.width_mm * words.height / words.width)
        below = Laid(
            page=page,
            left_mm=at.left_mm,
            top_mm=at.top_mm + at.height_mm + 0.4,
            width_mm=high * words.width / words.height,
            height_mm=high,
        )
        _put(pdf, below, words)
    pdf.save()
    return out.getvalue()


def _put(pdf: Canvas, at: Laid, image: Image.Image) -> None:
    pdf.drawImage(
        ImageReader(image),
        at.left_mm * mm,
        (_PAGE_MM[1] - at.top_mm - at.height_mm) * mm,
        width=at.width_mm * mm,
        height=at.height_mm * mm,
    )


def _read(png: bytes) -> Image.Image:
    with Image.open(BytesIO(png)) as image:
        return image.convert("RGB")


def _drawn_words(words: str, fonts: Fonts) -> Image.Image:
    """Draw a line of words; what no font has is left out."""
    font = fonts.regular(_WORDS_PX)
    said = clean(words)[:_WORDS_LONGEST].strip() or "-"
    try:
        paper = font.run(said, rtl=False).paper
    except MissingGlyph:
        paper = font.run("".join(c for c in said if c.isascii()).strip() or "-").paper
    return Image.fromarray(np.ascontiguousarray(paper, np.uint8) * np.uint8(255)).convert("RGB")
