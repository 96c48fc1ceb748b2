"""How things look in JSON answers. Money is a decimal string, an instant is RFC 3339 in UTC."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, replace
from typing import Any

from esl.domain.face import Face
from esl.domain.ids import GatewayId
from esl.domain.label import LabelState, phase_of
from esl.domain.money import MINOR_DIGITS, format_minor
from esl.domain.pricing import CurrentPrice
from esl.domain.problem import Problem
from esl.domain.product import Product
from esl.domain.template import SavedPicture, SavedTemplate
from esl.domain.template_rule import StockIs, TemplateRule
from esl.intake.face_json import parse_face
from esl.services.template_choice import Count, Explained, Preview
from esl.store.wall import Tile


def money(minor: int | None, currency: str) -> str | None:
    """Write minor units as a decimal string."""
    return None if minor is None else format_minor(minor, currency)


def product_view(product: Product, price: CurrentPrice | None, currency: str) -> dict[str, Any]:
    """A product and its price; ``currency`` is the store's."""
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
        "origin": product.origin,
        "stock": product.stock,
        "deposit": money(product.deposit_minor, currency),
        "tags": sorted(product.tags),
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
        "problem": label.trouble,
        "problem_detail": label.trouble_detail,
        "battery_mv": label.battery_mv,
        "temperature_c": label.temperature_c,
        "rssi_dbm": label.rssi_dbm,
        "seen_at": label.seen_at,
    }


def tile_view(tile: Tile, online: AbstractSet[GatewayId]) -> dict[str, Any]:
    """A label and the product it speaks for; ``skus`` are all, where there are several."""
    return label_view(tile.label, online) | {
        "sku": tile.sku,
        "skus": tile.skus,
        "name": tile.name,
        "price": money(tile.price_minor, tile.currency) if tile.currency else None,
        "currency": tile.currency,
        "badge": tile.badge,
    }


def face_view(face: Face) -> dict[str, Any]:
    """A face as `esl.intake.face_json` reads it, money as decimal strings.

    ``link_may_be_left_out`` says that the link is ours, and no reason to refuse the label.
    """
    currency = face.currency
    multibuy = face.multibuy
    view: dict[str, Any] = {
        "name": face.name,
        "brand": face.brand,
        "price": money(face.price_minor, currency),
        "currency": currency,
        "locale": face.locale,
        "priced_per": face.priced_per,
        "was": money(face.was_minor, currency),
        "unit_price": _unit_price(face.unit_price_minor, face.unit_price_tenths, currency),
        "unit": face.unit,
        "unit_label": face.unit_label,
        "net_content": face.net_content,
        "badge": face.badge,
        "valid_to": face.valid_to.isoformat() if face.valid_to is not None else None,
        "member_price": money(face.member_price_minor, currency),
        "member_condition": face.member_condition,
        "multibuy": None,
        "deposit": money(face.deposit_minor, currency),
        "reference_prices": [
            {"kind": r.kind, "amount": money(r.minor, currency), "wording": r.wording}
            for r in face.reference_prices
        ],
        "category": face.category,
        "origin": face.origin,
        "stock": face.stock,
        "sku": face.sku,
        "gtin": face.gtin,
        "link": face.link,
        "link_may_be_left_out": face.link_may_be_left_out,
    }
    if multibuy is not None:
        view["multibuy"] = {"quantity": multibuy.quantity} | (
            {"pay_for": multibuy.pay_for}
            if multibuy.pay_for is not None
            else {"total": money(multibuy.total_minor, currency)}
        )
        if multibuy.unit_price_minor is not None:
            view["multibuy"]["unit_price"] = _unit_price(
                multibuy.unit_price_minor, multibuy.unit_price_tenths, currency
            )
    if face.others:
        view["products"] = [face_view(other) for other in face.others]
    return view


def _unit_price(minor: int | None, tenths: int | None, currency: str) -> str | None:
    """Write a unit price, with one decimal more where it has one: "0.253"."""
    if tenths is None:
        return money(minor, currency)
    digits = MINOR_DIGITS[currency] + 1
    whole, fraction = divmod(tenths, 10**digits)
    return f"{whole}.{fraction:0{digits}d}"


def face_from(view: Mapping[str, Any]) -> Face:
    """Read a face back from its JSON view, for whoever renders the truth themselves."""
    ours = ("link", "link_may_be_left_out", "products")
    face = parse_face({name: value for name, value in view.items() if name not in ours})
    return replace(
        face,
        link=view["link"],
        link_may_be_left_out=view["link_may_be_left_out"],
        others=tuple(face_from(other) for other in view.get("products", ())),
    )


def rule_view(rule: TemplateRule) -> dict[str, Any]:
    """A rule as `esl.intake.template_json` reads it; what it does not ask for is left out."""
    stock = rule.stock
    asked = {
        "category": rule.category,
        "brand": rule.brand,
        "panel": rule.panel,
        "kind": rule.kind,
        "stock": f"low:{rule.stock_most}" if stock is StockIs.LOW else stock,
        "weighed": rule.weighed,
        "products": rule.products,
    }
    view: dict[str, Any] = {
        "match": {name: value for name, value in asked.items() if value is not None},
        "template": rule.template,
    }
    return view | ({"note": rule.note} if rule.note is not None else {})


def preview_view(preview: Preview) -> dict[str, Any]:
    """What rules would do: counts by template and by rule, with a few labels of each."""
    by_template: dict[str, int] = {}
    for count in preview.by_rule:
        if count.choice is not None and count.labels:
            name = count.choice.template
            by_template[name] = by_template.get(name, 0) + count.labels
    return {
        "labels": preview.labels,
        "without_price": preview.without_price,
        "templates": [{"template": n, "labels": c} for n, c in sorted(by_template.items())],
        "rules": [_count_view(count) for count in preview.by_rule],
        "changed": _count_view(preview.changed),
    }


def _count_view(count: Count) -> dict[str, Any]:
    choice = count.choice
    view: dict[str, Any] = {"labels": count.labels}
    if choice is not None:
        view = {
            "rule": None if choice.rule is None else choice.rule + 1,
            "template": choice.template,
            "reason": choice.reason,
        } | view
    view["examples"] = [
        {
            "label": example.label_id,
            "sku": example.sku,
            "name": example.name,
            "template": example.template,
            "template_now": example.template_now,
        }
        for example in count.examples
    ]
    return view


def explained_view(explained: Explained | None) -> dict[str, Any]:
    """Which template a label is drawn with, and why; rules are counted from 1."""
    if explained is None:
        reason = "it has no product, or its product no price"
        return {"template": None, "version": None, "rule": None, "reason": reason, "rules": []}
    rule = explained.choice.rule
    return {
        "template": explained.template.name,
        "version": explained.template.version,
        "rule": None if rule is None else rule + 1,
        "reason": explained.choice.reason,
        "rules": [
            {
                "rule": None if v.rule is None else v.rule + 1,
                "template": v.template,
                "fits": v.fits,
                "reason": v.words,
            }
            for v in explained.verdicts
        ],
    }


def version_view(saved: SavedTemplate) -> dict[str, Any]:
    """One version of a template of a store."""
    return {
        "version": saved.version,
        "title": saved.title,
        "saved_by": saved.saved_by,
        "saved_at": saved.saved_at,
        "deleted": saved.is_deleted,
    }


def picture_view(picture: SavedPicture) -> dict[str, Any]:
    """An uploaded picture."""
    return {
        "name": picture.name,
        "width_px": picture.width_px,
        "height_px": picture.height_px,
        "digest": picture.digest,
        "saved_by": picture.saved_by,
        "saved_at": picture.saved_at,
    }


def problem_view(problem: Problem) -> dict[str, Any]:
    """What is wrong, or was: the row as it is kept."""
    view = asdict(problem)
    return {"problem": view.pop("problem_id"), "store": view.pop("store_id"), **view}
