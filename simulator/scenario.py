"""A shop and its troubles, written down: the typed form of a scenario file.

::

    scenario: 1                        # version of this form
    title: A bad morning
    profile: field                     # what is not said below is as in this profile
    gateways:
      - {enrolment: aisle-1.json, labels: 200, panels: [bwry-296x128]}
    radio: {loss: 0.02}
    events:
      - {after: 30s, do: gateway_off, gateway: aisle-1}
      - {after: 5min, do: gateway_on, gateway: aisle-1}

Reading text is `simulator.scenario_text`'s business, doing it `simulator.timeline`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from gateway.wire.failures import FailureCode
from gateway.wire.fields import Celsius, Dbm, Id, Positive
from simulator.buttons import AnyButton, Share
from simulator.options import FIELD, INSTANT, GatewayOptions, Quirks, RadioOptions

LABELS_MOST = 30_000
"""Labels one process takes: docs/simulator.md says what they cost."""

EVENTS_MOST = 10_000

Seconds = Annotated[float, Meta(ge=0, le=366 * 86_400)]
SomeSeconds = Annotated[float, Meta(gt=0, le=366 * 86_400)]
Offset = Annotated[float, Meta(ge=-366 * 86_400, le=366 * 86_400)]
Amount = Annotated[float, Meta(ge=0, le=1e9)]

DURATIONS = frozenset(
    {"after", "every", "heartbeat", "clock_skew", "block", "connect", "check_in", "refresh"}
    | {"rest", "beacon", "timeout", "clock_off", "skew"}
)
"""Fields that hold a duration, hence may be written as 40s or 10min."""

INDEX_ERRORS = {4: FailureCode.INVALID_IMAGE_INDEX, 6: FailureCode.INVALID_PARAMETERS}


class Form(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the parts of a scenario."""


class GatewayPlan(Form, frozen=True):
    """One gateway. Its labels are ENROLLED-0001 …, or as ``label_ids`` says.

    ``neighbours`` are gateways that hear its labels too, weaker.
    """

    enrolment: str
    labels: Annotated[int, Meta(ge=0, le=LABELS_MOST)] = 24
    label_ids: list[Id] | None = None
    panels: Annotated[list[Id], Meta(min_length=1)] = field(
        default_factory=lambda: ["bwry-296x128"]
    )
    level: Literal["basic", "staged", "full"] | None = None
    capacity: Positive | None = None
    heartbeat: SomeSeconds | None = None
    clock_skew: Offset | None = None
    clock_drift_ppm: float | None = None
    neighbours: list[Id] = []


class RadioPlan(Form, frozen=True):
    """The air; see `simulator.options.RadioOptions`. ``signal``: weakest and strongest, dBm."""

    bytes_per_s: Amount | None = None
    block_bytes: Positive | None = None
    block: Seconds | None = None
    connect: Seconds | None = None
    loss: Share | None = None
    fading: bool | None = None
    tries: Positive | None = None
    check_in: tuple[Seconds, Seconds] | None = None
    signal: tuple[Dbm, Dbm] = (-88, -45)


class LabelPlan(Form, frozen=True):
    """The labels. ``clock_off`` is how far their clocks may be off, either way."""

    refresh: Seconds | Literal["panel"] | None = None
    jitter: Share | None = None
    rest: Seconds | None = None
    beacon: SomeSeconds | None = None
    timeout: SomeSeconds | None = None
    battery_mah: Annotated[float, Meta(gt=0, le=100_000)] | None = None
    celsius: Celsius | None = None
    coldest_celsius: Celsius | None = None
    clock_off: Seconds = 0.0


class FirmwarePlan(Form, frozen=True):
    """What label firmware does its own way; see `simulator.options.Quirks`."""

    answers_update: bool = True
    index_error: Literal[4, 6] = 4
    refuses_hurry: bool = False


class NetworkPlan(Form, frozen=True):
    """What the broker loses, doubles and damages from the beginning."""

    lose: Share = 0.0
    duplicate: Share = 0.0
    corrupt: Share = 0.0


class Event(Struct, frozen=True, kw_only=True):
    """A button pressed ``after`` so long, and again ``every`` so long, so many ``times``."""

    after: float
    button: AnyButton
    every: float | None = None
    times: int | None = None


class Scenario(Form, frozen=True):
    """A whole scenario. ``events`` are read one by one, hence plain here; see `Event`."""

    scenario: Literal[1]
    gateways: Annotated[list[GatewayPlan], Meta(min_length=1, max_length=10_000)]
    title: str = ""
    seed: int = 1
    speed: Annotated[float, Meta(gt=0, le=1_000)] = 1.0
    profile: Literal["instant", "field"] = "instant"
    radio: RadioPlan = RadioPlan()
    labels: LabelPlan = LabelPlan()
    firmware: FirmwarePlan = FirmwarePlan()
    network: NetworkPlan = NetworkPlan()
    events: Annotated[list[dict[str, Any]], Meta(max_length=EVENTS_MOST)] = []

    def options(self) -> GatewayOptions:
        """How gateways and labels behave that have nothing of their own."""
        base = FIELD if self.profile == "field" else INSTANT
        plan, radio = self.labels, self.radio
        refresh = base.paint_s if plan.refresh is None else plan.refresh
        return replace(
            base,
            **_given(
                jitter=plan.jitter,
                rest_s=plan.rest,
                beacon_s=plan.beacon,
                label_timeout_s=plan.timeout,
                coldest_c=plan.coldest_celsius,
            ),
            paint_s=None if refresh == "panel" else refresh,
            radio=self._radio(base.radio, radio),
            quirks=Quirks(
                answers_update=self.firmware.answers_update,
                index_error=INDEX_ERRORS[self.firmware.index_error],
                refuses_hurry=self.firmware.refuses_hurry,
            ),
        )

    def own_options(self, plan: GatewayPlan) -> GatewayOptions:
        """How one gateway behaves."""
        given = _given(
            level=plan.level,
            capacity=plan.capacity,
            heartbeat_s=plan.heartbeat,
            clock_skew_s=plan.clock_skew,
            clock_drift_ppm=plan.clock_drift_ppm,
        )
        return replace(self.options(), **given)

    def _radio(self, base: RadioOptions, plan: RadioPlan) -> RadioOptions:
        given = _given(
            bytes_per_s=plan.bytes_per_s,
            block_bytes=plan.block_bytes,
            block_s=plan.block,
            connect_s=plan.connect,
            loss=plan.loss,
            fading=plan.fading,
            tries=plan.tries,
            check_in_s=plan.check_in,
        )
        return replace(base, **given)


def label_ids(gateway_id: str, plan: GatewayPlan) -> Sequence[str]:
    """Name the labels of a gateway."""
    if plan.label_ids is not None:
        return plan.label_ids
    return [f"{gateway_id}-{number:04d}" for number in range(1, plan.labels + 1)]


def _given(**values: Any) -> Mapping[str, Any]:
    """Keep what was said."""
    return {name: value for name, value in values.items() if value is not None}
