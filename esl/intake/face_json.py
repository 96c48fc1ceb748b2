"""Faces as JSON: what `esl render --data` reads, and the sample data in templates.

A face holds what is known of a product and its offer; name, price, currency are enough:

    {"name": "Jogurt natur 400 g", "price": "1.29", "currency": "EUR", "gtin": "3850139171587"}

====================== ====================================================================
``price``              decimal string, or null where no price may be shown
``locale``             how money and dates are written; English where it is left out
``link``               address in the QR code; left out, it is the GTIN's Digital Link, and
                       null is no QR code
``reference_prices``   ``[{"kind": "lowest_30d", "amount": "1.19", "wording": "…"}]``
``unit_price``         below 1.00 with one decimal more, where the law wants it: "0.253"
``unit_label``         what it counts, where that is not one of ``unit``: "100 g", "lb"
``multibuy``           ``{"quantity": 2, "total": "3.50"}``, ``{"quantity": 3, "pay_for": 2}``;
                       beside them ``unit_price``, for the face's own ``unit``
``member_condition``   whose price ``member_price`` is: the name of a card or club
``products``           further products of the same label, faces themselves; their currency
                       and locale are the first one's where left out
====================== ====================================================================

Nothing that contradicts itself is accepted: an old price below the price would print a lie.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from esl.domain.digital_link import digital_link
from esl.domain.errors import InvalidInput
from esl.domain.face import Face, Multibuy, ReferenceKind, ReferencePrice
from esl.domain.gtin import check_gtin
from esl.domain.ids import check_sku
from esl.domain.money import MINOR_DIGITS, check_currency, parse_price
from esl.domain.pricing import KEEP, Keep
from esl.intake.fields import Fields
from esl.intake.price_json import BADGE_LONGEST, text_or_none
from esl.intake.product_json import (
    NAME_LONGEST,
    ORIGIN_LONGEST,
    STOCK_MOST,
    parse_link,
    parse_unit,
)
from esl.intake.strict_json import pointer

LOCALE_UNLESS_SAID = "en"
"""A currency does not tell the language of a shop: EUR alone is written in twenty."""

CONTENT_LONGEST = 40
CONDITION_LONGEST = 80
WORDING_LONGEST = 80
UNIT_LABEL_LONGEST = 20
PRODUCTS_MOST = 16
MULTIBUY_MOST = 99

_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,8}){0,3}")
_TENTHS = re.compile(r"0\.([0-9]{1,4})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NO_MONEY = "XXX"  # stands for a currency that was refused: amounts are not looked at then

Value = TypeVar("Value")
Money = Callable[[str, str], int]


def parse_face(value: Any, *, path: str = "") -> Face:
    """Read a face, with the further products of its label.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value, path=path)
    others = fields.take("products")
    face = _read_face(fields, currency=None, locale=None)
    read: list[Face] = []
    if isinstance(others, list) and len(others) < PRODUCTS_MOST:
        for index, other in enumerate(others):
            inner = Fields(other, path=pointer(pointer(path, "products"), index))
            read.append(_read_face(inner, currency=face.currency, locale=face.locale))
            _finish_into(fields, inner)
    elif others is not KEEP and others is not None:
        fields.problem("products", f"not a list of up to {PRODUCTS_MOST - 1} further products")
    fields.finish()
    return replace(face, others=tuple(read))


def _read_face(fields: Fields, *, currency: str | None, locale: str | None) -> Face:
    """Read one product's fields; its problems stay in ``fields``."""
    name = fields.text("name", longest=NAME_LONGEST, required=True)
    own_currency = _value_or(
        fields.parsed(
            "currency", lambda text, at: check_currency(text, path=at), required=currency is None
        ),
        currency or _NO_MONEY,
    )

    def money(text: str, at: str) -> int:
        return 1 if own_currency == _NO_MONEY else parse_price(text, own_currency, path=at)

    asked = fields.has("price")
    price = _value_or(fields.parsed("price", money), None)
    if not asked:
        fields.problem("price", "missing", fix="Send it, or null where none may be shown.")
    gtin = _value_or(fields.parsed("gtin", lambda text, at: check_gtin(text, path=at)), None)
    link = fields.parsed("link", parse_link)
    unit_minor, unit_tenths = _value_or(
        fields.parsed("unit_price", lambda text, at: _parse_unit_price(text, own_currency, at)),
        (None, None),
    )
    face = Face(
        name=name if isinstance(name, str) else "",
        brand=text_or_none(fields.text("brand", longest=80)),
        price_minor=price,
        currency=own_currency,
        locale=_value_or(fields.parsed("locale", _parse_locale), locale or LOCALE_UNLESS_SAID),
        priced_per=_value_or(fields.parsed("priced_per", parse_unit), None),
        was_minor=_value_or(fields.parsed("was", money), None),
        unit_price_minor=unit_minor,
        unit_price_tenths=unit_tenths,
        unit_label=text_or_none(fields.text("unit_label", longest=UNIT_LABEL_LONGEST)),
        unit=_value_or(fields.parsed("unit", parse_unit), None),
        net_content=text_or_none(fields.text("net_content", longest=CONTENT_LONGEST)),
        badge=text_or_none(fields.text("badge", longest=BADGE_LONGEST)),
        valid_to=_value_or(fields.parsed("valid_to", _parse_day), None),
        member_price_minor=_value_or(fields.parsed("member_price", money), None),
        member_condition=text_or_none(fields.text("member_condition", longest=CONDITION_LONGEST)),
        multibuy=_read_multibuy(fields, money, price, own_currency),
        deposit_minor=_value_or(fields.parsed("deposit", money), None),
        reference_prices=_read_references(fields, money),
        category=text_or_none(fields.text("category", longest=120)),
        origin=text_or_none(fields.text("origin", longest=ORIGIN_LONGEST)),
        stock=fields.integer("stock", low=-STOCK_MOST, high=STOCK_MOST),
        sku=_value_or(fields.parsed("sku", lambda text, at: str(check_sku(text, path=at))), None),
        gtin=gtin,
        link=_choose_link(link, gtin),
        link_may_be_left_out=link is KEEP,
    )
    if not fields.problems:  # what contradicts a field that was refused may be right
        _check_agreement(fields, face)
    return face


def _parse_unit_price(text: str, currency: str, path: str) -> tuple[int | None, int | None]:
    """Read a unit price in minor units, and in tenths of them where it is written so: "0.253".

    Below one unit of the currency alone: "1.290" may mean 1,290.
    """
    if currency == _NO_MONEY:
        return 1, None
    digits = MINOR_DIGITS[currency]
    match = _TENTHS.fullmatch(text)
    if digits and match is not None and len(match[1]) == digits + 1 and int(match[1]):
        tenths = int(match[1])
        return (tenths + 5) // 10, tenths
    return parse_price(text, currency, path=path), None


def _choose_link(link: str | Keep | None, gtin: str | None) -> str | None:
    if link is KEEP:
        return digital_link(gtin) if gtin is not None else None
    return text_or_none(link)


def _check_agreement(fields: Fields, face: Face) -> None:
    """Note what the fields of a face contradict in each other."""
    if (face.unit_price_minor is None) is not (face.unit is None):
        missing = "unit" if face.unit is None else "unit_price"
        fields.problem(missing, "missing: unit_price and unit belong together", fix="Send both.")
    if face.unit_label is not None and face.unit is None:
        fields.problem("unit_label", "sent without a unit price", fix="Send unit_price and unit.")
    price, multibuy = face.price_minor, face.multibuy
    if multibuy is not None and multibuy.unit_price_minor is not None and face.unit is None:
        fields.problem(
            "multibuy/unit_price", "sent without a unit", fix="Send unit_price and unit with it."
        )
    if face.member_condition is not None and face.member_price_minor is None:
        fields.problem(
            "member_condition", "sent without a member_price", fix="Send member_price with it."
        )
    if price is None:
        given = {
            "was": face.was_minor,
            "member_price": face.member_price_minor,
            "unit_price": face.unit_price_minor,
            "multibuy": multibuy,
        }
        for name, value in given.items():
            if value is not None:
                fields.problem(name, "sent without a price", fix="Send the price with it.")
        return
    if face.was_minor is not None and face.was_minor <= price:
        fields.problem("was", "not above the price", fix="Leave it out.")
    if face.member_price_minor is not None and face.member_price_minor >= price:
        fields.problem("member_price", "not below the price", fix="Leave it out.")
    if multibuy is not None and multibuy.total_minor >= multibuy.quantity * price:
        fields.problem("multibuy", "not below what the pieces cost one by one", fix="Check it.")


def _read_multibuy(
    fields: Fields, money: Money, price: int | None, currency: str
) -> Multibuy | None:
    value = fields.take("multibuy")
    if value is KEEP or value is None:
        return None
    inner = Fields(value, path=pointer(fields.path, "multibuy"))
    quantity = inner.integer("quantity", low=2, high=MULTIBUY_MOST)
    total = _value_or(inner.parsed("total", money), None)
    pay_for = inner.integer("pay_for", low=1, high=MULTIBUY_MOST)
    unit_minor, unit_tenths = _value_or(
        inner.parsed("unit_price", lambda text, at: _parse_unit_price(text, currency, at)),
        (None, None),
    )
    if not inner.problems:
        if quantity is None:
            inner.problem("quantity", "missing", fix="Say how many are bought together.")
        elif (total is None) is (pay_for is None):
            inner.problem("", "it needs either total or pay_for", fix="Send one of them.")
        elif pay_for is not None and pay_for >= quantity:
            inner.problem("pay_for", "not below the quantity", fix="3 for 2 has 3 and 2.")
    _finish_into(fields, inner)
    if inner.problems or quantity is None:
        return None
    if total is None:
        total = (pay_for or 0) * (price or 0)
    return Multibuy(
        quantity=quantity,
        total_minor=total,
        pay_for=pay_for,
        unit_price_minor=unit_minor,
        unit_price_tenths=unit_tenths,
    )


def _read_references(fields: Fields, money: Money) -> tuple[ReferencePrice, ...]:
    value = fields.take("reference_prices")
    if value is KEEP or value is None:
        return ()
    if not isinstance(value, list) or len(value) > len(ReferenceKind):
        fields.problem(
            "reference_prices", f"not a list of up to {len(ReferenceKind)} reference prices"
        )
        return ()
    references: dict[ReferenceKind, ReferencePrice] = {}
    for index, item in enumerate(value):
        inner = Fields(item, path=pointer(pointer(fields.path, "reference_prices"), index))
        kind = _value_or(inner.parsed("kind", _parse_kind, required=True), None)
        minor = _value_or(inner.parsed("amount", money, required=True), None)
        wording = text_or_none(inner.text("wording", longest=WORDING_LONGEST))
        if kind is not None and kind in references:
            inner.problem("kind", "the same kind twice")
        elif kind is not None and minor is not None:
            references[kind] = ReferencePrice(kind=kind, minor=minor, wording=wording)
        _finish_into(fields, inner)
    return tuple(references.values())


def _finish_into(fields: Fields, inner: Fields) -> None:
    """End reading an object inside another one, which takes its problems over."""
    try:
        inner.finish()
    except InvalidInput as exc:
        fields.problems.extend(exc.problems)


def _parse_kind(text: str, path: str) -> ReferenceKind:
    try:
        return ReferenceKind(text)
    except ValueError:
        raise InvalidInput.at(
            path, "not a kind of reference price", fix=f"Send one of {', '.join(ReferenceKind)}."
        ) from None


def _parse_locale(text: str, path: str) -> str:
    if not _LOCALE.fullmatch(text):
        raise InvalidInput.at(path, "not a locale", fix='Send one such as "de_DE" or "hr".')
    return text.replace("-", "_")


def _parse_day(text: str, path: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # February 30th
    raise InvalidInput.at(path, "not a day", fix='Send it as "2026-12-31".')


def _value_or(value: Value | Keep | None, otherwise: Value) -> Value:
    """Take what was read, or something else where the field was left out, null or refused."""
    return otherwise if value is None or isinstance(value, Keep) else value
