"""Products as JSON: the body of ``PUT …/products/{sku}`` and the items of a bulk request.

A PUT replaces the product: a field left out is empty afterwards.
"""

import re
from dataclasses import dataclass
from typing import Any, TypeVar

from esl.domain.errors import InvalidInput
from esl.domain.face import Unit
from esl.domain.gtin import check_gtin
from esl.domain.ids import Sku, StoreId, check_sku
from esl.domain.money import parse_price
from esl.domain.pricing import KEEP, Keep, PriceChange
from esl.domain.product import TAGS_MOST, NetContent, Product
from esl.intake.field_parts import short_texts
from esl.intake.fields import Fields
from esl.intake.price_json import read_change, text_or_none

NAME_LONGEST = 200
ORIGIN_LONGEST = 80
STOCK_MOST = 10_000_000
LINK_LONGEST = 200
"""A QR code of version 10 at level M holds 213 bytes; a label's box rarely that."""

_CONTENT = re.compile(
    r"(?P<amount>[0-9]{1,6}(?:\.[0-9]{1,3})?) ?(?P<unit>g|kg|ml|cl|dl|l|m|m2|piece)"
)
_MILLI = {
    "g": (Unit.KILOGRAM, 1),
    "kg": (Unit.KILOGRAM, 1000),
    "ml": (Unit.LITRE, 1),
    "cl": (Unit.LITRE, 10),
    "dl": (Unit.LITRE, 100),
    "l": (Unit.LITRE, 1000),
    "m": (Unit.METRE, 1000),
    "m2": (Unit.SQUARE_METRE, 1000),
    "piece": (Unit.PIECE, 1000),
}
Value = TypeVar("Value")

_LINK = re.compile(r"[Hh][Tt][Tt][Pp][Ss]://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[\x21-\x7e]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPut:
    """A product to store, with its price where the sender sent one along.

    ``currency`` is that of the product's own amounts; None where it has none.
    """

    product: Product
    price: PriceChange | None
    currency: str | None = None


def parse_product(
    value: Any, *, store_id: StoreId, sku: Sku | None, currency: str, path: str = ""
) -> ProductPut:
    """Read one product. ``sku`` comes from the URL, or is None where the item names it.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value, path=path)
    own_sku = sku
    if own_sku is None:
        named = fields.parsed("sku", lambda text, at: check_sku(text, path=at), required=True)
        own_sku = named if isinstance(named, str) else Sku("")
    name = fields.text("name", longest=NAME_LONGEST, required=True)
    change = read_change(fields, store_id=store_id, sku=own_sku, currency=currency, required=False)
    product = Product(
        store_id=store_id,
        sku=own_sku,
        name=name if isinstance(name, str) else "",
        brand=text_or_none(fields.text("brand", longest=80)),
        category=text_or_none(fields.text("category", longest=120)),
        gtin=text_or_none(fields.parsed("gtin", lambda text, at: check_gtin(text, path=at))),
        net_content=_value_or_none(fields.parsed("net_content", parse_net_content)),
        priced_per=_value_or_none(fields.parsed("priced_per", parse_unit)),
        link=text_or_none(fields.parsed("link", parse_link)),
        origin=text_or_none(fields.text("origin", longest=ORIGIN_LONGEST)),
        stock=fields.integer("stock", low=-STOCK_MOST, high=STOCK_MOST),
        deposit_minor=_value_or_none(
            fields.parsed("deposit", lambda text, at: parse_price(text, currency, path=at))
        ),
        tags=frozenset(short_texts(fields, "tags")),
    )
    if len(product.tags) > TAGS_MOST:
        fields.problem("tags", f"more than {TAGS_MOST} tags", fix="Send fewer.")
    fields.finish()
    has_money = product.deposit_minor is not None
    return ProductPut(product=product, price=change, currency=currency if has_money else None)


def parse_net_content(text: str, path: str) -> NetContent:
    """Read "400 g", "1.5 l", "6 piece" into thousandths of the unit a unit price counts.

    Raises:
        InvalidInput: Not such a text, nothing, or finer than a thousandth.
    """
    match = _CONTENT.fullmatch(text)
    unit, factor = _MILLI[match["unit"]] if match else (Unit.PIECE, 0)
    whole, _, fraction = match["amount"].partition(".") if match else ("0", "", "")
    milli, rest = divmod(int(whole + fraction.ljust(3, "0")) * factor, 1000)
    if match is None or rest or milli == 0:
        raise InvalidInput.at(
            path,
            "not a net content",
            fix='Send an amount and g, kg, ml, cl, dl, l, m, m2 or piece, such as "400 g".',
        )
    return NetContent(milli=milli, unit=unit)


def parse_unit(text: str, path: str) -> Unit:
    """Read the unit that a price is for.

    Raises:
        InvalidInput: Not one we know.
    """
    try:
        return Unit(text)
    except ValueError:
        raise InvalidInput.at(path, "not a unit", fix=f"Send one of {', '.join(Unit)}.") from None


def parse_link(text: str, path: str) -> str:
    """Read an address for a QR code: https, printable ASCII, `LINK_LONGEST` at most.

    Raises:
        InvalidInput: It is none.
    """
    if len(text) > LINK_LONGEST or not _LINK.fullmatch(text):
        raise InvalidInput.at(
            path,
            "not an https address of printable ASCII characters",
            fix=f"Send at most {LINK_LONGEST} characters beginning with https://.",
        )
    return text


def _value_or_none(value: Value | Keep | None) -> Value | None:
    return None if value is KEEP or isinstance(value, Keep) else value
