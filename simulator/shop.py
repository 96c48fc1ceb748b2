"""A shop's gateways and labels, built from enrolments and run on their broker.

::

    async with Shop(fittings, clock=clock, sleep=sleep, seed=7) as shop:
        await shop.connected()
        shop.restart_gateway("gw-1")
        shop.labels["label-1"].shown_pixels

Everything by chance (sessions, painting times, signal, faults) follows from the seed, each
gateway drawing from its own stream.
"""

from collections.abc import Iterable, Mapping, Sequence
from random import Random

from esl.domain.clock import Clock
from esl.domain.errors import UnknownGateway, UnknownLabel
from esl.domain.panel import Panel
from gateway.wire.enrolment import Enrolment
from simulator.ceiling import Ceiling, broker_of
from simulator.faults import Faults
from simulator.gateway import GatewayOptions, SimGateway
from simulator.label import SimLabel
from simulator.moment import Moment
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
        own_options: How single gateways behave instead.
        signal_dbm: The weakest and the strongest that a label may be heard.
        faults: What goes wrong between gateways and controller.
        label_type: What is made of each label; one that watches itself, for a measurement.
    """

    def __init__(
        self,
        fittings: Iterable[Fitting],
        *,
        clock: Clock,
        sleep: Sleep,
        seed: int = 0,
        options: GatewayOptions | None = None,
        own_options: Mapping[str, GatewayOptions] | None = None,
        signal_dbm: tuple[int, int] = _DBM_RANGE,
        faults: Faults | None = None,
        label_type: type[SimLabel] = SimLabel,
    ) -> None:
        self._label_type = label_type
        self.labels: dict[str, SimLabel] = {}
        self.gateways: dict[str, SimGateway] = {}
        self.faults = faults
        self.clock = clock
        self.random = Random(f"{seed}/shop")  # noqa: S311  seeded chance
        self._signal_dbm = signal_dbm
        uplinks: dict[str, Uplink] = {}
        for enrolment, labels in fittings:
            gateway_id = enrolment.gateway
            random = Random(f"{seed}/{gateway_id}")  # noqa: S311  seeded chance
            gateway = SimGateway(
                gateway_id,
                [self._label(label_id, panel, random) for label_id, panel in labels],
                enrolment.public_keys(),
                random=random,
                options=(own_options or {}).get(gateway_id) or options or GatewayOptions(),
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
            dbm = random.randint(*self._signal_dbm)
            label = self.labels[label_id] = self._label_type(label_id, panel, rssi_dbm=dbm)
        return label

    # -- finding -------------------------------------------------------------------------------

    def gateway(self, gateway_id: str) -> SimGateway:
        """Find a gateway.

        Raises:
            UnknownGateway: It is not simulated here.
        """
        try:
            return self.gateways[gateway_id]
        except KeyError:
            raise UnknownGateway(f"no gateway {gateway_id} is simulated here") from None

    def label(self, label_id: str) -> SimLabel:
        """Find a label.

        Raises:
            UnknownLabel: It is not simulated here.
        """
        try:
            return self.labels[label_id]
        except KeyError:
            raise UnknownLabel(f"no label {label_id} is simulated here") from None

    def gateways_of(self, label_id: str) -> list[str]:
        """Name the gateways that hear a label."""
        return [name for name, gateway in self.gateways.items() if label_id in gateway.labels]

    # -- labels move, and are touched ----------------------------------------------------------

    def move_label(self, label_id: str, gateways: Sequence[str], *, dbm: int | None = None) -> None:
        """Carry a label to where these gateways hear it, and no others."""
        label = self.label(label_id)
        for gateway_id in gateways:
            self.gateway(gateway_id)
        for gateway_id, gateway in self.gateways.items():
            if gateway_id not in gateways:
                gateway.labels.pop(label_id, None)
                gateway.signal.pop(label_id, None)
                continue
            gateway.labels[label_id] = label
            gateway.signal[label_id] = (
                self.random.randint(*self._signal_dbm) if dbm is None else dbm
            )

    def clone_label(self, label_id: str, gateway_id: str) -> None:
        """Hang a second label of the same id into the range of a gateway."""
        label = self.label(label_id)
        self.gateway(gateway_id).labels[label_id] = SimLabel(label_id, label.panel)

    def press_button(self, label_id: str, button: int) -> None:
        """Press a label's button."""
        self.label(label_id)
        for gateway_id in self.gateways_of(label_id)[:1]:
            now = Moment.read(self.clock)
            self._uplinks[gateway_id].say(self.gateways[gateway_id].press(label_id, button, now))

    def tap(self, label_id: str) -> None:
        """Hold a phone to a label."""
        self.label(label_id)
        for gateway_id in self.gateways_of(label_id)[:1]:
            now = Moment.read(self.clock)
            self._uplinks[gateway_id].say(self.gateways[gateway_id].tap(label_id, now))
