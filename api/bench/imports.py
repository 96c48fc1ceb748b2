"""Importing a long list: rows a second, memory, and how long single changes wait meanwhile.

A controller of its own imports a list of new products, then the same list with another price for
each while somebody changes one price after another.
"""

import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from api.bench.processes import cpu_s, peak_rss_mb
from api.client import Client
from api.demo.controller import ControllerProcess
from api.private_files import RuntimeFile

STORE = "bench"
BROKER = "iotcore"
"""In the command line of the embedded broker, whose work is not the controller's."""
SINGLE = "single"
MAPPING = """
name: bench
format: csv
fields: {sku: sku, name: name, brand: brand, category: category, price: price}
"""
_BRANDS, _CATEGORIES, _PRICES = 300, 40, 900
_LOOK_S = 0.2
_BETWEEN_S = 0.02
"""Between two single changes: people and tills, not a flood."""


def measure_imports(
    rows: int,
    data: Path,
    *,
    arguments: tuple[str, ...] = (),
    progress: Callable[[str], None] = lambda _text: None,
) -> dict[str, Any]:
    """Import ``rows`` rows twice, by a controller on a data folder; return the figures.

    Rates are rows a second from the job's begin to its end, memory is the controller's peak in
    MiB, times are milliseconds as a client sees them.

    Raises:
        RuntimeError: A job did not end well, or did not accept every row.
    """
    with tempfile.TemporaryDirectory(prefix="esl-bench-") as name:
        folder = Path(name)
        controller = ControllerProcess(data, arguments=arguments, log=folder / "log.txt")
        runtime = controller.start()
        try:
            pid = controller.pid
            if pid is None:
                raise AssertionError("a controller that has started has a process")
            with Client(runtime.url, runtime.token, patience_s=600) as client:
                _set_up(client)
                before_mb = peak_rss_mb(pid)
                progress(f"a list of {rows:,} new products")
                before_s = cpu_s(pid, without=BROKER)
                new = _import(client, _write_list(folder, rows, cents=0), rows)
                new_cpu_s = cpu_s(pid, without=BROKER) - before_s
                progress("the same list with other prices, and single changes meanwhile")
                waits = _Singles(runtime)
                changed = _import(client, _write_list(folder, rows, cents=1), rows, beside=waits)
                waits_ms = sorted(wait * 1000 for wait in waits.took_s)
            after_mb = peak_rss_mb(pid)
        finally:
            controller.stop()
    return {
        "import_rows": rows,
        "import_rows_per_s": round(rows / new),
        "import_cpu_us": round(new_cpu_s / rows * 1e6, 1),
        "import_changed_rows_per_s": round(rows / changed),
        "import_peak_rss_mb": round(after_mb),
        "import_rss_grown_mb": round(after_mb - before_mb),
        "single_changes_during_import": len(waits_ms),
        "single_p50_ms_during_import": round(_at(waits_ms, 0.5), 1),
        "single_p99_ms_during_import": round(_at(waits_ms, 0.99), 1),
    }


def _set_up(client: Client) -> None:
    store = {
        "name": "Bench",
        "currency": "EUR",
        "locale": "hr_HR",
        "timezone": "Europe/Zagreb",
    }
    client.put(f"/api/v1/stores/{STORE}", store)
    product = {"name": "Single", "price": "10.00"}
    client.put(f"/api/v1/stores/{STORE}/products/{SINGLE}", product)
    limits = {"changes_a_day": None}  # its one price changes all the time
    client.put(f"/api/v1/stores/{STORE}/guards", {"limits": limits})


def _write_list(folder: Path, rows: int, *, cents: int) -> Path:
    path = folder / "list.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("sku,name,brand,category,price\n")
        for number in range(rows):
            price = 100 + number % _PRICES + cents
            file.write(
                f"{number:08d},Proizvod {number},Marka {number % _BRANDS},"
                f"Kategorija {number % _CATEGORIES},{price // 100}.{price % 100:02d}\n"
            )
    return path


def _import(client: Client, file: Path, rows: int, *, beside: "_Singles | None" = None) -> float:
    """Import a list of so many rows; return the seconds from the job's begin to its end."""
    with file.open("rb") as opened:
        options = {"mapping": MAPPING}
        path = f"/api/v1/stores/{STORE}/imports"
        job_id = client.post_file(path, opened, name=file.name, options=options)["id"]
    if beside is not None:
        beside.start()
    try:
        while (job := client.get(f"/api/v1/imports/{job_id}"))["ended_at"] is None:
            time.sleep(_LOOK_S)
    finally:
        if beside is not None:
            beside.stop()
    if (job["state"], job["counts"]["accepted"]) != ("done", rows):
        raise RuntimeError(f"an import did not accept all of {rows} rows: it is {job['state']}")
    began, ended = (datetime.fromisoformat(job[name]) for name in ("began_at", "ended_at"))
    return (ended - began).total_seconds()


class _Singles:
    """Changes one price after another in a thread, and notes how long each took."""

    def __init__(self, runtime: RuntimeFile) -> None:
        self.took_s: list[float] = []
        self._runtime = runtime
        self._ending = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="single changes")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the last.

        Raises:
            Exception: What ended them before.
        """
        self._ending.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._change()
        except Exception as exc:  # noqa: BLE001  whoever waits for us is told
            self._failure = exc

    def _change(self) -> None:
        path = f"/api/v1/stores/{STORE}/price-changes"
        with Client(self._runtime.url, self._runtime.token, patience_s=60) as client:
            while not self._ending.wait(_BETWEEN_S):
                price = f"10.{len(self.took_s) % 99 + 1:02d}"
                began_s = time.perf_counter()
                told = client.post(path, {"sku": SINGLE, "price": price})
                if told["results"][0]["decision"] != "accepted":
                    raise RuntimeError("a single change beside an import was not accepted")
                self.took_s.append(time.perf_counter() - began_s)


def _at(sorted_ms: list[float], share: float) -> float:
    return sorted_ms[min(int(len(sorted_ms) * share), len(sorted_ms) - 1)] if sorted_ms else 0.0
