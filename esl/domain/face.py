"""What a label should say, before anyone decides how it looks.

A face holds meaning only: no pixels, no fonts, no label id. Two labels of one product in one
store have equal faces, and equal faces on one panel give equal frames.
"""

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a unit price counts (Directive 98/6/EC, Art. 2(b), and pieces)."""

    KILOGRAM = "kg"
    LITRE = "l"
    METRE = "m"
    SQUARE_METRE = "m2"
    PIECE = "piece"


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Everything a template may print for one product. Money is in minor units of ``currency``."""

    name: str
    brand: str | None = None
    price_minor: int
    currency: str
    locale: str  # decides how money is written: "hr_HR", "de_DE", …
    priced_per: Unit | None = None  # set for goods sold by weight: the price *is* the unit price
    was_minor: int | None = None  # the old price, struck through; only set if above the price
    unit_price_minor: int | None = None
    unit: Unit | None = None  # of the unit price
    net_content: str | None = None  # as printed: "0.4 kg"
    badge: str | None = None  # text of the promotion band; None is no band
    gtin: str | None = None  # 8, 12, 13 or 14 digits with a right check digit
    link: str | None = None  # address in the QR code; None draws none
    link_may_be_left_out: bool = False  # made by us, so no reason to refuse the whole label
