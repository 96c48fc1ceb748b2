"""The offer: the price that holds for a product at a moment, and what may be said with it."""

from urllib.parse import quote

from esl.domain.digital_link import digital_link, in_capitals
from esl.domain.face import Face, Multibuy
from esl.domain.ids import LabelId
from esl.domain.pricing import CurrentPrice
from esl.domain.product import Product, unit_price_minor
from esl.domain.shop_link import shop_link


def face_for(
    product: Product,
    price: CurrentPrice,
    *,
    locale: str,
    link_base: str | None,
    shop_pattern: str | None,
    label_id: LabelId,
) -> Face:
    """Say what this label of this product must show.

    An old price is shown only where it is above the price; a unit price is left out where it
    would repeat the price (Directive 98/6/EC, Art. 3(1)) or where the price is one already.
    The QR code leads to the product's own link, else to what the store's pattern makes of it,
    else to its GS1 Digital Link, else to the store's page of it; without any of them there is
    no QR code.
    """
    content = product.net_content
    unit_minor = price.unit_price_minor
    if product.priced_per is not None or content is None:
        unit_minor = None
    elif unit_minor is None:
        unit_minor = unit_price_minor(price.price_minor, content)
    if unit_minor == price.price_minor:
        unit_minor = None
    return Face(
        name=product.name,
        brand=product.brand,
        price_minor=price.price_minor,
        currency=price.currency,
        locale=locale,
        priced_per=product.priced_per,
        was_minor=_above(price.was_minor, price.price_minor),
        unit_price_minor=unit_minor,
        unit=content.unit if content is not None and unit_minor is not None else None,
        net_content=content.as_text() if content is not None else None,
        badge=price.badge,
        member_price_minor=_below(price.member_minor, price.price_minor),
        multibuy=_multibuy(price),
        deposit_minor=product.deposit_minor,
        category=product.category,
        origin=product.origin,
        stock=product.stock,
        sku=product.sku,
        gtin=product.gtin,
        link=_link(product, link_base, shop_pattern, label_id),
        link_may_be_left_out=product.link is None,
    )


def _above(was_minor: int | None, price_minor: int) -> int | None:
    return was_minor if was_minor is not None and was_minor > price_minor else None


def _below(member_minor: int | None, price_minor: int) -> int | None:
    return member_minor if member_minor is not None and member_minor < price_minor else None


def _multibuy(price: CurrentPrice) -> Multibuy | None:
    quantity, total = price.multibuy_quantity, price.multibuy_minor
    if quantity is None or total is None or total >= price.price_minor * quantity:
        return None
    return Multibuy(quantity=quantity, total_minor=total)


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
