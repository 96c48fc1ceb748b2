"""Keeps a worker's leases, and lets the rest of the worker follow them.

    gained   listen to the gateway's topics; its retained state then begins its session with us
    lost     stop listening, forget its window: what is under way, its new holder asks about

Two tasks, because a database that hangs must not keep us from seeing that our time is over.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import structlog

from esl.domain.errors import Unavailable
from esl.domain.ids import GatewayId
from gateway.leases import RENEW_S, Change, Leases, next_look_s
from gateway.mqtt import MqttConnection
from gateway.roster import Roster
from gateway.wire.topics import state_topic, up_topic

LAPSE_LOOK_S = 0.5
"""How often we look whether our own time is over."""

_RETRY_DATABASE_S = 1.0

log = structlog.get_logger()


class LeaseKeeper:
    """Owns the tasks that keep leases; run it beside the worker.

    Args:
        leases: Ours.
        roster: Follows them: it knows the gateways we hold and no others.
        mqtt: Listens to their topics and no others.
        changed: Called on the loop when gateways came or went.
        renew_s: Seconds between renewals.
    """

    def __init__(
        self,
        *,
        leases: Leases,
        roster: Roster,
        mqtt: MqttConnection,
        changed: Callable[[], None],
        renew_s: float = RENEW_S,
    ) -> None:
        self._leases = leases
        self._roster = roster
        self._mqtt = mqtt
        self._changed = changed
        self._renew_s = renew_s
        self._look = asyncio.Event()

    def look(self) -> None:
        """Look at the leases now: gateways were added or given back. Called on the loop."""
        self._look.set()

    async def run(self) -> None:
        """Keep leases until cancelled; then give them back.

        Raises:
            SetupError: Another process took this worker's name.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._renew(), name="lease renewal")
                tasks.create_task(self._watch(), name="lease watch")
        finally:
            self._follow(self._leases.drop())
            with contextlib.suppress(Unavailable):  # then they end by themselves
                await asyncio.shield(asyncio.to_thread(self._leases.leave))

    async def _renew(self) -> None:
        while True:
            self._look.clear()
            try:
                answer = await asyncio.to_thread(self._leases.renew)
            except Unavailable as exc:
                log.warning("leases wait for the database", reason=str(exc))
                wait_s = _RETRY_DATABASE_S
            else:
                self._follow(self._leases.take(answer))
                wait_s = next_look_s(answer.kept, renew_s=self._renew_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._look.wait()

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAPSE_LOOK_S):
                    await asyncio.Event().wait()
            change = self._leases.lapse()
            if change.lost:
                log.warning("leases ran out: the database did not answer", lost=len(change.lost))
                self._follow(change)

    def _follow(self, change: Change) -> None:
        if change.lost:
            self._mqtt.unfollow(_topics(change.lost))
            self._roster.remove(change.lost)
        if change.gained:
            self._roster.add(change.gained.items())
            self._mqtt.follow(_topics(change.gained))
        if change.lost or change.gained:
            held = len(self._leases.held)
            log.info(
                "gateways changed hands",
                gained=len(change.gained),
                lost=len(change.lost),
                held=held,
            )
            self._changed()


def _topics(gateway_ids: Iterable[GatewayId]) -> list[str]:
    return [topic(g) for g in sorted(gateway_ids) for topic in (state_topic, up_topic)]
