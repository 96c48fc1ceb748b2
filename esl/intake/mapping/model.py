"""A mapping: what a source's columns, elements or members mean.

    document (YAML, JSON) ──parse_mapping──▶ Mapping ──read_entries──▶ Entry | RowProblem

A mapping says everything that reading needs: encoding, delimiter, decimal sign, currency. Nothing
of it is guessed from the data, because a guess that is right for a year is the one that is
believed on the day it is wrong.
"""

from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from enum import StrEnum

from esl.domain.place import PRODUCTS_MOST


class Format(StrEnum):
    """What kind of file or body a source sends."""

    CSV = "csv"
    JSON = "json"
    XML = "xml"
    XLSX = "xlsx"
    FIXED = "fixed"  # columns by position, with record types or without


class OnError(StrEnum):
    """What a value that cannot be read does to its row."""

    REJECT = "reject"  # nothing of the row is taken
    NULL = "null"  # the row is taken without this field


class Kind(StrEnum):
    """How the text of a target is read."""

    SKU = "sku"
    GTIN = "gtin"
    TEXT = "text"
    MONEY = "money"
    CONTENT = "content"
    UNIT = "unit"
    INSTANT = "instant"
    WHOLE = "whole"
    PERCENT = "percent"
    PROMOTION = "promotion"  # a kind of promotion
    LINK = "link"
    STORE = "store"
    HISTORY = "history"
    DAY = "day"  # a day of the past
    PAST = "past"  # a kind of price of the past
    TAGS = "tags"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing that a mapping may fill."""

    kind: Kind
    about: str
    on_error: OnError = OnError.NULL
    longest: int = 0  # characters of a text
    low: int = 0
    high: int = 0


_REJECTS = OnError.REJECT

TARGETS: Table[str, Target] = {
    "sku": Target(kind=Kind.SKU, about="the till's own number of the product", on_error=_REJECTS),
    "gtin": Target(kind=Kind.GTIN, about="bar code; several in one cell are taken apart"),
    "name": Target(kind=Kind.TEXT, about="name on the label", longest=200),
    "brand": Target(kind=Kind.TEXT, about="maker or brand", longest=80),
    "category": Target(kind=Kind.TEXT, about="kind of goods", longest=120),
    "origin": Target(kind=Kind.TEXT, about="origin as printed", longest=80),
    "location": Target(kind=Kind.TEXT, about="where the till believes it stands", longest=80),
    "badge": Target(kind=Kind.TEXT, about="text of the promotion band", longest=40),
    "tags": Target(
        kind=Kind.TAGS, about="the shop's own words for promotions; several with | or ; between"
    ),
    "link": Target(kind=Kind.LINK, about="https address for the QR code"),
    "price": Target(
        kind=Kind.MONEY, about="regular selling price, promotions apart", on_error=_REJECTS
    ),
    "promotion_price": Target(
        kind=Kind.MONEY, about="price of the till's own promotion", on_error=_REJECTS
    ),
    "was": Target(kind=Kind.MONEY, about="old price, struck through"),
    "unit_price": Target(kind=Kind.MONEY, about="price of one kg, l, m, m2 or piece"),
    "lowest_price_30d": Target(kind=Kind.MONEY, about="the source's own lowest of 30 days"),
    "anchor_price": Target(kind=Kind.MONEY, about="legal reference price of a fixed day"),
    "deposit": Target(kind=Kind.MONEY, about="returnable deposit; 0 is none"),
    "tax": Target(kind=Kind.PERCENT, about="tax in percent, at most one decimal"),
    "net_content": Target(kind=Kind.CONTENT, about='how much is in a pack: "400 g"', longest=200),
    "unit": Target(kind=Kind.TEXT, about="unit that helps to read net_content", longest=40),
    "priced_per": Target(
        kind=Kind.UNIT, about="goods by weight: the price is for one kg, l, m, m2 or piece"
    ),
    "stock": Target(kind=Kind.WHOLE, about="pieces in stock", low=-10_000_000, high=10_000_000),
    "valid_from": Target(
        kind=Kind.INSTANT, about="what the row says holds from then", on_error=_REJECTS
    ),
    "valid_to": Target(
        kind=Kind.INSTANT,
        about="last day, or first instant no longer: of the promotion, if the row states one",
        on_error=_REJECTS,
    ),
    "promotion_from": Target(
        kind=Kind.INSTANT, about="begin of the promotion only", on_error=_REJECTS
    ),
    "promotion_to": Target(kind=Kind.INSTANT, about="end of the promotion only", on_error=_REJECTS),
    "promotion_id": Target(
        kind=Kind.TEXT, about="the source's own id of the promotion", longest=64, on_error=_REJECTS
    ),
    "promotion_kind": Target(
        kind=Kind.PROMOTION, about="price, multibuy or member", on_error=_REJECTS
    ),
    "promotion_quantity": Target(
        kind=Kind.WHOLE,
        about="pieces that cost promotion_price together",
        low=1,
        high=1000,
        on_error=_REJECTS,
    ),
    "club": Target(
        kind=Kind.TEXT,
        about="members of it pay member_price; without that, promotion_price",
        longest=80,
        on_error=_REJECTS,
    ),
    "member_price": Target(
        kind=Kind.MONEY, about="price for members, beside promotion_price", on_error=_REJECTS
    ),
    "multibuy_price": Target(
        kind=Kind.MONEY,
        about="price of multibuy_quantity pieces together, beside promotion_price",
        on_error=_REJECTS,
    ),
    "multibuy_quantity": Target(
        kind=Kind.WHOLE,
        about="pieces that cost multibuy_price together",
        low=2,
        high=1000,
        on_error=_REJECTS,
    ),
    "store": Target(
        kind=Kind.STORE, about="the source's name of the store", longest=64, on_error=_REJECTS
    ),
    "source_seq": Target(
        kind=Kind.WHOLE,
        about="number that rises with each change of the source",
        high=2**53 - 1,
        on_error=_REJECTS,
    ),
    "source_time": Target(
        kind=Kind.INSTANT, about="when the source made the change", on_error=_REJECTS
    ),
    "history": Target(
        kind=Kind.HISTORY,
        about="day from which the row's price held; for JSON also a list of {day, price}",
        on_error=_REJECTS,
    ),
    "history_to": Target(
        kind=Kind.DAY, about="last day on which the price of history held", on_error=_REJECTS
    ),
    "history_kind": Target(kind=Kind.PAST, about="regular, promotion or member", on_error=_REJECTS),
}
"""What a mapping may fill, in the order of documents and messages."""

PAIRING_TARGETS: Table[str, Target] = {
    "label": Target(kind=Kind.TEXT, about="the label's id", longest=64, on_error=_REJECTS),
    "sku": Target(kind=Kind.SKU, about="the product it speaks for", on_error=_REJECTS),
    **{
        f"sku_{place}": Target(
            kind=Kind.SKU, about=f"its product number {place}, of several", on_error=_REJECTS
        )
        for place in range(2, PRODUCTS_MOST + 1)
    },
    "panel": Target(kind=Kind.TEXT, about="its display model", longest=40, on_error=_REJECTS),
    "gateway": Target(
        kind=Kind.TEXT, about="the gateway that reaches it", longest=64, on_error=_REJECTS
    ),
    "place": Target(kind=Kind.TEXT, about="where it hangs: aisle, shelf", longest=80),
}
"""What a mapping of pairings may fill: a file of labels from another system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Where a value stands, and what is done to its text before it is read.

    One of ``name``, ``number`` and ``start`` says where; with none of them ``default`` is the
    value of every row.
    """

    name: str | None = None  # header, element path or JMESPath
    number: int | None = None  # column, 1 is the first
    start: int | None = None  # character of the line, 1 is the first
    length: int | None = None
    strip: str | None = None  # characters taken off both ends, beside blanks
    default: str | None = None  # for an absent or empty value
    map: Table[str, str | None] = field(default_factory=dict)  # "*" is every other value
    on_error: OnError | None = None  # None takes the target's own
    clears: bool = False  # empty clears; else empty keeps what is known
    format: str | None = None  # of dates: "%d.%m.%Y %H:%M"

    @property
    def is_constant(self) -> bool:
        """Say whether no place of the file is read for it."""
        return self.name is None and self.number is None and self.start is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A sum in the trailer: of the minor units that ``of`` has in the item records."""

    value: Value
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Lines of several types, one of which holds the products.

    Where ``trailer`` is said, a file without one is taken as cut off, and nothing is applied.
    """

    type: Value
    item: str
    header: str | None = None
    trailer: str | None = None
    count: Value | None = None  # in the trailer: how many item records there are
    total: Total | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """What one source sends, completely said."""

    name: str
    format: Format
    version: int = 1  # of the form of mappings, not of this mapping
    encoding: str | None = None  # None: UTF-8; of XML, what it says of itself
    delimiter: str = ","
    quote: str | None = '"'  # None: quotes are plain characters
    decimal: str = "."
    thousands: str | None = None
    items: str | None = None
    sheet: str | None = None  # None is the first
    header_row: int | None = 1  # None: no header, columns by letter or number
    short_rows: bool = False  # lines may lack cells at their end
    currency: str | None = None  # None is the store's
    minor_units: bool = False
    records: Records | None = None
    store_from: str | None = None  # pattern of file names, with a group named "store"
    fields: Table[str, Value]
