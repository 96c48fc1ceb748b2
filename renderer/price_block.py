"""The pieces of a big price, set at one size.

┌──────────┬───┬────┐
│ ██  ███  │   │ 29 │   whole digits large, cents raised to their tops,
│  █ █   █ │   │    │   sign and unit small on the base line under the cents
│  █  ███  │ , │ €  │
└──────────┴───┴────┘
"""

from dataclasses import dataclass

from renderer.fonts import Font, Fonts
from renderer.money_text import PriceParts

CENTS = 0.5
"""Size of raised decimals over size of the whole digits."""

MARK = 0.62
"""Size of the decimal sign: as large as the whole digits its tail would reach the details."""

SIGN = 0.36
"""Size of currency sign and unit; with `CENTS` leaves 0.14 of the height between the two."""

SIGN_MIN_PX = 11


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text and where it stands in its block."""

    text: str
    font: Font
    left_px: int  # from the left end of the block
    rise_px: int  # of its base line above the block's


@dataclass(frozen=True, slots=True)
class PriceBlock:
    """A whole price at one size."""

    size_px: int
    pieces: tuple[Piece, ...]
    width_px: int
    cap_px: int  # height of the whole digits
    drop_px: int  # ink below the base line
    lead_px: int  # white left of the first digit


def arrange(fonts: Fonts, parts: PriceParts, unit: str, size_px: int) -> PriceBlock:
    """Set a price at one size, pieces relative to the left end of its base line."""
    big = fonts.bold(size_px)
    raised = fonts.bold(round(size_px * CENTS))
    small = fonts.bold(max(round(size_px * SIGN), SIGN_MIN_PX))
    mark = fonts.bold(round(size_px * MARK))
    air = max(size_px // 24, 1)
    tail = ("" if parts.symbol_before else parts.symbol) + (f"/{unit}" if unit else "")
    pieces = []
    x = 0
    if parts.symbol_before:
        font = raised if len(parts.symbol) == 1 else small
        pieces.append(Piece(parts.symbol, font, 0, big.cap_px - font.cap_px))
        x = font.width_px(parts.symbol) + air
    pieces.append(Piece(parts.whole, big, x, 0))
    x += big.width_px(parts.whole)
    end = x
    if parts.fraction:
        pieces.append(Piece(parts.fraction, raised, x + air, big.cap_px - raised.cap_px))
        end = x + air + raised.width_px(parts.fraction)
        pieces.append(Piece(parts.mark, mark, x, 0))
        x += mark.width_px(parts.mark)
    if tail:
        pieces.append(Piece(tail, small, x + air, 0))
        end = max(end, x + air + small.width_px(tail))
    drop = max(piece.font.drop_px(piece.text) for piece in pieces)
    lead = pieces[0].font.lead_px(pieces[0].text)
    return PriceBlock(size_px, tuple(pieces), end, big.cap_px, drop, lead)
