"""What a label says that may not say a price: its product's name, and "ask at the till".

::

    a face with a price ──▶ the same without anything of money ──▶ the store's name alone

Each step says less, and leaves fewer reasons why it could not be drawn.
"""

from dataclasses import replace

from esl.domain.face import Face
from esl.domain.ids import TemplateName
from esl.domain.product import Product

NEUTRAL_TEMPLATE = TemplateName("neutral")
"""Of the gallery: every store has it, and nobody can break it."""


def neutral_of(face: Face) -> Face:
    """Take everything of money off a face."""
    return replace(
        face,
        price_minor=None,
        was_minor=None,
        unit_price_minor=None,
        unit=None,
        badge=None,
        valid_to=None,
        member_price_minor=None,
        member_condition=None,
        multibuy=None,
        deposit_minor=None,
        reference_prices=(),
        others=(),
    )


def neutral_face(product: Product, *, currency: str, locale: str) -> Face:
    """Name a product that has no price."""
    content = product.net_content
    return Face(
        name=product.name,
        brand=product.brand,
        price_minor=None,
        currency=currency,
        locale=locale,
        net_content=content.as_text() if content is not None else None,
        category=product.category,
        origin=product.origin,
        sku=product.sku,
        gtin=product.gtin,
    )


def bare_face(store_name: str, *, currency: str, locale: str) -> Face:
    """Name nothing but the store: for labels without a product, and names that do not fit."""
    return Face(name=store_name, price_minor=None, currency=currency, locale=locale)
