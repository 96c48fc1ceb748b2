"""``esl bench intake``: what a controller takes in, as its senders see it over HTTP.

::

    singles   32 tills at once, each change answered after the commit that holds it
    bulk      10,000 changes a request, from the first byte sent to the last result received
    import    a list of new products; the same list with other prices, and single changes meanwhile
    naive     the singles again, by `api.bench.naive_intake`

With guards, audit and full durability, every product with a label that wants what is new. What
was answered is read back: a price that is lost ends the run.
"""

import http.client
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import inspect

from api.bench.imports import BROKER, measure_imports
from api.bench.naive_intake import NaiveIntake
from api.bench.processes import cpu_s
from api.bench.tills import TillsDone, TillsJob, TillsProcess
from api.client import Client
from api.demo.controller import ControllerProcess
from api.private_files import RuntimeFile
from esl.domain.errors import InvalidInput
from esl.store import places
from esl.store.database import Database

STORE = "bench-intake"
PANEL = "bwry-296x128"
BULK_MOST = 10_000

_PATH = f"/api/v1/stores/{STORE}"
_ITEMS_MOST = 2000
_READ_BACK = 200
_WARM_UP = 20
"""Changes a till before those that are measured: caches fill, statements are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSize:
    """How much is measured. A till has products of its own: there are as many for each."""

    clients: int = 32
    changes: int = 9600
    products: int = BULK_MOST
    bulk_rounds: int = 5
    import_rows: int = 100_000
    naive_changes: int = 3200


@dataclass(slots=True)
class _Shop:
    """A controller with products, and what their prices must be by now."""

    runtime: RuntimeFile
    pid: int
    size: IntakeSize
    last_minor: dict[str, int] = field(default_factory=dict)

    def cpu_s(self) -> float:
        return cpu_s(self.pid, without=BROKER)


def measure_intake(
    size: IntakeSize,
    *,
    database: str | None = None,
    naive: bool = True,
    progress: Callable[[str], None] = lambda _text: None,
) -> dict[str, Any]:
    """Measure; return what ``esl bench intake --json`` prints.

    Rates are changes or rows a second, times milliseconds as a sender sees them, CPU microseconds
    of the controller's own process, memory MiB.

    Raises:
        InvalidInput: The database has stores already.
        RuntimeError: A change was not accepted, or what was answered does not hold.
    """
    how = () if database is None else ("--database", database)
    if database is not None:
        _refuse_in_use(database)
    kind = "sqlite" if database is None else urlsplit(database).scheme.partition("+")[0]
    with tempfile.TemporaryDirectory(prefix="esl-bench-") as name:
        folder = Path(name)
        figures: dict[str, Any] = {
            "bench": "intake",
            "database": kind,
            "clients": size.clients,
            "products": size.products,
        }
        controller = ControllerProcess(folder / "data", arguments=how, log=folder / "log.txt")
        runtime = controller.start()
        try:
            shop = _Shop(runtime, controller.pid or 0, size)
            progress(f"a shop of {size.products:,} products opens")
            _open(shop)
            progress(f"{size.clients} tills change single prices")
            figures |= _singles(shop)
            progress(f"{size.bulk_rounds} requests of {min(size.products, BULK_MOST):,} changes")
            figures |= _bulk(shop)
            figures["read_back"] = _read_back(shop)
        finally:
            controller.stop()
        # A process of its own, so that the peak of memory is the import's.
        figures |= measure_imports(
            size.import_rows, folder / "data", arguments=how, progress=progress
        )
        if naive:
            progress("the naive way")
            figures |= _naive(size, folder)
            ratio = figures["single_per_s"] / figures["naive_single_per_s"]
            figures["naive_ratio"] = round(ratio, 1)
    return figures


def _refuse_in_use(address: str) -> None:
    """Refuse a database that somebody works with."""
    with closing(Database(address)) as database, database.read() as tx:
        if inspect(tx).has_table("store") and places.all_stores(tx):
            raise InvalidInput.at(
                "--database", "has stores already", fix="Name an empty database for the benchmark."
            )


def _open(shop: _Shop) -> None:
    with Client(shop.runtime.url, shop.runtime.token, patience_s=600) as client:
        store = {"name": "Bench", "currency": "EUR", "locale": "hr_HR", "timezone": "Europe/Zagreb"}
        client.put(_PATH, store)
        client.put(f"{_PATH}/guards", {"limits": {"changes_a_day": None}})
        skus = [f"sku-{number}" for number in range(shop.size.products)]
        for first in range(0, len(skus), _ITEMS_MOST):
            some = skus[first : first + _ITEMS_MOST]
            named = [{"sku": s, "name": f"Proizvod {s}", "price": "10.00"} for s in some]
            client.post(f"{_PATH}/products", named)
            labels = [{"label": f"l-{s}", "panel": PANEL} for s in some]
            client.post(f"{_PATH}/labels", labels)
            client.post(f"{_PATH}/pairings", [{"label": f"l-{s}", "sku": s} for s in some])


def _singles(shop: _Shop) -> dict[str, Any]:
    size = shop.size
    url = urlsplit(shop.runtime.url)
    warm_up = min(_WARM_UP * size.clients, size.changes)

    def job(changes: int, first: int) -> TillsJob:
        return TillsJob(
            host=url.hostname or "",
            port=url.port or 0,
            path=f"{_PATH}/price-changes",
            token=shop.runtime.token,
            clients=size.clients,
            products=size.products,
            changes=changes,
            first=first,
        )

    shop.last_minor |= _done(job(warm_up, 0)).last_minor
    before_s = shop.cpu_s()
    done = _done(job(size.changes, warm_up // size.clients))
    took_s = shop.cpu_s() - before_s
    shop.last_minor |= done.last_minor
    return _of_singles("", done) | {
        "single_cpu_us": round(took_s / len(done.took_ms) * 1e6),
        "single_client_cpu_us": round(done.cpu_s / len(done.took_ms) * 1e6),
    }


def _done(job: TillsJob) -> TillsDone:
    done = TillsProcess(job).wait()
    if set(done.answers) != {"accepted"}:
        raise RuntimeError(f"single changes were not all accepted: {done.answers}")
    return done


def _of_singles(prefix: str, done: TillsDone) -> dict[str, Any]:
    return {
        f"{prefix}single_per_s": round(done.per_s),
        f"{prefix}single_changes": len(done.took_ms),
        f"{prefix}single_p50_ms": round(done.at_ms(0.5), 1),
        f"{prefix}single_p99_ms": round(done.at_ms(0.99), 1),
    }


def _bulk(shop: _Shop) -> dict[str, Any]:
    url = urlsplit(shop.runtime.url)
    count = min(shop.size.products, BULK_MOST)
    line = http.client.HTTPConnection(url.hostname or "", url.port, timeout=600)
    headers = {
        "Authorization": f"Bearer {shop.runtime.token}",
        "Content-Type": "application/json",
    }
    took_s: list[float] = []
    before_s = shop.cpu_s()
    try:
        for turn in range(1, shop.size.bulk_rounds + 1):
            minor = 1020 + turn
            price = f"{minor // 100}.{minor % 100:02d}"
            said = [{"sku": f"sku-{n}", "price": price, "source_seq": turn} for n in range(count)]
            body = json.dumps(said).encode()
            began_s = time.perf_counter()
            line.request("POST", f"{_PATH}/price-changes", body, headers)
            answer = line.getresponse()
            told = answer.read()
            took_s.append(time.perf_counter() - began_s)
            if answer.status != http.client.OK:
                raise RuntimeError(f"a bulk request was answered {answer.status}")
            decided = {result["decision"] for result in json.loads(told)["results"]}
            if decided != {"accepted"}:
                raise RuntimeError(f"bulk changes were not all accepted: {sorted(decided)}")
            shop.last_minor |= {f"sku-{n}": minor for n in range(count)}
    finally:
        line.close()
    changes = count * len(took_s)
    return {
        "bulk_per_s": round(changes / sum(took_s)),
        "bulk_best_per_s": round(count / min(took_s)),
        "bulk_changes": changes,
        "bulk_cpu_us": round((shop.cpu_s() - before_s) / changes * 1e6, 1),
    }


def _read_back(shop: _Shop) -> int:
    """Read some products again, and hold their prices against what was answered last."""
    skus = sorted(shop.last_minor)[:: max(1, len(shop.last_minor) // _READ_BACK)]
    with Client(shop.runtime.url, shop.runtime.token, patience_s=600) as client:
        for sku in skus:
            minor = shop.last_minor[sku]
            price = client.get(f"{_PATH}/products/{sku}")["price"]
            if price != f"{minor // 100}.{minor % 100:02d}":
                raise RuntimeError(f"the price of {sku} was lost: {price} holds")
    return len(skus)


def _naive(size: IntakeSize, folder: Path) -> dict[str, Any]:
    with NaiveIntake(folder, size.products) as naive:
        job = TillsJob(
            host="127.0.0.1",
            port=naive.port,
            path="/price-changes",
            token="none",  # noqa: S106  it asks for none
            clients=size.clients,
            products=size.products,
            changes=size.naive_changes,
        )
        return _of_singles("naive_", _done(job))
