"""The offer: the price that holds for a product at a moment, and what may be said with it."""

from typing import Final
from urllib.parse import quote

from esl.domain.digital_link import digital_link, in_capitals
from esl.domain.face import Face, Multibuy, ReferenceKind, ReferencePrice
from esl.domain.ids import LabelId
from esl.domain.law.beside import anchor_price
from esl.domain.law.goods import NO_CODES, Goods, anchor_codes, is_exempt
from esl.domain.law.profile import Profile
from esl.domain.law.unit_price import (
    UnitPrice,
    UnitPriceCode,
    multibuy_unit_price,
    unit_price,
)
from esl.domain.money import MINOR_DIGITS
from esl.domain.pricing import CurrentPrice
from esl.domain.product import Product
from esl.domain.shop_link import shop_link

_WHOLE_UNITS: Final = frozenset({"kg", "l", "m", "m²", "m2", "piece"})
"""What a face names by its unit, and templates in the language of the label."""


def face_for(
    product: Product,
    price: CurrentPrice,
    *,
    profile: Profile,
    goods: Goods | None = None,
    anchor_minor: int | None = None,
    locale: str,
    link_base: str | None,
    shop_pattern: str | None,
    label_id: LabelId,
) -> Face:
    """Say what this label of this product must show.

    An old price is shown only where it is above the price. The unit price is the till's own, or
    follows from the price by the law of the store; it is left out where the law lets it, such as
    where it would repeat the price (Directive 98/6/EC, Art. 3(1)). ``goods`` are those of the law
    that the product is of; None: the store does not say. ``anchor_minor`` is the price of the day
    that the law names; where the store does not say, whoever sends it says that it is needed.
    The QR code leads to the product's own link, else to what the store's pattern makes of it,
    else to its GS1 Digital Link, else to the store's page of it; without any of them there is
    no QR code.
    """
    content = product.net_content
    found = _unit_price(product, price, profile, goods)
    shown = found if found is not None and found.minor is not None and content else None
    member_minor = _below(price.member_minor, price.price_minor)
    return Face(
        name=product.name,
        brand=product.brand,
        price_minor=price.price_minor,
        currency=price.currency,
        locale=locale,
        priced_per=product.priced_per,
        was_minor=_above(price.was_minor, price.price_minor),
        unit_price_minor=shown.minor if shown is not None else None,
        unit_price_tenths=_tenths(shown, price.currency),
        unit=content.unit if content is not None and shown is not None else None,
        unit_label=shown.per if shown is not None and shown.per not in _WHOLE_UNITS else None,
        net_content=content.as_text() if content is not None else None,
        badge=price.badge,
        member_price_minor=member_minor,
        member_condition=price.member_condition if member_minor is not None else None,
        multibuy=_multibuy(product, price, profile, shown),
        deposit_minor=product.deposit_minor,
        reference_prices=_anchor(anchor_minor, profile, locale, goods) if anchor_minor else (),
        category=product.category,
        origin=product.origin,
        stock=product.stock,
        sku=product.sku,
        gtin=product.gtin,
        link=_link(product, link_base, shop_pattern, label_id),
        link_may_be_left_out=product.link is None,
    )


def _unit_price(
    product: Product, price: CurrentPrice, profile: Profile, goods: Goods | None
) -> UnitPrice | None:
    """Take the till's own unit price, of a whole unit, or compute it; None: it is left out."""
    content, stated = product.net_content, price.unit_price_minor
    if product.priced_per is not None or content is None:
        return None
    codes = goods.codes if goods is not None else NO_CODES
    if stated is None:
        return unit_price(price.price_minor, content, price.currency, profile, exemptions=codes)
    if codes and is_exempt(profile, codes):
        return None
    if stated == price.price_minor and profile.unit_price.same_may_be_left_out:
        return None
    per, digits = content.unit.value, MINOR_DIGITS[price.currency]
    return UnitPrice(UnitPriceCode.SHOWN, per, stated, digits, stated)


def _anchor(
    minor: int, profile: Profile, locale: str, goods: Goods | None
) -> tuple[ReferencePrice, ...]:
    """Say the price of the day that the law names, with its words; none where no law asks."""
    codes = anchor_codes(profile, goods)
    found = anchor_price(minor, profile, locale, categories=codes)
    if found is None:
        return ()
    words = f"{found.words}:" if found.words else None
    return (ReferencePrice(kind=ReferenceKind.ANCHOR, minor=found.minor, wording=words),)


def _above(was_minor: int | None, price_minor: int) -> int | None:
    return was_minor if was_minor is not None and was_minor > price_minor else None


def _below(member_minor: int | None, price_minor: int) -> int | None:
    return member_minor if member_minor is not None and member_minor < price_minor else None


def _multibuy(
    product: Product, price: CurrentPrice, profile: Profile, shown: UnitPrice | None
) -> Multibuy | None:
    """Say what several cost together, with their unit price beside that of one.

    Where the unit price of one is left out, what one costs of several is theirs.
    """
    quantity, total, paid = price.multibuy_quantity, price.multibuy_minor, price.multibuy_pay_for
    if quantity is None or total is None or total >= price.price_minor * quantity:
        return None
    unit: UnitPrice | None = None
    if shown is not None:
        found = multibuy_unit_price(total, quantity, product.net_content, price.currency, profile)
        unit = found if found.per == shown.per else None
    return Multibuy(
        quantity=quantity,
        total_minor=total,
        pay_for=paid if paid is not None and total == paid * price.price_minor else None,
        unit_price_minor=unit.minor if unit is not None else None,
        unit_price_tenths=_tenths(unit, price.currency),
    )


def _tenths(unit: UnitPrice | None, currency: str) -> int | None:
    """Return a unit price in tenths of the minor unit, where the law wants one so."""
    if unit is None or unit.digits <= MINOR_DIGITS[currency]:
        return None
    return unit.amount


def _link(
    product: Product, link_base: str | None, shop_pattern: str | None, label_id: LabelId
) -> str | None:
    if product.link is not None:
        return product.link
    if shop_pattern is not None:
        address = shop_link(
            shop_pattern,
            store=product.store_id,
            label=label_id,
            sku=product.sku,
            gtin=product.gtin,
        )
        if address is not None:
            return address
    if product.gtin is not None:
        # Scheme and host mean the same in capitals, and make a smaller QR code.
        return (
            digital_link(product.gtin, base=in_capitals(link_base))
            if link_base
            else digital_link(product.gtin)
        )
    # A SKU may hold blanks, slashes and letters of any script; in the address it is one step.
    return f"{link_base}/P/{quote(product.sku, safe='')}" if link_base else None
