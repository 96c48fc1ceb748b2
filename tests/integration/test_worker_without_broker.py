"""A worker whose broker is not there says so, with the place, and goes on trying."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway import worker as worker_module
from gateway.mqtt import BrokerAddress, connect
from gateway.worker import Worker
from tests.builders import Controller, SimulatedClock, build_shelf, open_database
from tests.services import free_port
from tests.shelf import until


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Controller]:
    database = open_database(tmp_path)
    with database.writing.begin() as tx:
        build_shelf(tx)
    controller = Controller(database, SimulatedClock())
    yield controller
    controller.close()
    database.close()


async def test_a_broker_that_is_not_there_at_the_start_is_told_with_its_place(
    shop: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "BROKER_WITHIN_S", 0.2)
    port = free_port()
    nobody = BrokerAddress(host="127.0.0.1", port=port, username="u", password="s3cret")
    with capture_logs() as logs:
        async with connect(nobody, client_id="worker-1", topics=["t"]) as mqtt:
            worker = Worker(
                mqtt=mqtt,
                dispatcher=shop.dispatcher,
                inbox=shop.inbox,
                clock=shop.house_clock,
                tell=lambda _: None,
            )
            running = asyncio.create_task(worker.run())
            await until(lambda: any("broker" in one for one in logs), 60, "the warning")
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    told = [one for one in logs if "broker" in one]
    assert told[0]["event"].startswith("broker is not connected")
    assert told[0]["broker"] == f"127.0.0.1:{port}"
    assert told[0]["log_level"] == "warning"
    assert "s3cret" not in str(logs)
