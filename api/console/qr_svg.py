"""An address as a QR code that a page holds by itself."""

import base64
import io
from typing import Final

import qrcode
from qrcode.image.svg import SvgPathImage

_LONGEST: Final = 300


def qr_of(address: str) -> str:
    """Draw an address, of at most 300 characters, as a ``data:`` address of an SVG picture."""
    drawn = io.BytesIO()
    qrcode.make(address[:_LONGEST], image_factory=SvgPathImage, border=2).save(drawn)
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode()
