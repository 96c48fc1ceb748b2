"""A shop's gateways and labels, built from enrolments and run on their broker.

::

    async with Shop(fittings, clock=clock, sleep=sleep, seed=7) as shop:
        await shop.connected()
        shop.restart_gateway("gw-1")
        shop.labels["label-1"].shown_pixels

Everything by chance (sessions, painting times, signal, faults) follows from the seed, each
gateway drawing from its own stream.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random
from types import TracebackType
from typing import Self

from esl.domain.clock import Clock
from esl.domain.panel import Panel
from gateway.mqtt import BrokerAddress
from gateway.wire.enrolment import Enrolment
from simulator.faults import Faults
from simulator.gateway import GatewayOptions, SimGateway
from simulator.label import SimLabel
from simulator.uplink import Uplink
from simulator.waiting import Sleep

_DBM_RANGE = (-88, -45)

Fitting = tuple[Enrolment, Iterable[tuple[str, Panel]]]
"""A gateway's enrolment, and the id and panel of each label in its range."""


class Shop:
    """Simulated gateways and labels, running while its block runs.

    Args:
        fittings: The gateways. A label may be in the range of several.
        clock: The machine's clocks, or a test's.
        sleep: Waits so many seconds of that clock.
        seed: Where all chance comes from.
        options: How gateways and labels behave.
        faults: What goes wrong between gateways and controller.
    """

    def __init__(
        self,
        fittings: Iterable[Fitting],
        *,
        clock: Clock,
        sleep: Sleep,
        seed: int = 0,
        options: GatewayOptions | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.labels: dict[str, SimLabel] = {}
        self.gateways: dict[str, SimGateway] = {}
        self.faults = faults
        self._uplinks: dict[str, Uplink] = {}
        self._group = asyncio.TaskGroup()
        self._running: asyncio.Task[None] | None = None
        for enrolment, labels in fittings:
            gateway_id = enrolment.gateway
            random = Random(f"{seed}/{gateway_id}")  # noqa: S311  seeded chance
            gateway = SimGateway(
                gateway_id,
                [self._label(label_id, panel, random) for label_id, panel in labels],
                enrolment.public_keys(),
                random=random,
                options=options or GatewayOptions(),
            )
            self.gateways[gateway_id] = gateway
            self._uplinks[gateway_id] = Uplink(
                gateway,
                _address(enrolment),
                clock=clock,
                sleep=sleep,
                random=random,
                down_faults=faults.stream(f"{gateway_id}/down") if faults else None,
                up_faults=faults.stream(f"{gateway_id}/up") if faults else None,
            )

    def _label(self, label_id: str, panel: Panel, random: Random) -> SimLabel:
        label = self.labels.get(label_id)
        if label is None:
            dbm = random.randint(*_DBM_RANGE)
            label = self.labels[label_id] = SimLabel(label_id, panel, rssi_dbm=dbm)
        return label

    # -- life ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for gateway_id, uplink in self._uplinks.items():
                tasks.create_task(uplink.run(), name=f"simulated gateway {gateway_id}")

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._running = self._group.create_task(self.run(), name="simulated shop")
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

    @property
    def counts(self) -> Mapping[str, int]:
        """What went wrong so far, over all gateways: payloads refused, lost connections …."""
        counts: Counter[str] = Counter()
        for uplink in self._uplinks.values():
            counts.update(uplink.counts)
            counts.update(uplink.gateway.dropped)
        return counts


def _address(enrolment: Enrolment) -> BrokerAddress:
    return BrokerAddress(
        host=enrolment.host,
        port=enrolment.port,
        username=enrolment.username,
        password=enrolment.password,
        tls=enrolment.tls,
    )
