"""The main story: from a till's HTTP request to the glass, through a real broker, under faults."""

import asyncio
from random import Random

import psutil
import pytest

from api.demo.sample_shop import shelf
from api.demo.shop import Demo
from simulator.faults import Faults
from tests.services import Mosquitto
from tests.shelf import controller_on, count_shown, until, until_settled


async def _tell(demo: Demo, seed: int) -> None:
    """Fill, change, lose, restart; return once the shelf is settled."""
    async with demo.shop:
        await asyncio.to_thread(demo.pair)
        await until(lambda: count_shown(demo) >= 10, 30, "the first labels showing")
        demo.shop.restart_gateway("aisle-1")
        random = Random(seed)
        skus = sorted({place.sku for place in demo.places})
        for number in range(30):
            price = f"{random.randint(0, 30)}.{random.randint(10, 99)}"
            await asyncio.to_thread(
                demo.change_price, random.choice(skus), price, was=None, badge=None
            )
            if number == 15:
                demo.shop.restart_gateway("aisle-2")
        # Faults go on to the end: what settles must settle in spite of them.
        await until_settled(demo)
        assert await asyncio.to_thread(demo.mismatches) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_label_ends_right_in_spite_of_loss_duplicates_and_gateway_restarts(
    tmp_path, seed
):
    async with controller_on(tmp_path / "data") as (_, client):
        faults = Faults(Random(seed), lose=0.15, duplicate=0.15)
        demo = await asyncio.to_thread(
            lambda: Demo(client, shelf(36), paint_s=0.05, seed=seed, beacon_s=2.0, faults=faults)
        )

        await _tell(demo, seed)

        assert faults.counts.lost > 0
        assert faults.counts.duplicated > 0


async def test_the_same_story_holds_on_mosquitto(tmp_path, mosquitto: Mosquitto):
    async with controller_on(tmp_path / "data", "--mqtt", mosquitto.url) as (_, client):
        faults = Faults(Random(4), lose=0.15, duplicate=0.15)
        login = {"username": mosquitto.username, "password": mosquitto.password}
        demo = await asyncio.to_thread(
            lambda: Demo(
                client, shelf(36), paint_s=0.05, seed=4, beacon_s=2.0, faults=faults, broker=login
            )
        )

        await _tell(demo, 4)

        assert faults.counts.lost > 0


async def test_the_same_story_holds_on_postgresql(tmp_path, fresh_postgres_url: str):
    async with controller_on(tmp_path / "data", "--database", fresh_postgres_url) as (_, client):
        faults = Faults(Random(5), lose=0.15, duplicate=0.15)
        demo = await asyncio.to_thread(
            lambda: Demo(client, shelf(36), paint_s=0.05, seed=5, beacon_s=2.0, faults=faults)
        )

        await _tell(demo, 5)


async def test_a_shelf_survives_the_restart_of_its_broker(tmp_path, mosquitto: Mosquitto):
    async with controller_on(tmp_path / "data", "--mqtt", mosquitto.url) as (_, client):
        login = {"username": mosquitto.username, "password": mosquitto.password}
        demo = await asyncio.to_thread(
            lambda: Demo(client, shelf(24), paint_s=0.05, seed=6, beacon_s=2.0, broker=login)
        )
        async with demo.shop:
            await asyncio.to_thread(demo.pair)
            await until(lambda: count_shown(demo) >= 5, 30, "the first labels showing")
            await asyncio.to_thread(mosquitto.kill)
            await asyncio.to_thread(demo.change_price, "1001", "7.77", was=None, badge=None)
            await asyncio.to_thread(mosquitto.start)

            await until_settled(demo)

            assert await asyncio.to_thread(demo.mismatches) == []


async def test_a_shelf_survives_the_death_of_the_embedded_broker(tmp_path):
    async with controller_on(tmp_path / "data") as (controller, client):
        demo = await asyncio.to_thread(
            lambda: Demo(client, shelf(24), paint_s=0.05, seed=8, beacon_s=2.0)
        )
        async with demo.shop:
            await asyncio.to_thread(demo.pair)
            await until(lambda: count_shown(demo) >= 5, 30, "the first labels showing")
            [broker] = psutil.Process(controller.pid).children()
            broker.kill()
            await asyncio.to_thread(demo.change_price, "1001", "7.77", was=None, badge=None)

            await until_settled(demo)

            assert await asyncio.to_thread(demo.mismatches) == []
            assert psutil.Process(controller.pid).children() != [broker]
