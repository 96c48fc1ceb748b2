"""A bad line between controller, gateways and broker: every label still ends right.

controller ──▶ proxy ──▶ mosquitto ◀── proxy ◀── gateways
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from api.demo.sample_shop import shelf
from tests.fault_proxy import FaultProxy
from tests.real_shop import RealShop
from tests.served import wait_until
from tests.services import Mosquitto

LABELS = 24


class BadLines:
    """A shop whose two lines to the broker can be harmed."""

    def __init__(self, shop: RealShop, controller: FaultProxy, gateways: FaultProxy) -> None:
        self.shop = shop
        self.controller = controller
        self.gateways = gateways
        self.random = Random(5)

    def sell(self) -> None:
        self.shop.sell(sorted({place.sku for place in self.shop.places}), self.random)

    def check(self) -> None:
        """Everything ends right once the lines are well."""
        self.shop.until_settled()
        shop = self.shop
        assert (shop.lost(), shop.wrong(), shop.wrong_at_the_end()) == ([], [], [])


@pytest.fixture
def lines(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[BadLines]:
    near, far = FaultProxy(mosquitto.port, seed=1), FaultProxy(mosquitto.port, seed=2)
    login = f"{mosquitto.username}:{mosquitto.password}"
    with near.running(), far.running():
        shop = RealShop(
            tmp_path,
            shelf(LABELS),
            mqtt_url=f"mqtt://{login}@{mosquitto.host}:{near.port}",
            broker={
                "username": mosquitto.username,
                "password": mosquitto.password,
                "port": far.port,
            },
        )
        try:
            shop.open()
            shop.until_settled()
            yield BadLines(shop, near, far)
        finally:
            shop.close()


def _both(lines: BadLines) -> tuple[FaultProxy, FaultProxy]:
    return lines.controller, lines.gateways


def test_lines_that_are_cut_again_and_again(lines: BadLines) -> None:
    for number in range(10):
        lines.sell()
        time.sleep(lines.random.uniform(0.0, 0.6))
        line = _both(lines)[number % 2]
        wait_until(lambda: line.is_carrying, "a line to cut", 30)  # noqa: B023  called at once
        line.cut()
    lines.check()
    assert all(line.met["cut"] >= 3 for line in _both(lines))


@pytest.mark.parametrize("which", [0, 1], ids=["controller", "gateways"])
def test_a_line_that_swallows_everything_and_stays_up(lines: BadLines, which: int) -> None:
    line = _both(lines)[which]
    line.swallows = True
    for _ in range(3):
        lines.sell()
        time.sleep(2)
    assert line.met["swallowed bytes"] > 0
    line.heal()
    lines.check()


@pytest.mark.parametrize("which", [0, 1], ids=["controller", "gateways"])
def test_a_line_that_is_gone_for_a_while(lines: BadLines, which: int) -> None:
    line = _both(lines)[which]
    line.refuses = True
    line.cut()
    for _ in range(3):
        lines.sell()
        time.sleep(1)
    assert line.met["refused"] > 0
    line.heal()
    lines.check()


def _make_slow(line: FaultProxy) -> None:
    line.slow_s = 0.3


def _make_sliced(line: FaultProxy) -> None:
    line.slice_bytes = 1


@pytest.mark.parametrize(
    ("harm", "met", "least"),
    [(_make_slow, "slowed", 20), (_make_sliced, "slices", 1000)],
    ids=["slow", "sliced"],
)
def test_all_ends_right_while_the_lines_are_still_bad(
    lines: BadLines, harm: Callable[[FaultProxy], None], met: str, least: int
) -> None:
    for line in _both(lines):
        harm(line)
        line.cut()  # the handshake comes over a bad line as well
    for _ in range(3):
        lines.sell()
        time.sleep(1)
    lines.check()
    assert all(line.met[met] >= least for line in _both(lines))
