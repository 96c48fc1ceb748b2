"""A shop's gateways and labels, built from enrolments and run on their broker.

::

    async with Shop(fittings, clock=clock, sleep=sleep, seed=7) as shop:
        await shop.connected()
        shop.restart_gateway("gw-1")
        shop.labels["label-1"].shown_pixels

Everything by chance (sessions, painting times, signal, faults) follows from the seed, each
gateway drawing from its own stream.
"""

from collections.abc import Iterable
from random import Random

from esl.domain.clock import Clock
from esl.domain.panel import Panel
from gateway.wire.enrolment import Enrolment
from simulator.ceiling import Ceiling, broker_of
from simulator.faults import Faults
from simulator.gateway import GatewayOptions, SimGateway
from simulator.label import SimLabel
from simulator.uplink import Uplink
from simulator.waiting import Sleep

_DBM_RANGE = (-88, -45)

Fitting = tuple[Enrolment, Iterable[tuple[str, Panel]]]
"""A gateway's enrolment, and the id and panel of each label in its range."""


class Shop(Ceiling):
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
        uplinks: dict[str, Uplink] = {}
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
            uplinks[gateway_id] = Uplink(
                gateway,
                broker_of(enrolment),
                clock=clock,
                sleep=sleep,
                random=random,
                down_faults=faults.stream(f"{gateway_id}/down") if faults else None,
                up_faults=faults.stream(f"{gateway_id}/up") if faults else None,
            )
        super().__init__(uplinks)

    def _label(self, label_id: str, panel: Panel, random: Random) -> SimLabel:
        label = self.labels.get(label_id)
        if label is None:
            dbm = random.randint(*_DBM_RANGE)
            label = self.labels[label_id] = SimLabel(label_id, panel, rssi_dbm=dbm)
        return label
