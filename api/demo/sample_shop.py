"""The sample shop: 60 products in eight languages and the labels on its shelves."""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

from esl.domain.ids import GatewayId, LabelId, PanelId

STORE = "demo"
STORE_BODY = {
    "name": "Demo market",
    "currency": "EUR",
    "locale": "hr_HR",
    "timezone": "Europe/Zagreb",
    "guards": {"on": False, "reason": "the demo's till invents its prices"},
}
GATEWAYS = (GatewayId("aisle-1"), GatewayId("aisle-2"))

_PANEL_EVERY = (
    PanelId("bwry-296x128"),
    PanelId("bwry-296x128"),
    PanelId("bwry-250x122"),
    PanelId("bwry-296x128"),
    PanelId("bwry-400x300"),
    PanelId("bwry-250x122"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One label on the sample shelf: its model, the gateway that reaches it, its product."""

    label_id: LabelId
    panel_id: PanelId
    gateway_id: GatewayId
    sku: str


def products() -> list[dict[str, Any]]:
    """Return the products, as a till would send them."""
    text = resources.files("api.demo").joinpath("sample_products.json").read_text("utf-8")
    loaded: list[dict[str, Any]] = json.loads(text)
    return loaded


def shelf(count: int) -> list[Place]:
    """Return the first ``count`` labels; products repeat once all have one."""
    skus = [str(product["sku"]) for product in products()]
    # A stride through the list shows every kind of product on a small shelf.
    stride = 7
    return [
        Place(
            label_id=LabelId(f"shelf-{number + 1:04d}"),
            panel_id=_PANEL_EVERY[number % len(_PANEL_EVERY)],
            gateway_id=GATEWAYS[number % len(GATEWAYS)],
            sku=skus[number * stride % len(skus)],
        )
        for number in range(count)
    ]
