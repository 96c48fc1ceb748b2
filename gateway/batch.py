"""What passes between the parts of a dispatcher's step.

begin ──▶ `Batch` ──▶ draw ──▶ `Draft` ──▶ finish ──▶ `Step` ──▶ begin, with what it claimed …
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from esl.domain.ids import Digest, GatewayId, LabelId
from esl.services.deliveries import DueLabel, Plan, Sending, StoredFrame
from gateway.link import COMMANDS_MOST, Outgoing

PAYLOAD_ROOM_BYTES = 48 * 1024
"""Pictures put into one payload, of the 64 KiB agreed; the rest is for their envelopes."""

_ENVELOPE_BYTES = 256  # generous: a put's other fields take about 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Claimed labels with their truth, as it was read once.

    ``claimed`` counts labels that are gone meanwhile, too.
    """

    claimed: int
    due: tuple[DueLabel, ...]
    now: datetime


@dataclass(slots=True, kw_only=True)
class Draft:
    """A batch drawn: what becomes of each label, in the making. Nothing of it is written yet."""

    batch: Batch
    sendings: list[Sending] = field(default_factory=list)
    renewed: list[LabelId] = field(default_factory=list)
    pictures: dict[Digest, StoredFrame] = field(default_factory=dict)
    unchanged: list[tuple[LabelId, int, Digest]] = field(default_factory=list)
    refused: list[tuple[LabelId, int, str, str]] = field(default_factory=list)

    def plan(self) -> Plan:
        """Return it as it is written down."""
        return Plan(
            sendings=self.sendings,
            renewed=self.renewed,
            pictures=self.pictures,
            unchanged=self.unchanged,
            refused=self.refused,
        )

    def payloads(self) -> Iterator[list[Sending]]:
        """Group sendings by gateway, in their order, as many as one payload holds."""
        groups: dict[GatewayId, list[Sending]] = defaultdict(list)
        sizes: dict[GatewayId, int] = defaultdict(int)
        for sending in self.sendings:
            size = len(self.pictures[sending.digest].data) + _ENVELOPE_BYTES
            group = groups[sending.gateway_id]
            if group and (
                sizes[sending.gateway_id] + size > PAYLOAD_ROOM_BYTES or len(group) >= COMMANDS_MOST
            ):
                yield group
                group = groups[sending.gateway_id] = []
                sizes[sending.gateway_id] = 0
            group.append(sending)
            sizes[sending.gateway_id] += size
        yield from (group for group in groups.values() if group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step did: payloads to publish, labels whose state people see changed.

    ``claimed`` are labels that were taken for the next batch in the same transaction; they go to
    `Dispatcher.begin`.
    """

    looked_at: int = 0
    outgoing: tuple[Outgoing, ...] = ()
    changed: tuple[LabelId, ...] = ()
    claimed: tuple[LabelId, ...] = ()
