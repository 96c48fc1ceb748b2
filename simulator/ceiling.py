"""Gateways on the ceiling: each on its broker, started and ended together, and their buttons."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from gateway.mqtt import BrokerAddress
from gateway.wire.enrolment import Enrolment
from simulator.uplink import Uplink


class Ceiling:
    """Gateways that run while its block runs."""

    def __init__(self, uplinks: Mapping[str, Uplink]) -> None:
        self._uplinks = dict(uplinks)
        self._group = asyncio.TaskGroup()
        self._running: asyncio.Task[None] | None = None

    # -- life ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for gateway_id, uplink in self._uplinks.items():
                tasks.create_task(uplink.run(), name=f"simulated gateway {gateway_id}")

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._running = self._group.create_task(self.run(), name="simulated gateways")
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._running is not None:
            self._running.cancel()
        await self._group.__aexit__(exc_type, exc, traceback)

    async def stop(self) -> None:
        """Take every gateway off the broker, before the block ends."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def connected(self) -> None:
        """Wait until every gateway that has power has said hello."""
        for uplink in self._uplinks.values():
            if uplink.powered:
                await uplink.connected.wait()

    # -- buttons and dials ---------------------------------------------------------------------

    def restart_gateway(self, gateway_id: str) -> None:
        """Reboot a gateway: new session, work in hand lost; labels keep their glass."""
        self._uplinks[gateway_id].restart()

    def switch_off(self, gateway_id: str) -> None:
        """Take a gateway's power away."""
        self._uplinks[gateway_id].switch_off()

    def switch_on(self, gateway_id: str) -> None:
        """Give it back."""
        self._uplinks[gateway_id].switch_on()

    def is_connected(self, gateway_id: str) -> bool:
        """Say whether a gateway has said hello on a connection that stands."""
        return self._uplinks[gateway_id].connected.is_set()

    def is_powered(self, gateway_id: str) -> bool:
        """Say whether a gateway is switched on."""
        return self._uplinks[gateway_id].powered

    @property
    def counts(self) -> Mapping[str, int]:
        """What went wrong so far, over all gateways: payloads refused, lost connections …."""
        counts: Counter[str] = Counter()
        for uplink in self._uplinks.values():
            counts.update(uplink.counts)
            counts.update(uplink.gateway.dropped)
        return counts


def broker_of(enrolment: Enrolment) -> BrokerAddress:
    """Where the enrolled gateway finds its broker, and its login."""
    return BrokerAddress(
        host=enrolment.host,
        port=enrolment.port,
        username=enrolment.username,
        password=enrolment.password,
        tls=enrolment.tls,
        ca_pem=enrolment.ca_pem,
    )
