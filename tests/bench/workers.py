"""One worker and two, on one PostgreSQL and one mosquitto: what a second process brings.

    python -m tests.bench.workers --labels 4000 --workers 2

A controller without delivery takes price changes for every label; workers deliver them to thin
gateways, which acknowledge at once. Prints a line of JSON for each number of workers: labels a
second from the first change to the last report, CPU a label of each kind of process. On a machine
whose cores are busy already, wall time says more about the machine than about the workers.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text

from api.bench.ceiling_process import CeilingProcess
from api.client import Client
from tests.real_shop import RealShop
from tests.services import Mosquitto, Postgres

STORE = "/api/v1/stores/demo"
STORE_BODY = {
    "name": "Bench",
    "currency": "EUR",
    "locale": "hr_HR",
    "timezone": "Europe/Zagreb",
    "guards": {"on": False, "reason": "prices are drawn by lot"},
}
GATEWAYS = 8
ITEMS_AT_ONCE = 2000
_LONGEST_S = 300.0


def measure(folder: Path, postgres: Postgres, *, labels: int, workers: int) -> dict[str, Any]:
    """Fill a shop and change every price, warm; return what the change took."""
    mosquitto = Mosquitto(folder / "mosquitto")
    mosquitto.start()
    name = postgres.create_database()
    shop = RealShop(
        folder / "shop",
        [],
        mqtt_url=mosquitto.url,
        database_url=postgres.url(name),
        broker={},
        serve=("--no-delivery",),
        workers=[str(n + 1) for n in range(workers)],
        patience_s=60,
    )
    ceiling: CeilingProcess | None = None
    try:
        ceiling = _fill(shop, folder, mosquitto, labels)
        _until_settled(shop)
        time.sleep(2.0)
        before, began_s = _cpu_s(shop, postgres), time.monotonic()
        _post(shop, "price-changes", [_change(n, f"2.{n % 100:02d}") for n in range(labels)])
        taken_s = time.monotonic() - began_s
        _until_settled(shop)
        wall_s = time.monotonic() - began_s
        after = _cpu_s(shop, postgres)
        with shop.database.read() as tx:
            rows = tx.execute(text("SELECT count(*) FROM display_log")).scalar_one()
        return {
            "labels": labels,
            "gateways": GATEWAYS,
            "workers": workers,
            "labels_per_s": round(labels / wall_s),
            "wall_s": round(wall_s, 2),
            "intake_s": round(taken_s, 2),
            "cpu_us": {k: round((after[k] - before[k]) / labels * 1e6) for k in after},
            "display_log_rows": rows,
            "cores": os.cpu_count(),
            "load_1m": round(os.getloadavg()[0], 1),
        }
    finally:
        if ceiling is not None:
            ceiling.close()
        shop.close()
        mosquitto.stop()
        postgres.drop_database(name)


def _fill(shop: RealShop, folder: Path, mosquitto: Mosquitto, labels: int) -> CeilingProcess:
    shop.controller.start()
    shop.ask(lambda client: client.put(STORE, STORE_BODY))
    paths = []
    login = {"username": mosquitto.username, "password": mosquitto.password}
    for number in range(GATEWAYS):
        enrolment = json.loads(shop.register(f"gw-{number}")) | login
        path = folder / f"gw-{number}.json"
        path.write_text(json.dumps(enrolment))
        paths.append(path)
    _post(
        shop,
        "products",
        [{"sku": f"s-{n}", "name": f"Product {n}", "price": "1.29"} for n in range(labels)],
    )
    _post(
        shop,
        "labels",
        [
            {"label": f"l-{n}", "panel": "bwry-296x128", "gateway": f"gw-{n % GATEWAYS}"}
            for n in range(labels)
        ],
    )
    ceiling = CeilingProcess(paths, labels_each=-(-labels // GATEWAYS), thin=True)
    for worker in shop.workers.values():
        worker.start()
    _post(shop, "pairings", [{"label": f"l-{n}", "sku": f"s-{n}"} for n in range(labels)])
    return ceiling


def _change(number: int, price: str) -> dict[str, Any]:
    return {"sku": f"s-{number}", "price": price, "was": None, "badge": None}


def _post(shop: RealShop, what: str, items: Sequence[Any]) -> None:
    for start in range(0, len(items), ITEMS_AT_ONCE):
        part = list(items[start : start + ITEMS_AT_ONCE])

        def send(client: Client, part: list[Any] = part) -> Any:
            return client.post(f"{STORE}/{what}", part)

        shop.ask(send)


def _until_settled(shop: RealShop) -> None:
    deadline = time.monotonic() + _LONGEST_S
    # By the partial index: the measuring must not be what is measured.
    due = text("SELECT count(*) FROM label WHERE due_at IS NOT NULL")
    while True:
        with shop.database.read() as tx:
            open_ones = tx.execute(due).scalar_one()
        if open_ones == 0:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"{open_ones} labels are not settled")
        time.sleep(0.1)


def _cpu_s(shop: RealShop, postgres: Postgres) -> dict[str, float]:
    return {
        "api": _with_children(shop.controller.pid),
        "workers": sum(_with_children(worker.pid) for worker in shop.workers.values()),
        "postgresql": _with_children(postgres.pid),
    }


def _with_children(pid: int) -> float:
    process = psutil.Process(pid)
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def main() -> None:
    """Measure each number of workers that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=4000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    postgres = Postgres()
    postgres.start()
    try:
        for workers in asked.workers:
            with tempfile.TemporaryDirectory(prefix="esl-bench-workers-") as folder:
                figures = measure(Path(folder), postgres, labels=asked.labels, workers=workers)
                print(json.dumps(figures), flush=True)
    finally:
        postgres.discard()


if __name__ == "__main__":
    main()
