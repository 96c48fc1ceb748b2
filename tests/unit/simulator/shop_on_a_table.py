"""A simulated shop that is never connected: its gateways and labels, to press buttons on."""

from datetime import UTC, datetime

from gateway.wire.enrolment import Enrolment, enrolment_keys
from gateway.wire.signing import PublicKeys
from simulator.faults import Faults
from simulator.shop import Shop
from tests.unit.simulator.rig import KEY, PANEL, Random


class StillClock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def wall(self) -> datetime:
        return datetime.fromtimestamp(1_767_268_800 + self.now_s, UTC)

    def monotonic_s(self) -> float:
        return self.now_s


async def no_sleep(_: float) -> None:
    """Time does not pass."""


def enrolment(gateway: str) -> Enrolment:
    return Enrolment(
        gateway=gateway,
        store="shop-1",
        host="127.0.0.1",
        port=1,
        tls=False,
        username=gateway,
        password="secret",
        keys=enrolment_keys(PublicKeys.of(KEY)),
    )


def shop_on_a_table(*, labels: int = 3, faults: bool = True) -> Shop:
    fittings = [
        (enrolment(name), [(f"{name}-{n}", PANEL) for n in range(1, labels + 1)])
        for name in ("gw-1", "gw-2")
    ]
    return Shop(
        fittings,
        clock=StillClock(),
        sleep=no_sleep,
        faults=Faults(Random(1), lose=0, duplicate=0) if faults else None,
    )
