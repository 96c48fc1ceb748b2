"""The pieces of a big price, set at one size.

    raised                 plain               dash
    ██  ███  29            ██   ███ ███        ██ ███ ███
     █    █   €             █     █ █ █         █ █ █ █ █   –  €
     █  ███                 █ ▗ ███ ███ €       █ ███ ███ ▗

Raised decimals need no decimal sign: their size and place say what they are. The currency and the
unit stand small on the base line, below the raised decimals or behind the price.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple

from renderer.money_text import PriceParts
from renderer.text.fonts import Font, Fonts

CENTS = 0.5
"""Size of raised decimals over size of the whole digits."""

SIGN = 0.36
"""Size of currency sign and unit; with `CENTS` leaves 0.14 of the height between the two."""

SIGN_MIN_PX = 11


class Cents(StrEnum):
    """How decimals are written."""

    RAISED = "raised"
    PLAIN = "plain"
    DASH = "dash"


class Slot(IntEnum):
    """Which text of a price a piece shows: its place among `PriceTexts`."""

    BEFORE = 0
    WHOLE = 1
    RAISED = 2
    TAIL = 3


_OF_DIGITS = (Slot.WHOLE, Slot.RAISED)
"""Slots that are high enough for any digit, whichever they show."""


class PriceTexts(NamedTuple):
    """The texts of one price, in the order of `Slot`; "" for what it has not."""

    before: str
    whole: str  # with mark and decimals where these are not raised
    raised: str
    tail: str


class Piece(NamedTuple):
    """Where one text stands in its block."""

    slot: Slot
    font: Font
    left_px: int  # from the left end of the block
    rise_px: int  # of its base line above the block's


class PriceBlock(NamedTuple):
    """A whole price at one size."""

    size_px: int
    pieces: tuple[Piece, ...]
    width_px: int
    cap_px: int  # height of the whole digits
    rise_px: int  # ink above the base line: round digits and some signs pass the digits' height
    drop_px: int  # ink below it


def texts_of(parts: PriceParts, *, cents: Cents, unit: str, symbol: bool) -> PriceTexts:
    """Divide a price among the slots of a block; ``unit`` is "" for goods not sold by weight."""
    sign = parts.symbol if symbol else ""
    before = sign if parts.symbol_left else ""
    tail = ("" if parts.symbol_left else sign) + (f"/{unit}" if unit else "")
    if not parts.fraction:
        return PriceTexts(before, parts.whole, "", tail)
    if cents is Cents.DASH and not parts.fraction.strip("0"):
        return PriceTexts(before, f"{parts.whole}{parts.mark}–", "", tail)
    if cents is Cents.PLAIN:
        return PriceTexts(before, f"{parts.whole}{parts.mark}{parts.fraction}", "", tail)
    return PriceTexts(before, parts.whole, parts.fraction, tail)


def arrange_price(fonts: Fonts, texts: PriceTexts, size_px: int) -> PriceBlock:
    """Set a price at one size, pieces relative to the left end of its base line."""
    big = fonts.bold(size_px)
    raised = fonts.bold(max(round(size_px * CENTS), 1))
    small = fonts.bold(max(round(size_px * SIGN), SIGN_MIN_PX))
    air = max(size_px // 24, 1)
    pieces = []
    x = 0
    if texts.before:
        font = raised if len(texts.before) == 1 else small
        pieces.append(Piece(Slot.BEFORE, font, 0, big.cap_px - font.cap_px))
        x = font.width_px(texts.before) + air
    pieces.append(Piece(Slot.WHOLE, big, x, 0))
    x += big.width_px(texts.whole)
    end = x
    if texts.raised:
        if texts.whole.endswith("1"):  # digits are equally wide, and a 1 has white behind it
            x -= max(big.tail_px("1") - big.tail_px("0"), 0)
        pieces.append(Piece(Slot.RAISED, raised, x + air, big.cap_px - raised.cap_px))
        end = x + air + raised.width_px(texts.raised)
    if texts.tail:
        gap = air if texts.raised else 2 * air
        pieces.append(Piece(Slot.TAIL, small, x + gap, 0))
        overhang = max(-small.tail_px(texts.tail), 0)  # Arabic signs reach behind their pen
        end = max(end, x + gap + small.width_px(texts.tail) + overhang)
    rises, drops = [], []
    for slot, font, _, rise_px in pieces:
        text = texts[slot]
        rises.append(rise_px + font.ink_ascent_px(text))
        drops.append(font.drop_px(text) - rise_px)
        if slot in _OF_DIGITS:
            rise, drop = font.digits_reach_px
            rises.append(rise_px + rise)
            drops.append(drop - rise_px)
    return PriceBlock(size_px, tuple(pieces), end, big.cap_px, max(rises), max(drops))
