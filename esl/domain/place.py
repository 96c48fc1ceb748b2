"""Stores, their gateways and labels, and which product each label speaks for."""

from dataclasses import dataclass
from datetime import datetime

from esl.domain.ids import GatewayId, LabelId, PanelId, Sku, StoreId


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A shop: its money, its language, its time zone, and where its QR codes lead."""

    store_id: StoreId
    name: str
    currency: str
    locale: str
    timezone: str
    link_base: str | None
    read_back_percent: int = 1  # of a hundred pictures, how many a second decoder reads back
    shop_link: str | None = None  # pattern of the QR addresses: `esl.domain.shop_link`


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway on the ceiling, as last heard of."""

    gateway_id: GatewayId
    store_id: StoreId
    session: str
    online: bool
    heard_at: datetime | None
    level: str | None
    firmware: str | None
    capacity: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLabel:
    """A label to register: its id, its model, and the gateway that reaches it if known."""

    label_id: LabelId
    store_id: StoreId
    panel_id: PanelId
    gateway_id: GatewayId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """A label and the product it speaks for."""

    label_id: LabelId
    sku: Sku
