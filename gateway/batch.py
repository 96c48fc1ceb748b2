"""What passes between the parts of a dispatcher's step.

begin ──▶ `Batch` ──▶ draw ──▶ `Draft` ──▶ finish ──▶ `Step` ──▶ begin, with what it claimed …
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from esl.domain.ids import Digest, GatewayId, LabelId
from esl.services.deliveries import DueLabel, Plan, Sending, StoredFrame
from esl.services.neutral import NeutralBook
from gateway.bases import Base
from gateway.easel import Drawn
from gateway.link import COMMANDS_MOST, Outgoing
from gateway.wire.messages import MAX_PAYLOAD_BYTES

PAYLOAD_ROOM_BYTES = 48 * 1024
"""Pictures with their envelopes put into one payload, of the 64 KiB agreed. What is larger alone
travels in parts."""

PAYLOAD_LEAST_BYTES = 2048
"""The smallest payload that we make use of; a gateway must take one of this size."""

ENVELOPE_BYTES = 384
"""Room for the other fields of a put: the longest need 350, usual ones 180."""

_PAYLOAD_ENVELOPE_BYTES = 256  # header and signature: 233 with the longest names


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Claimed labels with their truth, as it was read once.

    ``claimed`` counts labels that are gone meanwhile, too. ``bases`` are the frames that they
    show, as far as they are known; ``neutral`` is what a label shows that may
    not show a price.
    """

    claimed: int
    due: tuple[DueLabel, ...]
    now: datetime
    bases: Mapping[Digest, Base] = field(default_factory=dict)
    neutral: NeutralBook = field(default_factory=NeutralBook)


@dataclass(frozen=True, slots=True)
class Piece:
    """A sending's picture, or the part of it from byte ``start`` to ``stop`` of its data."""

    sending: Sending
    start: int
    stop: int
    is_part: bool = False


@dataclass(slots=True, kw_only=True)
class Draft:
    """A batch drawn: what becomes of each label, in the making. Nothing of it is written yet."""

    batch: Batch
    sendings: list[Sending] = field(default_factory=list)
    renewed: list[LabelId] = field(default_factory=list)
    drawn: dict[LabelId, Drawn] = field(default_factory=dict)  # of each sending
    unchanged: list[tuple[LabelId, int, Digest]] = field(default_factory=list)
    refused: list[tuple[LabelId, int, str, str]] = field(default_factory=list)
    replaced: list[tuple[LabelId, int, str, str]] = field(default_factory=list)  # neutral faces

    def plan(self) -> Plan:
        """Return it as it is written down."""
        kept: dict[Digest, StoredFrame] = {}
        for drawn in self.drawn.values():
            before = kept.get(drawn.digest)
            if before is None or drawn.kept.depth < before.depth:
                kept[drawn.digest] = drawn.kept
        return Plan(
            sendings=self.sendings,
            renewed=self.renewed,
            pictures=kept,
            unchanged=self.unchanged,
            refused=self.refused,
            replaced=self.replaced,
        )

    def payloads(self) -> list[Sequence[Piece]]:
        """Group sendings by gateway, in their order, as many as one payload of it holds."""
        room = {
            label.gateway_id: room_of(label.payload_bytes)
            for label in self.batch.due
            if label.label_id in self.drawn
        }
        groups: dict[GatewayId, list[Sending]] = defaultdict(list)
        for sending in self.sendings:
            groups[sending.gateway_id].append(sending)
        return [
            payload
            for gateway_id, sendings in groups.items()
            for payload in self._fill(sendings, room[gateway_id])
        ]

    def _fill(self, sendings: Sequence[Sending], room: int) -> Iterator[Sequence[Piece]]:
        payload: list[Piece] = []
        left = room
        for sending in sendings:
            size = len(self.drawn[sending.label_id].travels.data)
            if size + ENVELOPE_BYTES > room:
                most = room - ENVELOPE_BYTES
                for start in range(0, size, most):
                    yield [Piece(sending, start, min(start + most, size), is_part=True)]
                continue
            if size + ENVELOPE_BYTES > left or len(payload) >= COMMANDS_MOST:
                yield payload
                payload, left = [], room
            payload.append(Piece(sending, 0, size))
            left -= size + ENVELOPE_BYTES
        if payload:
            yield payload


def room_of(payload_bytes: int | None) -> int:
    """Say how many bytes of puts one payload for a gateway holds; it may not have said its size."""
    largest = max(payload_bytes or MAX_PAYLOAD_BYTES, PAYLOAD_LEAST_BYTES)
    return min(PAYLOAD_ROOM_BYTES, largest - _PAYLOAD_ENVELOPE_BYTES)


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
