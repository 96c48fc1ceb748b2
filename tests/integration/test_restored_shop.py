"""A real shop of processes loses its machine, keys included, and comes back from a backup.

backup ─▶ more changes reach the glasses ─▶ disk wiped ─▶ restore on a blank machine ─▶ every glass
shows what the restored books say, though its memory holds revisions that they never heard of.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

from api.demo.sample_shop import shelf
from esl.store.database import Database
from esl.store.tables import price_events
from tests.real_shop import RealShop
from tests.served import esl
from tests.services import Mosquitto, Postgres

pytestmark = pytest.mark.timeout(240)

LABELS = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def database_urls(request: pytest.FixtureRequest) -> Iterator[list[str] | None]:
    """Two databases of PostgreSQL, the second for the blank machine; None for SQLite."""
    if request.param == "sqlite":
        yield None
        return
    server: Postgres = request.getfixturevalue("postgres")
    names = [server.create_database(), server.create_database()]
    yield [server.url(name) for name in names]
    for name in names:
        server.drop_database(name)


def open_shop(folder: Path, mosquitto: Mosquitto, url: str | None) -> RealShop:
    shop = RealShop(
        folder,
        shelf(LABELS),
        mqtt_url=mosquitto.url,
        broker={"username": mosquitto.username, "password": mosquitto.password},
        database_url=url,
    )
    shop.open()
    return shop


def move(shop: RealShop, folder: Path, mosquitto: Mosquitto, url: str | None) -> RealShop:
    """Lose the machine: its data folder is gone; the shelf goes on hanging where it is."""
    shop.controller.kill()
    shop.database.close()
    shutil.rmtree(shop.data)
    (folder / "blank").mkdir()
    other = RealShop(
        folder / "blank",
        shop.places,
        mqtt_url=mosquitto.url,
        broker={"username": mosquitto.username, "password": mosquitto.password},
        database_url=url,
    )
    shutil.rmtree(other.data)
    other.database.close()
    other.simulator, other.shelf = shop.simulator, shop.shelf
    return other


def run(folder: Path, *arguments: str | Path) -> str:
    done = esl(*arguments, folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def arguments(shop: RealShop, url: str | None) -> list[str]:
    return ["--data", str(shop.data), *(["--database", url] if url else [])]


def test_a_shop_whose_machine_burnt_converges_to_the_restored_truth(
    tmp_path: Path, mosquitto: Mosquitto, database_urls: list[str] | None
) -> None:
    first, second = database_urls or (None, None)
    secret = tmp_path / "passphrase"
    secret.write_text("three sparrows on a wire\n")
    secret.chmod(0o600)
    file, random = tmp_path / "esl.zip", Random(3)
    shop = open_shop(tmp_path, mosquitto, first)
    try:
        skus = sorted({place.sku for place in shop.places})
        shop.sell(skus, random)
        shop.until_settled()
        told = run(tmp_path, "backup", file, "--passphrase-file", secret, *arguments(shop, first))
        assert "whole" in told
        saved, sent = {k: dict(v) for k, v in shop.accepted.items()}, shop._sent.copy()
        for _ in range(2):  # which the blank machine will know nothing of
            shop.sell(skus, random)
        shop.until_settled()
        since = shop.shown()

        shop = move(shop, tmp_path, mosquitto, second)
        run(tmp_path, "restore", file, "--passphrase-file", secret, *arguments(shop, second))
        shop.database = Database(second or f"sqlite:///{shop.data / 'esl.db'}")
        shop.accepted.update(saved)
        shop.controller.start()
        shop.until_settled(120)
        assert shop.wrong_at_the_end() == []
        after = shop.shown()
        assert all(after[label][1] > 2**32 > since[label][1] for label in since)
        assert {i for i, _, _ in after.values()} == {i for i, _, _ in since.values()}

        # The till says again what it said after the backup, and goes on: neither is refused.
        shop._sent.update(sent)
        shop.sell(skus, random)
        shop.sell(skus, random)
        shop.until_settled()
        assert (shop.lost(), shop.wrong_at_the_end()) == ([], [])
    finally:
        shop.close()


def test_without_the_passphrase_every_gateway_is_enrolled_anew_and_nothing_else_is_lost(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    file, random = tmp_path / "esl.zip", Random(4)
    shop = open_shop(tmp_path, mosquitto, None)
    try:
        skus = sorted({place.sku for place in shop.places})
        shop.sell(skus, random)
        shop.until_settled()
        signed_before = (shop.data / "audit" / "keys.txt").read_text()
        run(tmp_path, "backup", file, "--without-keys", *arguments(shop, None))
        saved = {k: dict(v) for k, v in shop.accepted.items()}
        shop.sell(skus, random)
        shop.until_settled()
        shelf_file = shop.shelf / "shelf.json"

        shop = move(shop, tmp_path, mosquitto, None)
        told = run(tmp_path, "restore", file, "--without-keys", *arguments(shop, None))
        assert "The keys are lost" in told
        assert "esl keys missing" in told
        shop.database = Database(f"sqlite:///{shop.data / 'esl.db'}")
        shop.accepted.update(saved)
        shop.controller.start()
        shop.ask(lambda client: client.get("/api/v1/stores"))
        missing = run(tmp_path, "keys", "missing", "--data", shop.data)
        for gateway, target in (("nobody", tmp_path / "nobody.json"), ("gw-1", file)):
            refused = esl("keys", "enrol", gateway, target, "--data", shop.data, folder=tmp_path)
            assert (refused.returncode, refused.stdout) == (1, "")
        described = json.loads(shelf_file.read_text())
        shop.simulator.kill()
        for gateway in described["gateways"]:
            assert f"esl keys enrol {gateway} {gateway}.json" in missing
            run(tmp_path, "keys", "enrol", gateway, f"{gateway}.json", "--data", shop.data)
            given = json.loads((tmp_path / f"{gateway}.json").read_text())
            assert given["keys"] != described["gateways"][gateway]["keys"]
            described["gateways"][gateway] |= {"keys": given["keys"]}
        assert "Every gateway" in run(tmp_path, "keys", "missing", "--data", shop.data)
        shelf_file.write_text(json.dumps(described))
        shop.simulator.start()
        shop.until_settled(120)
        assert (shop.wrong_at_the_end(), shop.lost()) == ([], [])
        count = shop.read(
            lambda tx: tx.execute(select(func.count()).select_from(price_events)).scalar_one()
        )
        assert count >= len(skus)
        signed_now = (shop.data / "audit" / "keys.txt").read_text().split()
        assert len(signed_now) == 2  # of the key that was lost, and of the one that signs now
        assert signed_before.strip() in signed_now
        verified = run(tmp_path, "audit", "verify", *arguments(shop, None))
        assert "checkpoint" in verified
    finally:
        shop.close()
