"""Imports for tests: lists made here, handed in over HTTP, waited for."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from esl.domain.ids import SourceId
from esl.domain.import_job import ImportCounts, ImportJob, ImportMode, ImportState
from esl.store.tables import import_jobs
from tests.builders import NOON, STORE
from tests.running_house import RunningHouse

MAPPINGS = Path(__file__).parent / "data/mappings"
PLAIN = """
name: plain
format: csv
fields: {sku: sku, name: name, price: price, promotion_price: promotion}
"""
TOTALLED = """
name: totalled
format: csv
header_row: null
short_rows: true
records: {type: 1, item: D, trailer: T, count: 2, total: {number: 3, of: price}}
fields: {sku: {number: 2}, price: {number: 3}, name: {number: 4}}
"""
KEYS = [
    *("rows", "products", "accepted", "unchanged", "superseded", "quarantined", "rejected"),
    "labels_affected",
]
"""What a summary has, in this order, and nothing else."""


def a_job(job_id: str, **changes: Any) -> ImportJob:
    """A job of the list ``plain`` that waits for its turn."""
    job = ImportJob(
        job_id=job_id,
        source=SourceId("plain"),
        store_id=STORE,
        state=ImportState.QUEUED,
        mode=ImportMode.DELTA,
        dry_run=False,
        title="list.csv",
        path="",
        sha256="",
        size_bytes=1,
        mapping="plain",
        mapping_version=None,
        batch_id=None,
        cursor=0,
        rows=0,
        counts=ImportCounts(),
        detail=None,
        actor="tests",
        created_at=NOON,
        began_at=None,
        ended_at=None,
    )
    return replace(job, **changes)


def add_ended_import(tx: Connection, job_id: str, store: str) -> None:
    """Keep an import that has ended, and took nothing."""
    row = {
        "job_id": job_id,
        "source": "plain",
        "store_id": store,
        "state": ImportState.DONE.value,
        "mode": ImportMode.DELTA.value,
        "sha256": "",
        "actor": "tests",
        "created_at": NOON,
        "began_at": NOON,
        "ended_at": NOON,
    }
    tx.execute(insert(import_jobs).values(**row))


def plain_list(prices: Mapping[str, str] | Iterable[tuple[str, str]]) -> bytes:
    """Write a list for `PLAIN`."""
    pairs = prices.items() if isinstance(prices, Mapping) else prices
    lines = [f"{sku},Product {sku},{price}," for sku, price in pairs]
    return "\n".join(["sku,name,price,promotion", *lines, ""]).encode()


def hand_in(
    house: RunningHouse, store: str, body: bytes, mapping: str = PLAIN, **options: str
) -> str:
    """Hand a list in as a form; return the job's id."""
    answer = house._http.post(
        f"/api/v1/stores/{store}/imports",
        headers={"Authorization": f"Bearer {house.operator}"},
        data={"mapping": mapping} | options,
        files={"file": ("list.csv", body)},
    )
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "queued"
    return str(answer.json()["id"])


def wait_for(house: RunningHouse, job_id: str, longest_s: float = 60.0) -> dict[str, Any]:
    """Wait until an import has ended."""
    deadline = time.monotonic() + longest_s
    while True:
        job: dict[str, Any] = house.done("GET", f"/api/v1/imports/{job_id}")
        if job["ended_at"] is not None:
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.02)


def import_now(
    house: RunningHouse, store: str, body: bytes, mapping: str = PLAIN, **options: str
) -> dict[str, Any]:
    """Import a list to its end, and return the job."""
    return wait_for(house, hand_in(house, store, body, mapping, **options))


def import_done(
    house: RunningHouse, store: str, body: bytes, mapping: str = PLAIN, **options: str
) -> dict[str, Any]:
    """Import a list that is taken, and return its summary."""
    job = import_now(house, store, body, mapping, **options)
    assert job["state"] == "done", job["detail"]
    summary: dict[str, Any] = job["summary"]
    return summary


def counts(summary: Mapping[str, Any]) -> tuple[int, int, int, int, int]:
    """Return accepted, unchanged, quarantined, rejected, labels."""
    return (
        summary["accepted"],
        summary["unchanged"],
        summary["quarantined"],
        len(summary["rejected"]),
        summary["labels_affected"],
    )


def run_beside(house: RunningHouse, data: Path) -> None:
    """Write the runtime file as ``esl serve`` does."""
    fields = {"url": house.url, "token": house.operator, "pid": 1}
    (data / "run/controller.json").write_text(json.dumps(fields))
