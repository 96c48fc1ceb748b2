"""Staged pictures, timed shows and cancels, divided into payloads that their gateways take."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from esl.domain.ids import GatewayId, LabelId
from esl.domain.staged import Staged
from esl.services.deliveries import DueLabel
from esl.services.staging import DrawnPicture
from gateway.batch import ENVELOPE_BYTES
from gateway.link import COMMANDS_MOST

_TAKES_PARTS = "full"
_ENTRY_BYTES = 128  # of a show or a cancel: 117 with the longest ids

Key = tuple[LabelId, int]
"""A label and a slot."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class StagedPayload:
    """One signed payload in the making: staged pictures and what is said of each."""

    gateway_id: GatewayId
    puts: list[tuple[DrawnPicture, bytes, int, int]] = field(default_factory=list)  # from, to
    arms: list[DrawnPicture] = field(default_factory=list)
    cancels: list[Staged] = field(default_factory=list)
    at: datetime | None = None


def fill_payloads(
    puts: Sequence[DrawnPicture],
    arms: Sequence[DrawnPicture],
    cancels: Sequence[Staged],
    future: Mapping[Key, DueLabel],
    *,
    room: Mapping[GatewayId, int],
) -> Iterable[StagedPayload]:
    """Divide what is to be said into payloads: cancels, then shows, then pictures.

    ``room`` is how many bytes of commands one payload for each gateway holds.
    """
    for gateway_id, some in _by_gateway((one.gateway_id, one) for one in cancels):
        most = room[gateway_id] // _ENTRY_BYTES
        for start in range(0, len(some), most):
            yield StagedPayload(gateway_id, cancels=some[start : start + most])
    moments = _by_gateway(((d.staged.gateway_id, d.staged.show_at), d) for d in arms)
    for (gateway_id, at), some_arms in moments:
        most = room[gateway_id] // _ENTRY_BYTES
        for start in range(0, len(some_arms), most):
            here = some_arms[start : start + most]
            yield StagedPayload(gateway_id, arms=here, at=at)
    for gateway_id, some_puts in _by_gateway((d.staged.gateway_id, d) for d in puts):
        first = some_puts[0].staged
        level = future[first.label_id, first.slot].level
        yield from _fill_puts(gateway_id, some_puts, level=level, room=room[gateway_id])


def _fill_puts(
    gateway_id: GatewayId, puts: Sequence[DrawnPicture], *, level: str | None, room: int
) -> Iterable[StagedPayload]:
    """Fill payloads of one gateway; a picture larger than one travels in parts, if it may."""
    payload, left = StagedPayload(gateway_id), room
    for drawn in puts:
        data = drawn.kept.data
        size = len(data) + ENVELOPE_BYTES
        if size > room:
            if level != _TAKES_PARTS:
                continue  # looked at again, in vain, until its moment: then it is sent as it can
            most = room - ENVELOPE_BYTES
            for start in range(0, len(data), most):
                yield StagedPayload(
                    gateway_id, puts=[(drawn, data[start : start + most], start, len(data))]
                )
            continue
        if size > left or len(payload.puts) >= COMMANDS_MOST:
            yield payload
            payload, left = StagedPayload(gateway_id), room
        payload.puts.append((drawn, data, 0, len(data)))
        left -= size
    if payload.puts:
        yield payload


def _by_gateway(pairs: Iterable[tuple[K, V]]) -> Iterable[tuple[K, list[V]]]:
    groups: dict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups.items()
