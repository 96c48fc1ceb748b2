"""Payloads on their way to the broker, each gateway's in a lane of its own.

    put ──▶ waiting ──▶ out, at most `PAYLOADS_OUT_MOST` ──▶ acknowledged
               │         │
               └─────────┴── one failed or is late: all of the gateway's that wait are given back

Nobody waits for a publish, so a gateway whose payloads hang delays no other. Payloads of one
gateway leave in their order: the counters that they are signed with must rise.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

import structlog

from esl.domain.ids import GatewayId, LabelId
from esl.store import traces
from gateway.link import Outgoing
from gateway.mqtt import Acknowledgement, MqttError

PAYLOADS_OUT_MOST = 4
"""Payloads of one gateway that the broker has not acknowledged."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Lane:
    waiting: deque[Outgoing] = field(default_factory=deque)
    out: int = 0


class Outbox:
    """Sends payloads in their turn; used on the event loop.

    ``send`` begins to publish one. ``unsent`` is told a gateway and its labels whose payloads
    the broker did not take; they may have arrived all the same. ``published`` is told each payload
    that it took.
    """

    def __init__(
        self,
        send: Callable[[Outgoing], Acknowledgement],
        unsent: Callable[[GatewayId, frozenset[LabelId]], None],
        published: Callable[[Outgoing], None],
    ) -> None:
        self._published = published
        self._send = send
        self._unsent = unsent
        self._lanes: dict[GatewayId, _Lane] = {}

    def __len__(self) -> int:
        """Count the payloads that wait or are out."""
        return sum(len(lane.waiting) + lane.out for lane in self._lanes.values())

    def put(self, outgoing: Iterable[Outgoing]) -> None:
        """Send payloads, after those that the same gateway still waits for."""
        touched: dict[GatewayId, None] = {}
        for payload in outgoing:
            self._lanes.setdefault(payload.gateway_id, _Lane()).waiting.append(payload)
            touched[payload.gateway_id] = None
        for gateway_id in touched:
            self._push(gateway_id)

    def _push(self, gateway_id: GatewayId) -> None:
        lane = self._lanes[gateway_id]
        while lane.waiting and lane.out < PAYLOADS_OUT_MOST:
            payload = lane.waiting.popleft()
            lane.out += 1
            self._send(payload).add_done_callback(partial(self._end, payload))
        if not lane.out:
            del self._lanes[gateway_id]

    def _end(self, payload: Outgoing, acknowledged: Acknowledgement) -> None:
        gateway_id = payload.gateway_id
        lane = self._lanes[gateway_id]
        lane.out -= 1
        failure = None if acknowledged.cancelled() else acknowledged.exception()
        if failure is not None and not isinstance(failure, MqttError):
            raise failure
        if failure is not None or acknowledged.cancelled():
            given_back = (payload, *lane.waiting)
            lane.waiting.clear()
            log.debug("not published", gateway=gateway_id, reason=str(failure))
            self._unsent(gateway_id, frozenset(x for p in given_back for x in p.label_ids))
        else:
            self._published(payload)
            self._trace(payload)
        self._push(gateway_id)

    @staticmethod
    def _trace(payload: Outgoing) -> None:
        if payload.revs and traces.is_on():
            for label_id, rev in zip(payload.label_ids, payload.revs, strict=True):
                log.debug(
                    "picture published", change=rev, label=label_id, gateway=payload.gateway_id
                )
