"""What can be seen of a simulated shop from outside: the numbers behind a page's fault buttons.

Everything here is JSON-ready (`msgspec.json.encode`); durations in s, digests in hex.
"""

from msgspec import Struct

from simulator.label import LOWEST_MV, SimLabel
from simulator.shop import Shop


class GatewaySeen(Struct, frozen=True, kw_only=True):
    """One gateway."""

    gateway: str
    powered: bool
    connected: bool
    session: str
    firmware: str
    labels: int
    capacity: int
    queued: int
    pending: int
    clock_off_s: float


class LabelSeen(Struct, frozen=True, kw_only=True):
    """One label, as it really is."""

    label: str
    panel: str
    gateways: list[str]
    shown_rev: int
    shown_digest: str
    slots: list[tuple[int, str]]
    incarnation: int
    epoch: int
    paints: int
    painting: bool
    asleep: bool
    dead: bool
    stuck: bool
    battery_mv: int
    temperature_c: int
    rssi_dbm: int
    firmware: str
    light: int | None


class LabelCounts(Struct, frozen=True, kw_only=True):
    """How the labels are, in numbers."""

    labels: int
    shows_something: int
    painting: int
    asleep: int
    dead: int
    stuck: int
    battery_low: int
    paints: int


class NetworkSeen(Struct, frozen=True, kw_only=True):
    """What the network is set to do, and has done."""

    lose: float
    duplicate: float
    corrupt: float
    passed: int
    lost: int
    duplicated: int
    corrupted: int


class ShopSeen(Struct, frozen=True, kw_only=True):
    """A whole shop."""

    gateways: list[GatewaySeen]
    labels: LabelCounts
    network: NetworkSeen | None
    counts: dict[str, int]


class LabelPage(Struct, frozen=True, kw_only=True):
    """Some labels, in the order of their ids; ``after`` is where the next page begins."""

    labels: list[LabelSeen]
    after: str | None


def see_shop(shop: Shop) -> ShopSeen:
    """Look at a shop."""
    return ShopSeen(
        gateways=[
            GatewaySeen(
                gateway=gateway_id,
                powered=shop.is_powered(gateway_id),
                connected=shop.is_connected(gateway_id),
                session=gateway.session,
                firmware=gateway.firmware,
                labels=len(gateway.labels),
                capacity=gateway.capacity,
                queued=gateway.queued,
                pending=gateway.pending,
                clock_off_s=gateway.clock_off_ms / 1000,
            )
            for gateway_id, gateway in shop.gateways.items()
        ],
        labels=_count(list(shop.labels.values())),
        network=_see_network(shop),
        counts=dict(shop.counts),
    )


def see_label(shop: Shop, label_id: str) -> LabelSeen:
    """Look at a label.

    Raises:
        UnknownLabel: It is not simulated here.
    """
    label = shop.label(label_id)
    return LabelSeen(
        label=label_id,
        panel=label.panel.panel_id,
        gateways=shop.gateways_of(label_id),
        shown_rev=label.shown_rev,
        shown_digest=label.shown_digest.hex(),
        slots=[(slot.rev, slot.digest.hex()) for slot in label.slots],
        incarnation=label.incarnation,
        epoch=label.epoch,
        paints=label.paints,
        painting=label.painting is not None,
        asleep=label.asleep,
        dead=label.dead,
        stuck=label.stuck,
        battery_mv=label.battery_mv,
        temperature_c=label.temperature_c,
        rssi_dbm=label.rssi_dbm,
        firmware=label.firmware,
        light=_light(shop, label),
    )


def see_labels(shop: Shop, *, after: str, limit: int) -> LabelPage:
    """Look at so many labels behind an id."""
    names = sorted(name for name in shop.labels if name > after)
    more = names[limit - 1] if len(names) > limit else None
    return LabelPage(labels=[see_label(shop, name) for name in names[:limit]], after=more)


def _light(shop: Shop, label: SimLabel) -> int | None:
    """Return the colour of a label's light while it burns."""
    if label.light is None or label.light[1] <= shop.clock.monotonic_s():
        return None
    return label.light[0]


def _count(labels: list[SimLabel]) -> LabelCounts:
    return LabelCounts(
        labels=len(labels),
        shows_something=sum(label.shown_rev > 0 for label in labels),
        painting=sum(label.painting is not None for label in labels),
        asleep=sum(label.asleep for label in labels),
        dead=sum(label.dead for label in labels),
        stuck=sum(label.stuck for label in labels),
        battery_low=sum(label.battery_mv < LOWEST_MV for label in labels),
        paints=sum(label.paints for label in labels),
    )


def _see_network(shop: Shop) -> NetworkSeen | None:
    faults = shop.faults
    if faults is None:
        return None
    counts = faults.counts
    return NetworkSeen(
        lose=faults.lose,
        duplicate=faults.duplicate,
        corrupt=faults.corrupt,
        passed=counts.passed,
        lost=counts.lost,
        duplicated=counts.duplicated,
        corrupted=counts.corrupted,
    )
