"""Stores, their gateways and labels, and which product each label speaks for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

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
    law: str | None = None  # name of its law profile: `esl.domain.law.chosen`
    law_goods: str | None = None  # JSON: its categories that laws name: `esl.domain.law.goods`


class Neutral(StrEnum):
    """What becomes of a label that may no longer show its price."""

    FACE = "face"  #: it shows the neutral face
    TASK = "task"  #: a person takes it off the shelf


class UnknownLabels(StrEnum):
    """What becomes of labels that a gateway hears and nobody has registered."""

    IGNORE = "ignore"
    ADOPT = "adopt"  #: they become unpaired rows, until `StorePolicy.adopt_until`


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePolicy:
    """What a store does with labels in doubt, and how long a verdict may take."""

    neutral: Neutral = Neutral.FACE
    unknown_labels: UnknownLabels = UnknownLabels.IGNORE
    adopt_until: datetime | None = None
    verdict_within: timedelta = timedelta(seconds=900)


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


PRODUCTS_MOST = 16
"""Products on one label, as many as a template may show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """A label and the product it speaks for, and ``more`` beside it on the same label.

    ``place`` is where it hangs from now on; None leaves that as it is.
    """

    label_id: LabelId
    sku: Sku
    more: tuple[Sku, ...] = ()
    place: str | None = None

    @property
    def skus(self) -> tuple[Sku, ...]:
        """Return its products in their order on the label."""
        return (self.sku, *self.more)
