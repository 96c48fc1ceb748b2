"""Answers in SoluM's words."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import Connection

from api.compat.glance import LABELS_LOOKED_AT, Doing, Glance, glance_at, glance_at_all
from api.compat.place import Desk
from esl.domain.errors import InvalidInput, UnknownLabel
from esl.domain.ids import Digest, GatewayId, LabelId, StoreId
from esl.domain.instants import instant_or_none
from esl.domain.money import format_minor
from esl.domain.panel import Panels
from esl.domain.pricing import Decision
from esl.domain.product import Product
from esl.intake.compat.items import Sent, path_of
from esl.services.compat_items import TakenItems
from esl.store import labels, places
from esl.store.product_pages import ListedProduct, count_products, page_of_products
from esl.store.wall import tiles_of
from gateway.bases import load_pixels
from renderer.preview import png_bytes

_FILTERS = ("status", "network", "battery", "signal")
_STATUS = {Doing.SHOWN: "SUCCESS", Doing.SENDING: "PROCESSING", Doing.FAILED: "TIMEOUT"}
_TAKEN = (Decision.ACCEPTED, Decision.UNCHANGED, Decision.SUPERSEDED)

Filter = Mapping[str, str]


def store_view(tx: Connection, store_id: StoreId, code: str, company: str) -> dict[str, Any]:
    """A store, with how many labels and gateways it has."""
    store = places.store_named(tx, store_id)
    return {
        "store": code,
        "storeName": store.name,
        "company": company,
        "country": store.locale.partition("_")[2],
        "labelCount": labels.count_labels(tx, store_id),
        "gatewayCount": len(places.list_gateways(tx, store_id)),
        "zoneId": store.timezone,
    }


def summary_view(
    tx: Connection, store_id: StoreId, online: AbstractSet[GatewayId]
) -> dict[str, int]:
    """Count labels by what became of them, by battery and by line; and gateways."""
    glances = glance_at_all(tx, store_id, online, start=0, limit=LABELS_LOOKED_AT)
    doing = Counter(glance.doing for glance in glances)
    battery = Counter(glance.battery for glance in glances)
    on_line = sum(glance.online for glance in glances)
    gateways = places.list_gateways(tx, store_id)
    gateways_on_line = sum(gateway.gateway_id in online for gateway in gateways)
    assigned = {glance.tile.sku for glance in glances if glance.tile.sku is not None}
    return {
        "updatedLabelCount": doing[Doing.SHOWN],
        "inProgressLabelCount": doing[Doing.SENDING],
        "notUpdatedLabelCount": doing[Doing.FAILED],
        "totalLabelCount": len(glances),
        "goodBatteryCount": battery["GOOD"],
        "lowBatteryCount": battery["LOW"] + battery["BAD"],
        "onlineLabelCount": on_line,
        "offlineLabelCount": len(glances) - on_line,
        "onlineGwCount": gateways_on_line,
        "offlineGwCount": len(gateways) - gateways_on_line,
        "totalAssignedProductCount": len(assigned),
        "totalProductCount": count_products(tx, store_id),
    }


def article_errors(sent: Sequence[Sent], taken: TakenItems) -> list[dict[str, str]]:
    """Say which articles were not taken as they were sent, and why."""
    return [
        {
            "articleId": one.key[:64],
            "errorCode": result.decision.upper(),
            "errorMessage": result.words,
        }
        for one, result in zip(sent, taken.results, strict=True)
        if result.decision not in _TAKEN or result.words
    ]


def articles_view(tx: Connection, desk: Desk, *, start: int, limit: int) -> list[dict[str, Any]]:
    """List articles; their data stands under the names that the mapping reads."""
    found = page_of_products(tx, desk.store.store_id, start=start, limit=limit)
    return [_article_view(one, desk) for one in found]


def _article_view(one: ListedProduct, desk: Desk) -> dict[str, Any]:
    data: dict[str, str] = {}
    for target, text in _texts_of(one, desk.store.currency).items():
        path = path_of(desk.mapping, target)
        if text is not None and path is not None and path[0] == "data" and len(path) == 2:  # noqa: PLR2004
            data[path[1]] = text
    return {
        "articleId": one.product.sku,
        "articleName": one.product.name,
        "nfcUrl": one.product.link,
        "data": data,
        "assignedLabel": [label_id.upper() for label_id in one.labels],
    }


def _texts_of(one: ListedProduct, currency: str) -> dict[str, str | None]:
    product: Product = one.product
    texts: dict[str, str | None] = {
        "brand": product.brand,
        "category": product.category,
        "origin": product.origin,
        "gtin": product.gtin,
        "stock": str(product.stock) if product.stock is not None else None,
    }
    price = one.price
    if price is not None:
        asked = price.regular_minor if price.regular_minor is not None else price.price_minor
        texts["price"] = format_minor(asked, currency)
        texts["promotion_price"] = format_minor(price.price_minor, currency)
    return texts


def label_filter(query: Mapping[str, str], *, unassigned: bool) -> Filter:
    """Read the filters of a list of labels.

    Raises:
        InvalidInput: One of them is no word.
    """
    wanted = {name: query[name].upper() for name in _FILTERS if query.get(name)}
    for name, word in wanted.items():
        if not word.isalpha():
            raise InvalidInput.at(f"/{name}", "not a word", fix="Leave it out.")
    return wanted | ({"assigned": "NO"} if unassigned else {})


def labels_view(
    tx: Connection,
    store_id: StoreId,
    online: AbstractSet[GatewayId],
    wanted: Filter,
    *,
    start: int,
    limit: int,
) -> list[dict[str, Any]]:
    """List labels by code."""
    if not wanted:
        found = glance_at_all(tx, store_id, online, start=start, limit=limit)
    else:
        every = glance_at_all(tx, store_id, online, start=0, limit=LABELS_LOOKED_AT)
        found = [glance for glance in every if _fits(glance, wanted)][start : start + limit]
    return [label_view(glance) for glance in found]


def label_view(glance: Glance) -> dict[str, Any]:
    """A label, its article and how it does."""
    label, tile = glance.label, glance.tile
    network = "ONLINE" if glance.online else "OFFLINE"
    seen = instant_or_none(label.seen_at)
    articles: list[dict[str, str | None]] = [{"articleId": sku} for sku in tile.skus]
    if articles:
        articles[0]["articleName"] = tile.name
    return {
        "labelCode": glance.code,
        "articleList": articles,
        "status": _STATUS[glance.doing],
        "battery": glance.battery,
        "signal": glance.signal,
        "network": network,
        "networkStatus": network,
        "firmwareVersion": label.firmware,
        "gateway": label.gateway_id,
        "labelType": label.panel_id,
        "lastUpdateTime": seen,
        "statusUpdateTime": seen,
        "statusMessage": label.trouble_detail or label.trouble,
    }


def detail_view(
    tx: Connection,
    store_id: StoreId,
    label_id: LabelId,
    online: AbstractSet[GatewayId],
    panels: Panels,
) -> dict[str, Any]:
    """A label with the picture that it said it shows, as PNG in base64.

    Raises:
        UnknownLabel: The store has no such label.
    """
    state = labels.label_named(tx, label_id)
    if state.store_id != store_id:
        raise UnknownLabel(f"no label {label_id!r}")
    [tile] = tiles_of(tx, [label_id])
    images: list[dict[str, Any]] = []
    digest = state.shown_digest
    pixels = load_pixels(tx, Digest(digest), panels) if digest else None
    if pixels is not None:
        png = png_bytes(pixels, panels.named(state.panel_id))
        images = [{"page": 1, "content": base64.b64encode(png).decode()}]
    return label_view(glance_at(tile, online)) | {"displayImageList": images}


def _fits(glance: Glance, wanted: Filter) -> bool:
    has = {
        "status": _STATUS[glance.doing],
        "network": "ONLINE" if glance.online else "OFFLINE",
        "battery": glance.battery,
        "signal": glance.signal,
        "assigned": "NO" if glance.tile.sku is None else "YES",
    }
    return all(has[name] == word for name, word in wanted.items())
