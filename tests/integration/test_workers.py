"""Two workers on one PostgreSQL: they share the gateways, and one may be killed at any moment."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection, select

from api.demo.sample_shop import Place, products
from esl.store.tables import gateways
from gateway.leases import LEASE_S
from tests.real_shop import RealShop
from tests.served import wait_until
from tests.services import Mosquitto

GATEWAYS = [f"gw-{n}" for n in range(1, 7)]
LABELS = 500


def _places(count: int) -> list[Place]:
    skus = sorted(str(product["sku"]) for product in products())
    return [
        Place(
            label_id=f"l-{n:04d}",
            panel_id="bwry-296x128",
            gateway_id=GATEWAYS[n % len(GATEWAYS)],
            sku=skus[n % len(skus)],
        )
        for n in range(count)
    ]


@pytest.fixture
def shop(tmp_path: Path, mosquitto: Mosquitto, fresh_postgres_url: str) -> Iterator[RealShop]:
    """A controller without delivery, two workers, and a shelf of 500 labels."""
    shop = RealShop(
        tmp_path,
        _places(LABELS),
        mqtt_url=mosquitto.url,
        database_url=fresh_postgres_url,
        broker={"username": mosquitto.username, "password": mosquitto.password},
        serve=("--no-delivery",),
        workers=("1", "2"),
        paint_s=1.0,
        beacon_s=5.0,
    )
    try:
        shop.open()
        yield shop
    finally:
        shop.close()


def _holders(tx: Connection) -> dict[str, str | None]:
    """Which worker holds each gateway, by the name it was started with."""
    rows = tx.execute(select(gateways.c.gateway_id, gateways.c.leased_by))
    return {g: holder.rpartition("-")[2] if holder else None for g, holder in rows}


def _is_shared_fairly(shop: RealShop) -> bool:
    holders = Counter(shop.read(_holders).values())
    return holders == {"1": len(GATEWAYS) / 2, "2": len(GATEWAYS) / 2}


def test_a_killed_workers_gateways_are_taken_over_and_nothing_is_lost_or_wrong(
    shop: RealShop,
) -> None:
    wait_until(lambda: _is_shared_fairly(shop), "a fair share for each worker", 30)
    shop.until_settled()
    skus = sorted({place.sku for place in shop.places})
    before = shop.shown()

    shop.sell(skus, Random(1))  # every label changes
    wait_until(lambda: _changed(shop, before) >= LABELS / 10, "a tenth of the labels", 30)
    assert shop.workers["1"].kill()
    killed_s = time.monotonic()
    assert _changed(shop, before) < LABELS, "it was killed in the middle of the change"

    wait_until(lambda: set(shop.read(_holders).values()) == {"2"}, "the take-over", LEASE_S + 5)
    took_s = time.monotonic() - killed_s
    assert took_s <= LEASE_S + 1
    shop.until_settled()
    assert (shop.lost(), shop.wrong(), shop.wrong_at_the_end()) == ([], [], [])

    shop.workers["1"].start()  # and comes back for its share
    wait_until(lambda: _is_shared_fairly(shop), "a fair share again", 30)
    shop.sell(skus, Random(2))
    shop.until_settled()
    assert (shop.lost(), shop.wrong(), shop.wrong_at_the_end()) == ([], [], [])


def test_a_worker_that_ends_in_order_gives_its_gateways_back_at_once(shop: RealShop) -> None:
    wait_until(lambda: _is_shared_fairly(shop), "a fair share for each worker", 30)
    shop.until_settled()
    shop.sell(sorted({place.sku for place in shop.places}), Random(1))
    assert shop.workers["2"].stop()
    assert "2" not in shop.read(_holders).values()
    wait_until(lambda: set(shop.read(_holders).values()) == {"1"}, "the hand-over", LEASE_S)
    shop.until_settled()
    assert (shop.lost(), shop.wrong(), shop.wrong_at_the_end()) == ([], [], [])


def test_a_worker_that_was_frozen_beyond_its_lease_does_no_harm_when_it_thaws(
    shop: RealShop,
) -> None:
    wait_until(lambda: _is_shared_fairly(shop), "a fair share for each worker", 30)
    shop.until_settled()
    with shop.till(Random(3)):
        shop.workers["1"].pause(signal.SIGSTOP)
        wait_until(lambda: set(shop.read(_holders).values()) == {"2"}, "the take-over", 2 * LEASE_S)
        shop.workers["1"].pause(signal.SIGCONT)
        wait_until(lambda: _is_shared_fairly(shop), "a fair share again", 4 * LEASE_S)
    shop.until_settled()
    assert (shop.lost(), shop.wrong(), shop.wrong_at_the_end()) == ([], [], [])


def _changed(shop: RealShop, before: dict[str, tuple[int, int, str]]) -> int:
    return sum(before.get(label) != now for label, now in shop.shown().items())
