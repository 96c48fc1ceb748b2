"""What an event says, before any mapping: map its body, fetch something, or nothing.

    Mapped   its products stand in it; a mapping reads them from ``body``
    Thin     something changed; ask the system what
    Gone     it was deleted there
    Noise    nothing that a label shows

Stock-only events look like any other here, because no system marks them: a comparison with what
is stored decides later. What cannot be understood at all raises `InvalidInput`; what is genuine
and partial (Shopify sends such bodies) becomes `Thin`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

from esl.domain.errors import InvalidInput
from esl.intake.hooks.verifiers import HookKind

OBJECTS_MOST = 1000
"""An event that names more of them is answered by asking for everything that changed."""

_NAME_LONGEST = 140  # of a document of Frappe; others are shorter


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """A genuine call as the inbox keeps it."""

    kind: HookKind
    body: bytes
    topic: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """Each of ``bodies`` is JSON in which the source's mapping finds products of one parent."""

    bodies: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thin:
    """Ask what changed: these ``objects``, named as the system does; none is all ``since``.

    ``since`` is the system's own time; None is since the last time we asked.
    """

    objects: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """``objects`` were deleted there.

    Such events name no SKU, so nothing follows at once: the next complete list retires them.
    """

    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """It says nothing that a label shows; ``reason`` as a person would say it."""

    reason: str


Meaning = Mapped | Thin | Gone | Noise


def read_event(event: StoredEvent) -> Meaning:
    """Say what an event wants of us.

    Raises:
        InvalidInput: Its body is not what its system sends.
    """
    return _READERS[event.kind](event)


def _shopify(event: StoredEvent) -> Meaning:
    if event.topic and not event.topic.startswith("products/"):
        return _other_topic(event.topic)
    value = _object(event.body)
    objects = _ids(value, "id")
    if event.topic == "products/delete":
        return Gone(objects=objects)
    variants = value.get("variants")
    if isinstance(variants, list) and variants and all("price" in _dict(v) for v in variants):
        return Mapped(bodies=(event.body,))
    return Thin(objects=objects)


def _woocommerce(event: StoredEvent) -> Meaning:
    if event.topic and not event.topic.startswith("product."):
        return _other_topic(event.topic)
    value = _object(event.body)
    objects = _ids(value, "id")
    if event.topic == "product.deleted" or _text(value, "status") == "trash":
        return Gone(objects=objects)
    if _text(value, "type") in {"variable", "grouped"} or "regular_price" not in value:
        return Thin(objects=objects)  # the prices are those of its variations
    return Mapped(bodies=(event.body,))


def _bigcommerce(event: StoredEvent) -> Meaning:
    value = _object(event.body)
    scope, data = _text(value, "scope"), _dict(value.get("data"))
    if "inventory" in scope:
        return Noise(reason=f"{scope} is of stock only")
    if scope.startswith("store/sku/"):
        return Thin(objects=_ids(_dict(data.get("sku")), "product_id"))
    if scope.startswith("store/priceList/"):
        return Thin()
    if not scope.startswith("store/product/"):
        return _other_topic(scope)
    objects = _ids(data, "id")
    return Gone(objects=objects) if scope == "store/product/deleted" else Thin(objects=objects)


def _square(event: StoredEvent) -> Meaning:
    value = _object(event.body)
    if _text(value, "type") != "catalog.version.updated":
        return _other_topic(_text(value, "type"))
    version = _dict(_dict(_dict(value.get("data")).get("object")).get("catalog_version"))
    return Thin(since=_instant(version.get("updated_at")))


def _clover(event: StoredEvent) -> Meaning:
    """Events of all merchants of the app; a source is one of them, and fetching sorts them out."""
    changed: dict[str, None] = {}
    gone: dict[str, None] = {}
    for updates in _dict(_object(event.body).get("merchants")).values():
        for update in updates if isinstance(updates, list) else []:
            kind, _, item = _text(_dict(update), "objectId").partition(":")
            if kind in {"I", "IA"} and 1 <= len(item) <= _NAME_LONGEST and item.isprintable():
                where = gone if _dict(update).get("type") == "DELETE" else changed
                where[item] = None
    if changed:
        return Thin(objects=_few(tuple(changed)))
    return Gone(objects=_few(tuple(gone))) if gone else Noise(reason="it names no item")


def _loyverse(event: StoredEvent) -> Meaning:
    value = _object(event.body)
    if _text(value, "type", "items.update") != "items.update":
        return _other_topic(_text(value, "type"))
    items = value.get("items")
    if not isinstance(items, list) or not items:
        return Thin()
    there = [item for item in items if isinstance(item, dict) and not item.get("deleted_at")]
    if not there:
        return Gone(objects=_few(tuple(i for item in items for i in _ids(_dict(item), "id"))))
    return Mapped(bodies=tuple(json.dumps(item).encode() for item in there))


def _lightspeed(event: StoredEvent) -> Meaning:
    try:
        form = parse_qs(event.body.decode(), strict_parsing=True, max_num_fields=50)
        [payload] = form["payload"]
    except (ValueError, KeyError):
        raise _broken("not a form with one field “payload”") from None
    kind = form.get("type", ["product.update"])[0]
    if not kind.startswith("product."):
        return _other_topic(kind)
    value = _object(payload.encode())
    if value.get("deleted_at"):
        return Gone(objects=_ids(value, "id"))
    if "sku" not in value:
        return Thin(objects=_ids(value, "id"))
    return Mapped(bodies=(payload.encode(),))


def _odoo(event: StoredEvent) -> Meaning:
    """A rule sends the fields that were chosen for it; without those we need, Odoo is asked."""
    value = _object(event.body)
    model = _text(value, "_model", "product.template")
    if model not in {"product.template", "product.product"}:
        if model == "product.pricelist.item":
            return Thin()
        return _other_topic(model)
    if {"default_code", "list_price", "name"} <= value.keys():
        return Mapped(bodies=(event.body,))
    return Thin(objects=_ids(value, "_id"))


def _erpnext(event: StoredEvent) -> Meaning:
    value = _object(event.body)
    doctype = _text(value, "doctype", "Item Price")
    if doctype == "Item":
        return Thin(objects=_ids(value, "name"))
    if doctype != "Item Price":
        return _other_topic(doctype)
    missing = [name for name in ("item_code", "price_list", "price_list_rate") if name not in value]
    if missing:
        raise InvalidInput.at(
            f"/{missing[0]}",
            "the webhook does not send this field",
            fix=f"In ERPNext, add to the webhook's data: {', '.join(missing)}.",
        )
    return Mapped(bodies=(event.body,))


def _any_json(event: StoredEvent) -> Meaning:
    """Leave the shape to the mapping; it only must be JSON."""
    _parsed(event.body)
    return Mapped(bodies=(event.body,))


def _other_topic(topic: str) -> Noise:
    said = topic if topic.isprintable() else ""
    return Noise(reason=f"{said[:60] or 'an event without a topic'} says nothing of prices")


def _parsed(body: bytes) -> Any:
    """Read JSON; a number that is no integer becomes a text, so that nothing rounds it."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=str)
    except (ValueError, RecursionError):
        raise _broken("not JSON in UTF-8") from None


def _object(body: bytes) -> dict[str, Any]:
    value = _parsed(body)
    if not isinstance(value, dict):
        raise _broken("not a JSON object")
    return value


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Mapping[str, Any], name: str, default: str = "") -> str:
    found = value.get(name, default)
    return found if isinstance(found, str) else ""


def _ids(value: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Read the name an object has in its system: a number, or a short text."""
    match value.get(name):
        case bool() | None:
            return ()
        case int(number):
            return (str(number),)
        case str(text) if 1 <= len(text) <= _NAME_LONGEST and text.isprintable():
            return (text,)
        case _:
            return ()


def _few(objects: tuple[str, ...]) -> tuple[str, ...]:
    return objects if len(objects) <= OBJECTS_MOST else ()


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None


def _broken(detail: str) -> InvalidInput:
    return InvalidInput.at("", detail, fix="Check which system calls this address.")


_READERS: Mapping[HookKind, Callable[[StoredEvent], Meaning]] = MappingProxyType(
    {
        HookKind.SHOPIFY: _shopify,
        HookKind.WOOCOMMERCE: _woocommerce,
        HookKind.BIGCOMMERCE: _bigcommerce,
        HookKind.SQUARE: _square,
        HookKind.ERPNEXT: _erpnext,
        HookKind.ODOO: _odoo,
        HookKind.CLOVER: _clover,
        HookKind.LOYVERSE: _loyverse,
        HookKind.LIGHTSPEED: _lightspeed,
        HookKind.STANDARD: _any_json,
        HookKind.GENERIC: _any_json,
    }
)
