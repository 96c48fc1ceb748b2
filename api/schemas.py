"""How things look in JSON answers. Money is a decimal string, an instant is RFC 3339 in UTC."""

from collections.abc import Set as AbstractSet
from typing import Any

from esl.domain.face import Face, Unit
from esl.domain.ids import GatewayId
from esl.domain.label import LabelState, phase_of
from esl.domain.money import format_minor, parse_price
from esl.domain.pricing import CurrentPrice
from esl.domain.product import Product
from esl.store.wall import Tile


def money(minor: int | None, currency: str) -> str | None:
    """Write minor units as a decimal string."""
    return None if minor is None else format_minor(minor, currency)


def product_view(product: Product, price: CurrentPrice | None) -> dict[str, Any]:
    """A product and its price."""
    content = product.net_content
    view: dict[str, Any] = {
        "sku": product.sku,
        "name": product.name,
        "brand": product.brand,
        "category": product.category,
        "gtin": product.gtin,
        "net_content": content.as_text() if content else None,
        "priced_per": product.priced_per,
        "link": product.link,
        "price": None,
    }
    if price is not None:
        view |= {
            "price": money(price.price_minor, price.currency),
            "currency": price.currency,
            "was": money(price.was_minor, price.currency),
            "unit_price": money(price.unit_price_minor, price.currency),
            "badge": price.badge,
            "rev": price.rev,
        }
    return view


def label_view(label: LabelState, online: AbstractSet[GatewayId]) -> dict[str, Any]:
    """A label: where it is, what it wants, what it shows by its own word, how it does."""
    return {
        "label": label.label_id,
        "store": label.store_id,
        "gateway": label.gateway_id,
        "panel": label.panel_id,
        "phase": phase_of(label, gateway_online=label.gateway_id in online),
        "wanted_rev": label.wanted_rev,
        "sent_rev": label.sent_rev,
        "settled_rev": label.settled_rev,
        "shown_rev": label.shown_rev,
        "shown_digest": label.shown_digest or None,
        "attempts": label.attempts,
        "problem": label.problem,
        "problem_detail": label.problem_detail,
        "battery_mv": label.battery_mv,
        "temperature_c": label.temperature_c,
        "rssi_dbm": label.rssi_dbm,
        "seen_at": label.seen_at,
    }


def tile_view(tile: Tile, online: AbstractSet[GatewayId]) -> dict[str, Any]:
    """A label and the product it speaks for."""
    return label_view(tile.label, online) | {
        "sku": tile.sku,
        "name": tile.name,
        "price": money(tile.price_minor, tile.currency) if tile.currency else None,
        "currency": tile.currency,
        "badge": tile.badge,
    }


def face_view(face: Face) -> dict[str, Any]:
    """A face, money as decimal strings."""
    return {
        "name": face.name,
        "brand": face.brand,
        "price": money(face.price_minor, face.currency),
        "currency": face.currency,
        "locale": face.locale,
        "priced_per": face.priced_per,
        "was": money(face.was_minor, face.currency),
        "unit_price": money(face.unit_price_minor, face.currency),
        "unit": face.unit,
        "net_content": face.net_content,
        "badge": face.badge,
        "gtin": face.gtin,
        "link": face.link,
        "link_may_be_left_out": face.link_may_be_left_out,
    }


def face_from(view: dict[str, Any]) -> Face:
    """Read a face back from its JSON view, for whoever renders the truth themselves."""
    currency = str(view["currency"])

    def minor(name: str) -> int | None:
        text = view[name]
        return None if text is None else parse_price(text, currency, path=f"/{name}")

    price = minor("price")
    if price is None:
        raise ValueError("a face has a price")
    return Face(
        name=view["name"],
        brand=view["brand"],
        price_minor=price,
        currency=currency,
        locale=view["locale"],
        priced_per=Unit(view["priced_per"]) if view["priced_per"] else None,
        was_minor=minor("was"),
        unit_price_minor=minor("unit_price"),
        unit=Unit(view["unit"]) if view["unit"] else None,
        net_content=view["net_content"],
        badge=view["badge"],
        gtin=view["gtin"],
        link=view["link"],
        link_may_be_left_out=view["link_may_be_left_out"],
    )
