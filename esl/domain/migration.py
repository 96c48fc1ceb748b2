"""What another system knew of a shop's labels, and what became of each row of it.

row of a file ──▶ registered · paired · moved · placed   taken
├─▶ nothing of it is new                   unchanged
└─▶ it contradicts what we know            rejected, with the fix
"""

from dataclasses import dataclass
from enum import StrEnum

from esl.domain.ids import GatewayId, LabelId, PanelId, Sku


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingRow:
    """A label as another system knew it. What is None, the row does not speak of."""

    row: int  # as a person counts: the first line of a file is 1
    label_id: LabelId
    sku: Sku | None = None
    more: tuple[Sku, ...] = ()  # products beside it on the same label
    panel_id: PanelId | None = None
    gateway_id: GatewayId | None = None
    place: str | None = None  # aisle, shelf: where it hangs

    @property
    def skus(self) -> tuple[Sku, ...]:
        """Return its products in their order on the label; none if the row speaks of none."""
        return (self.sku, *self.more) if self.sku is not None else ()


class Done(StrEnum):
    """What a row did, or would do."""

    REGISTERED = "registered"  # the label is expected from now on
    PAIRED = "paired"
    MOVED = "moved"  # paired with another product before
    ROUTED = "routed"  # had no gateway before
    PLACED = "placed"


class RowDecision(StrEnum):
    """What became of a row."""

    TAKEN = "taken"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOutcome:
    """What became of a row, and of a refused one why and what to do."""

    row: int
    label: str
    decision: RowDecision
    done: tuple[Done, ...] = ()
    sku: Sku | None = None
    more: tuple[Sku, ...] = ()
    before: tuple[Sku, ...] = ()  # what a moved label spoke for
    field: str = ""
    reason: str = ""
    fix: str = ""
