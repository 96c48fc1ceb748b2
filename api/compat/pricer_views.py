"""Answers in Pricer's words. S, M and L are the sizes in which its drivers ask for things."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import Connection

from api.compat.glance import LABELS_LOOKED_AT, Doing, Glance, glance_at, glance_at_all
from esl.domain.errors import UnknownLabel, UnknownProduct
from esl.domain.ids import GatewayId, LabelId, Sku, StoreId
from esl.domain.instants import instant_or_none
from esl.domain.money import format_minor
from esl.domain.pricing import Decision
from esl.intake.compat.items import Sent
from esl.services.compat_items import ItemResult, TakenItems
from esl.store import labels
from esl.store.product_pages import ListedProduct, page_of_products, product_on_its_page
from esl.store.wall import tiles_of

_STATE = {Doing.SHOWN: "OK", Doing.SENDING: "UPDATING", Doing.FAILED: "FAILED"}
_ERRORS = {
    Decision.QUARANTINED: "ERROR_ITEM_HELD_FOR_APPROVAL",
    Decision.REJECTED: "ERROR_INVALID_ITEM_PROPERTY",
}
_PROPERTIES = {"sku": "itemId", "name": "itemName", "valid_from": "validFrom"}


def result_view(sent: Sequence[Sent], taken: TakenItems) -> dict[str, Any]:
    """Say what became of each item of a request; there is nothing left to be done."""
    results = [_item_result(one, result) for one, result in zip(sent, taken.results, strict=True)]
    return {
        "status": "COMPLETED",
        "itemErrorCount": sum(1 for result in results if result["errors"]),
        "itemResults": results,
    }


def _item_result(one: Sent, result: ItemResult) -> dict[str, Any]:
    errors: list[dict[str, str]] = []
    error = _ERRORS.get(result.decision)
    if error is not None or result.words:
        errors = [
            {
                "property": _PROPERTIES.get(result.field, result.field),
                "error": error or "ERROR_PROPERTY_IGNORED",
                "message": result.words,
            }
        ]
    status = "ERROR" if error is not None else "OK"
    return {"itemId": one.key[:64], "status": status, "errors": errors}


def items_view(
    tx: Connection, store_id: StoreId, *, start: int, limit: int, projection: str
) -> list[dict[str, Any]]:
    """List items."""
    found = page_of_products(tx, store_id, start=start, limit=limit)
    return [_item_view(one, projection) for one in found]


def item_view_of(tx: Connection, store_id: StoreId, sku: Sku) -> dict[str, Any]:
    """Show an item.

    Raises:
        UnknownProduct: The store has none with this id.
    """
    found = product_on_its_page(tx, store_id, sku)
    if found is None:
        raise UnknownProduct("the store has no item with this id")
    return _item_view(found, "L")


def _item_view(one: ListedProduct, projection: str) -> dict[str, Any]:
    product, price = one.product, one.price
    view: dict[str, Any] = {"itemId": product.sku, "itemName": product.name}
    if projection == "S":
        return view
    view["price"] = format_minor(price.price_minor, price.currency) if price else None
    stated = {
        "barcode": product.gtin,
        "brand": product.brand,
        "origin": product.origin,
        "currency": price.currency if price else None,
    }
    view["properties"] = {name: text for name, text in stated.items() if text is not None}
    if projection == "L":
        view["links"] = [{"barcode": label_id.upper()} for label_id in one.labels]
    return view


def labels_view(
    tx: Connection,
    store_id: StoreId,
    online: AbstractSet[GatewayId],
    *,
    state: str | None,
    start: int,
    limit: int,
    projection: str,
) -> list[dict[str, Any]]:
    """List labels: all, or those in one state."""
    if state is None:
        found = glance_at_all(tx, store_id, online, start=start, limit=limit)
    else:
        every = glance_at_all(tx, store_id, online, start=0, limit=LABELS_LOOKED_AT)
        fits = [glance for glance in every if _STATE[glance.doing] == state.upper()]
        found = fits[start : start + limit]
    return [_label_view(glance, projection) for glance in found]


def label_view_of(
    tx: Connection, store_id: StoreId, label_id: LabelId, online: AbstractSet[GatewayId]
) -> dict[str, Any]:
    """Show a label.

    Raises:
        UnknownLabel: The store has no such label.
    """
    if labels.label_named(tx, label_id).store_id != store_id:
        raise UnknownLabel(f"no label {label_id!r}")
    [tile] = tiles_of(tx, [label_id])
    return _label_view(glance_at(tile, online), "L")


def _label_view(glance: Glance, projection: str) -> dict[str, Any]:
    label = glance.label
    view: dict[str, Any] = {"barcode": glance.code, "modelName": label.panel_id}
    if projection == "S":
        return view
    links = [
        {"barcode": glance.code, "itemId": sku, "displayPosition": place}
        for place, sku in enumerate(glance.tile.skus)
    ]
    view |= {"plState": _STATE[glance.doing], "links": links}
    if projection == "L":
        seen = instant_or_none(label.seen_at)
        view |= {
            "battery": glance.battery,
            "firmware": label.firmware,
            "lastHeard": seen,
            "connected": glance.online,
            "problem": label.trouble_detail or label.trouble,
        }
    return view
