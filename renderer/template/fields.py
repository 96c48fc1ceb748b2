"""What a template can say of a face: the names its values and conditions use.

The names are those of `FACE.json`, and of the object JMESPath sees: money is an integer in minor
units there, a date its ISO text, a unit and the kind of an offer their own texts, and what a face
lacks is null. ``products`` are all products of the label, this one first.

A field is *stable* where it outlasts a price: what belongs to the product, and the badge and last
day of a promotion. What prints stable fields only stays drawn while prices change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType

from esl.domain.digital_link import digital_link
from esl.domain.face import Face, ReferenceKind, ReferencePrice
from renderer.text.fit import clean

PRODUCTS = "products"
"""The one name a condition may use that no value can print."""


class FieldKind(StrEnum):
    """What a field holds, and so which formatters can print it."""

    TEXT = "text"
    MONEY = "money"  # int, minor units of the face's currency
    COUNT = "count"  # int
    PERCENT = "percent"  # int
    DATE = "date"
    UNIT = "unit"  # esl.domain.face.Unit
    CODE = "code"  # text for machines: digits and addresses


Read = Callable[[Face], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One name over a face. ``read`` gives None where the face lacks it."""

    name: str
    kind: FieldKind
    stable: bool
    clean: bool  # printable as it is: composed, without controls
    read: Read
    about: str  # one line for the documentation


def read_title(face: Face) -> str:
    """Join brand and name, unless the name already says the brand; cleaned for print."""
    name = clean(face.name)
    brand = clean(face.brand) if face.brand else ""
    if brand and brand.casefold() not in name.casefold():
        return f"{brand} {name}" if name else brand
    return name


def _digital_link(face: Face) -> str | None:
    return digital_link(face.gtin) if face.gtin else None


def _save(face: Face) -> int | None:
    was, price = face.was_minor, face.price_minor
    return None if was is None or price is None else was - price


def _multibuy_quantity(face: Face) -> int | None:
    return face.multibuy.quantity if face.multibuy is not None else None


def _multibuy_price(face: Face) -> int | None:
    return face.multibuy.total_minor if face.multibuy is not None else None


def _multibuy_pay_for(face: Face) -> int | None:
    return face.multibuy.pay_for if face.multibuy is not None else None


def _multibuy_each(face: Face) -> int | None:
    """Divide rounding up: nobody may pay more at the till than the label says."""
    multibuy = face.multibuy
    return None if multibuy is None else -(-multibuy.total_minor // multibuy.quantity)


def _multibuy_unit_price(face: Face) -> int | None:
    return face.multibuy.unit_price_minor if face.multibuy is not None else None


def _multibuy_tenths(face: Face) -> int | None:
    return face.multibuy.unit_price_tenths if face.multibuy is not None else None


TENTHS: Mapping[str, Callable[[Face], int | None]] = MappingProxyType(
    {"unit_price": attrgetter("unit_price_tenths"), "multibuy_unit_price": _multibuy_tenths}
)
"""The prices of one unit, and what each is in tenths of the minor unit, where the law wants it."""


def _kind(face: Face) -> str:
    return face.kind.value


def _reference(face: Face, kind: ReferenceKind) -> ReferencePrice | None:
    for reference in face.reference_prices:
        if reference.kind is kind:
            return reference
    return None


def _reference_fields(kind: ReferenceKind, what: str) -> tuple[Field, Field]:
    def read_amount(face: Face) -> int | None:
        found = _reference(face, kind) if face.reference_prices else None
        return found.minor if found is not None else None

    def read_wording(face: Face) -> str | None:
        found = _reference(face, kind) if face.reference_prices else None
        return found.wording if found is not None else None

    return (
        _field(kind.value, FieldKind.MONEY, read_amount, what),
        _field(f"{kind.value}_wording", FieldKind.TEXT, read_wording, "What stands before it"),
    )


def _field(
    name: str,
    kind: FieldKind,
    read: str | Read,
    about: str,
    *,
    stable: bool = False,
    clean: bool = False,
) -> Field:
    """Make a field; ``read`` may name an attribute of `Face`."""
    reader: Read = attrgetter(read) if isinstance(read, str) else read
    return Field(name=name, kind=kind, stable=stable, clean=clean, read=reader, about=about)


_TEXT, _MONEY, _COUNT = FieldKind.TEXT, FieldKind.MONEY, FieldKind.COUNT

FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        field.name: field
        for field in (
            _field(
                "title",
                _TEXT,
                read_title,
                "Brand and name; the name alone where it says the brand already",
                stable=True,
                clean=True,
            ),
            _field("name", _TEXT, "name", "The product's name", stable=True),
            _field("brand", _TEXT, "brand", "Its brand", stable=True),
            _field("origin", _TEXT, "origin", "Where it comes from", stable=True),
            _field("category", _TEXT, "category", "The shop's own category", stable=True),
            _field("net_content", _TEXT, "net_content", 'What is in it: "400 g"', stable=True),
            _field("sku", _TEXT, "sku", "The till's number of it", stable=True),
            _field("gtin", FieldKind.CODE, "gtin", "Its GTIN", stable=True, clean=True),
            _field("link", FieldKind.CODE, "link", "Address for the QR code", stable=True),
            _field(
                "digital_link",
                FieldKind.CODE,
                _digital_link,
                "The GS1 Digital Link of its GTIN",
                stable=True,
                clean=True,
            ),
            _field(
                "priced_per",
                FieldKind.UNIT,
                "priced_per",
                "Of goods by weight: what the price is for",
                stable=True,
            ),
            _field("price", _MONEY, "price_minor", "What it costs now"),
            _field("was", _MONEY, "was_minor", "The price before, if above"),
            _field("save", _MONEY, _save, "was less price"),
            _field(
                "percent_off", FieldKind.PERCENT, "percent_off", "The reduction in %, rounded down"
            ),
            _field("unit_price", _MONEY, "unit_price_minor", "The price of one unit"),
            _field("unit", FieldKind.UNIT, "unit", "What the unit price is for", stable=True),
            _field("member_price", _MONEY, "member_price_minor", "The price for members"),
            _field(
                "member_condition",
                _TEXT,
                "member_condition",
                "Whose price that is: the name of a card or club",
                stable=True,
            ),
            _field("deposit", _MONEY, "deposit_minor", "Deposit, not part of the price"),
            _field("multibuy_quantity", _COUNT, _multibuy_quantity, "How many are bought together"),
            _field("multibuy_price", _MONEY, _multibuy_price, "What these cost together"),
            _field("multibuy_pay_for", _COUNT, _multibuy_pay_for, 'Of "3 for 2", the 2'),
            _field("multibuy_each", _MONEY, _multibuy_each, "What one costs then, rounded up"),
            _field(
                "multibuy_unit_price",
                _MONEY,
                _multibuy_unit_price,
                "The price of one unit then, for the same unit",
            ),
            *_reference_fields(ReferenceKind.LOWEST_30D, "Lowest price of the 30 days before"),
            *_reference_fields(ReferenceKind.ANCHOR, "Price on the day the law names"),
            *_reference_fields(ReferenceKind.RRP, "Price the maker recommends"),
            _field("badge", _TEXT, "badge", "Text of the promotion", stable=True),
            _field("valid_to", FieldKind.DATE, "valid_to", "Last day of the offer", stable=True),
            _field("stock", _COUNT, "stock", "Pieces in stock"),
            _field(
                "kind", _TEXT, _kind, "member, multibuy, promotion, regular or none", clean=True
            ),
            _field(
                "currency", _TEXT, "currency", "ISO 4217 code of the money", stable=True, clean=True
            ),
            _field(
                "locale", _TEXT, "locale", 'How money is written: "de_DE"', stable=True, clean=True
            ),
        )
    }
)
"""Every field by its name."""


def view_of(face: Face) -> dict[str, object]:
    """Make the object that JMESPath sees, `PRODUCTS` included."""
    products = [_product_view(product) for product in (face, *face.others)]
    return products[0] | {PRODUCTS: products}


def _product_view(face: Face) -> dict[str, object]:
    return {name: plain_value(field.read(face)) for name, field in FIELDS.items()}


def plain_value(value: object) -> object:
    """Turn what a field reads into what JSON has."""
    match value:
        case date():
            return value.isoformat()
        case StrEnum():
            return value.value
        case _:
            return value
