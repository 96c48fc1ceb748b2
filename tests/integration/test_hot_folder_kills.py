"""A controller killed while it works on a hot folder: every file is taken once, in its order."""

import contextlib
import signal
import sqlite3
import time
from pathlib import Path

import yaml

from api.client import Client
from tests.folders import lies_in, put
from tests.imports import PLAIN
from tests.running_house import STORE_BODY
from tests.served import Served, wait_until

FILES = 24
KILLED_AFTER = (0.0, 0.3)
"""Seconds after which it is killed, once it has taken another file."""


def test_a_killed_controller_takes_every_file_once_and_in_order(tmp_path: Path) -> None:
    served = Served(tmp_path / "data")
    folder = tmp_path / "data" / "hot" / "till"
    names = [f"{number:02}.csv" for number in range(FILES)]
    try:
        runtime = served.start()
        with contextlib.closing(Client(runtime.url, runtime.token, patience_s=60)) as client:
            client.put("/api/v1/stores/main", STORE_BODY)
            client.put("/api/v1/mappings/plain", yaml.safe_load(PLAIN))
            settings = {"folder": "till", "pickup": "rename", "every_s": "1"}
            body = {
                "name": "Till",
                "store": "main",
                "kind": "hot_folder",
                "mapping": "plain",
                "settings": settings,
            }
            client.put("/api/v1/sources/till", body)
        wait_until(folder.is_dir, "its folder", 30)
        for number, name in enumerate(names):
            put(folder, name, {"A": f"{number + 1}.00"})
        for pause_s in KILLED_AFTER:
            before = len(lies_in(folder / "done"))
            wait_until(lambda: len(lies_in(folder / "done")) > before, "another file", 60)  # noqa: B023  done within this round
            time.sleep(pause_s)
            served.end(signal.SIGKILL)
            served.start()
        wait_until(lambda: lies_in(folder / "done") == names, "all of them", 120)
        served.end(signal.SIGTERM)
    finally:
        served.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "esl.db")) as database:
        jobs = database.execute(
            "SELECT title, accepted FROM import_job WHERE state = 'done' ORDER BY began_at"
        ).fetchall()
        [(price,)] = database.execute("SELECT price_minor FROM price").fetchall()
    assert jobs == [(name, 1) for name in names]
    assert price == 100 * FILES
