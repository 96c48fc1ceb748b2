"""The audit chain in a controller that runs: sealed, signed, in its file, kept at the broker."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.audit import keeper as keeper_module
from api.audit.files import AuditFolder, checkpoint_line, is_signed_by
from esl.domain.chain import Checkpoint
from esl.services.verifying import verify_chain
from gateway.mqtt import BrokerAddress, connect
from tests.running_house import STORE_BODY, RunningHouse, running_house
from tests.services import Mosquitto

PATIENCE_S = 60.0


async def retained(url: str) -> dict[str, object]:
    """Return what stands on the topic of checkpoints, for somebody who comes later."""
    address = BrokerAddress.from_url(url)
    async with (
        asyncio.timeout(PATIENCE_S),
        connect(address, "auditor", [keeper_module.TOPIC]) as line,
    ):
        message = await line.messages.get()
        assert message.topic == "esl/v1/audit/checkpoint"
        found: dict[str, object] = json.loads(message.payload)
        return found


def checkpoints(shop: RunningHouse) -> list[int]:
    return [row[0] for row in shop.read("SELECT number FROM audit_checkpoint ORDER BY number")]


def until_there_is_one(shop: RunningHouse) -> None:
    until = time.monotonic() + PATIENCE_S
    while not checkpoints(shop) and time.monotonic() < until:
        time.sleep(0.05)
    assert checkpoints(shop), "a checkpoint was made"


def test_a_running_controller_seals_signs_keeps_and_publishes(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "LOOK_EVERY_S", 0.05)
    with running_house(tmp_path / "data", with_worker=True, mqtt_url=mosquitto.url) as shop:
        shop.house.audit._sealing._waits_most_s = 0.0
        shop.done("PUT", "/api/v1/stores/main", STORE_BODY)
        until_there_is_one(shop)
        said = asyncio.run(retained(mosquitto.url))
        folder = AuditFolder(shop.house.settings.data_dir)
        until = time.monotonic() + PATIENCE_S
        while not folder.checkpoints() and time.monotonic() < until:
            time.sleep(0.05)
        [kept] = folder.checkpoints()
        assert json.loads(checkpoint_line(kept)) == said
        assert is_signed_by(kept, folder.trusted())
        assert kept.public_key == shop.house.key.public_key.hex()
        assert not is_signed_by(kept, frozenset({"ab" * 32}))
        verdict = verify_chain(
            shop.house.database,
            is_trusted=lambda one: is_signed_by(one, folder.trusted()),
            now=shop.house.clock.now(),
            outside=[kept],
        )
        assert verdict.wrong is None


def test_after_a_restart_the_file_goes_on_where_it_ended(tmp_path: Path) -> None:
    for start in range(2):
        with running_house(tmp_path / "data") as shop:
            body = STORE_BODY | {"guards": {"on": False, "reason": f"start {start}"}}
            shop.done("PUT", f"/api/v1/stores/s{start}", body)
            keeper = shop.house.audit
            keeper._sealing.seal_all()
            if start == 1:  # five minutes have not passed: one that another process made
                keeper.checkpoint()
                assert checkpoints(shop) == [1]
            keeper.checkpoint()
            folder = AuditFolder(tmp_path / "data")
            assert [one.number for one in folder.checkpoints()] == checkpoints(shop) == [1]
            assert folder.last_number() == 1


def test_processes_that_share_the_folder_write_each_checkpoint_once(tmp_path: Path) -> None:
    one, other = AuditFolder(tmp_path), AuditFolder(tmp_path)
    made = [
        Checkpoint(number=n, hash="ab" * 32, at="2026-01-01", public_key="cd", signature="ef")
        for n in range(1, 41)
    ]
    with ThreadPoolExecutor(2) as both:
        for n in range(1, 41):
            list(both.map(lambda folder, to=n: folder.append(made[:to]), (one, other)))
    assert one.checkpoints() == other.checkpoints() == made
    assert one.last_number() == 40


def test_a_checkpoint_in_the_database_that_is_not_ours_is_not_taken_into_the_file(
    tmp_path: Path,
) -> None:
    with running_house(tmp_path / "data") as shop:
        forged = (7, "0" * 64, "2026-01-01 12:00:00.000000", "ab" * 32, "cd" * 64)
        shop.write(
            lambda tx: (
                tx.exec_driver_sql(
                    "INSERT INTO audit_checkpoint (number, hash, at, public_key, signature)"
                    " VALUES (?, ?, ?, ?, ?)",
                    forged,
                )
                and None
            )
        )
        shop.house.audit.checkpoint()
        assert AuditFolder(tmp_path / "data").checkpoints() == []
