"""What people do to labels: a button pressed, a phone held to the tag."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from esl.domain.ids import GatewayId, LabelId, StoreId


class TouchKind(StrEnum):
    """How a label was touched."""

    PRESSED = "pressed"  #: its button
    TAPPED = "tapped"  #: its NFC tag was read


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """Somebody touched a label; ``at`` is by the gateway's clock, None where it means nothing.

    ``button`` counts from 0; None for a tag.
    """

    label_id: LabelId
    store_id: StoreId
    gateway_id: GatewayId
    kind: TouchKind
    button: int | None = None
    at: datetime | None = None
