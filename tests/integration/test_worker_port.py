"""A worker says on a port of its own whether it lives and can work, and what it has done."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection

from api.audit import keeper as keeper_module
from api.audit.files import AuditFolder, checkpoint_line
from api.audit.keeper import TOPIC
from api.clock import MachineClock
from api.demo.sample_shop import Place, products
from api.house import open_house
from api.worker_process import open_worker
from esl.settings import Settings
from esl.store import audit
from gateway.mqtt import BrokerAddress, connect
from tests.real_shop import RealShop
from tests.running_house import Command
from tests.served import wait_until
from tests.services import Mosquitto, free_port
from tests.syslog_server import SyslogServer

pytest_plugins = ["tests.shop_over_http"]

LABELS = 12


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def shop(
    tmp_path: Path, mosquitto: Mosquitto, fresh_postgres_url: str, port: int
) -> Iterator[RealShop]:
    """A controller without delivery, and a worker with a port."""
    skus = sorted(str(product["sku"]) for product in products())
    shop = RealShop(
        tmp_path,
        [
            Place(label_id=f"l-{n}", panel_id="bwry-296x128", gateway_id="gw-1", sku=skus[n])
            for n in range(LABELS)
        ],
        mqtt_url=mosquitto.url,
        database_url=fresh_postgres_url,
        broker={"username": mosquitto.username, "password": mosquitto.password},
        serve=("--no-delivery",),
        workers=("1",),
        worker=("--port", str(port)),
    )
    try:
        shop.open()
        yield shop
    finally:
        shop.close()


def ask(port: int, path: str, **headers: str) -> httpx2.Response:
    return httpx2.get(f"http://127.0.0.1:{port}{path}", headers=headers, trust_env=False)


def answers(port: int) -> bool:
    with contextlib.suppress(httpx2.TransportError):
        return ask(port, "/healthz").status_code == 200
    return False


def metrics(port: int) -> dict[str, float]:
    """Return the metrics, those with labels summed."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(ask(port, "/metrics").text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def test_a_worker_tells_of_itself_and_of_nobody_elses_stores(shop: RealShop, port: int) -> None:
    wait_until(lambda: answers(port), "its port", 60)
    shop.until_settled()
    said = (shop.data.parent / "worker-1.log").read_text()
    assert f"ESL worker 1 delivers, and answers on http://127.0.0.1:{port}" in said
    ready = ask(port, "/readyz")
    assert ready.status_code == 200, ready.text
    assert set(ready.json()["checks"]) == {"database", "migrations", "writer", "broker", "disk"}
    found = metrics(port)
    assert found["esl_broker_connected"] == 1
    assert found["esl_pictures_sent_total"] >= LABELS
    assert found["esl_queue"] >= 0
    assert found["esl_disk_free_bytes"] > 0
    assert not {name for name in found if name.startswith(("esl_labels", "esl_price"))}
    assert ask(port, "/api/v1/stores").status_code == 404
    assert ask(port, "/metrics", Host="esl.shop.example").status_code == 403  # a rebound name
    assert ask(port, "/metrics", **{"X-Forwarded-For": "192.0.2.7"}).status_code == 403
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), 5).close()  # another one of this machine
    assert shop.workers["1"].stop()
    assert not answers(port)
    assert "Traceback" not in (shop.data.parent / "worker-1.log").read_text()


@pytest.mark.usefixtures("shop")
def test_a_worker_without_its_broker_lives_and_is_not_ready(
    port: int, mosquitto: Mosquitto
) -> None:
    wait_until(lambda: answers(port), "its port", 60)
    wait_until(lambda: ask(port, "/readyz").status_code == 200, "that it is ready", 60)
    mosquitto.stop()
    try:
        wait_until(lambda: ask(port, "/readyz").status_code == 503, "that it is not", 60)
        checks = ask(port, "/readyz").json()["checks"]
        assert [name for name, check in checks.items() if not check["ok"]] == ["broker"]
        assert answers(port)
        assert metrics(port)["esl_broker_connected"] == 0
    finally:
        mosquitto.start()
    wait_until(lambda: ask(port, "/readyz").status_code == 200, "that it is again", 60)


def test_a_port_that_is_taken_is_refused_in_words(
    command: Command, fresh_postgres_url: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = command(
            *("worker", "--data", tmp_path / "data", "--database", fresh_postgres_url),
            *("--mqtt", "mqtt://u:p@127.0.0.1:1", "--port", str(port)),
        )
    assert ran.status == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ran.stderr
    assert "worker_port" in ran.stderr


async def test_a_worker_passes_checkpoints_on_to_broker_syslog_and_its_own_folder(
    tmp_path: Path, mosquitto: Mosquitto, fresh_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of HTTP without delivery nobody speaks with the broker: the worker does, for all."""
    monkeypatch.setattr(keeper_module, "LOOK_EVERY_S", 0.05)
    common = {"database_url": fresh_postgres_url, "mqtt_url": mosquitto.url}
    with SyslogServer("udp") as server:
        sealing = Settings(data_dir=tmp_path / "api", **common)
        working = Settings(data_dir=tmp_path / "worker", syslog_url=server.url, **common)
        async with open_house(sealing, delivers=False) as house:
            shutil.copytree(tmp_path / "api" / "keys", tmp_path / "worker" / "keys")
            house.audit._sealing._waits_most_s = 0.0
            await asyncio.to_thread(house.writer.write, _decide)
            async with open_worker(working, "1") as workshop, asyncio.TaskGroup() as tasks:
                running = tasks.create_task(workshop.run())
                await asyncio.sleep(0.5)
                assert AuditFolder(working.data_dir).checkpoints() == [], "a worker does not seal"
                await asyncio.to_thread(house.audit._sealing.seal_all)
                await asyncio.to_thread(house.audit.checkpoint)
                [signed] = AuditFolder(sealing.data_dir).checkpoints()
                kept = await asyncio.to_thread(server.until, '{"number": 1, ')
                address = BrokerAddress.from_url(mosquitto.url)
                async with asyncio.timeout(60), connect(address, "auditor", [TOPIC]) as line:
                    retained = (await line.messages.get()).payload.decode()
                running.cancel()
        assert kept.words == retained == checkpoint_line(signed)
        assert AuditFolder(working.data_dir).checkpoints() == [signed]


def _decide(tx: Connection) -> None:
    now = MachineClock().wall()
    audit.note(tx, now, actor="person:ana", action="guards", subject="main")
