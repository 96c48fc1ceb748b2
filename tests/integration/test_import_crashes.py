"""An import whose process is killed goes on behind its last piece; single changes do not wait."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.client import Client
from api.private_files import RuntimeFile, read_runtime_file
from esl.domain.errors import Unavailable
from tests.imports import PLAIN, plain_list
from tests.running_house import STORE_BODY
from tests.served import Served, wait_until

ROWS = 30_000
LATENCY_ROWS = 200_000
P99_MOST_S = 2.0
"""Far above what is promised: machines of tests are shared. `esl bench intake` says what it is."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    running = Served(tmp_path / "data")
    yield running
    running.close()


def client_of(runtime: RuntimeFile) -> Client:
    return Client(runtime.url, runtime.token, patience_s=60)


def begin(client: Client, file: Path, **options: str) -> str:
    with file.open("rb") as opened:
        answer = client.post_file(
            "/api/v1/stores/main/imports",
            opened,
            name=file.name,
            options={"mapping": PLAIN} | options,
        )
    return str(answer["id"])


def write_list(folder: Path, rows: int) -> Path:
    path = folder / "list.csv"
    path.write_bytes(plain_list((f"p{n}", f"{100 + n % 900}.00") for n in range(rows)))
    return path


def test_a_killed_import_goes_on_and_takes_nothing_twice(served: Served, tmp_path: Path) -> None:
    file = write_list(tmp_path, ROWS)
    with client_of(served.start()) as client:
        client.put("/api/v1/stores/main", STORE_BODY)
        job_id = begin(client, file)
        kills = 0
        path = f"/api/v1/imports/{job_id}"
        wait_until(lambda: client.get(path)["progress"]["taken"] > 0, "a piece", 60)
        before = client.get(path)
    while kills < 3:
        served.end(signal.SIGKILL)
        kills += 1
        with client_of(served.start()) as client:
            now = client.get(path)
            assert now["counts"]["accepted"] >= before["counts"]["accepted"]
            assert now["batch"] == before["batch"]
            if now["ended_at"] is not None:
                break
            taken = now["progress"]["taken"]
            wait_until(lambda: client.get(path)["progress"]["taken"] != taken, "another piece", 60)  # noqa: B023  done within this round
            before = client.get(path)
    assert kills > 1, "it was never killed in the middle"
    with client_of(served_runtime(served)) as client:
        wait_until(lambda: client.get(path)["ended_at"] is not None, "the end", 120)
        job = client.get(path)
        assert job["state"] == "done"
        assert (job["counts"]["accepted"], job["counts"]["unchanged"]) == (ROWS, 0)
        assert (job["counts"]["products"], job["counts"]["rejected"]) == (ROWS, 0)
        [batch] = client.get("/api/v1/stores/main/batches")["batches"]
        assert (batch["accepted"], batch["unchanged"]) == (ROWS, 0)
        again = begin(client, file)
        wait_until(
            lambda: client.get(f"/api/v1/imports/{again}")["ended_at"] is not None, "it", 120
        )
        assert client.get(f"/api/v1/imports/{again}")["counts"]["accepted"] == 0
    left = served.data_dir / "imports"
    wait_until(lambda: not list(left.iterdir()), "the files to go, just after the job", 30)


def served_runtime(served: Served) -> RuntimeFile:
    runtime = read_runtime_file(served.data_dir)
    assert runtime is not None
    return runtime


def test_a_controller_stops_in_the_middle_of_an_import_within_its_time(
    served: Served, tmp_path: Path
) -> None:
    with client_of(served.start()) as client:
        client.put("/api/v1/stores/main", STORE_BODY)
        job_id = begin(client, write_list(tmp_path, ROWS))
        path = f"/api/v1/imports/{job_id}"
        wait_until(lambda: client.get(path)["progress"]["taken"] > 0, "a piece", 60)
    status, took_s = served.end(signal.SIGTERM)
    assert status == 0
    assert took_s < 10
    with client_of(served.start()) as client:
        wait_until(lambda: client.get(path)["ended_at"] is not None, "the end", 120)
        counts = client.get(path)["counts"]
        assert (counts["accepted"], counts["unchanged"]) == (ROWS, 0)


def test_single_changes_are_answered_while_a_long_list_is_imported(
    served: Served, tmp_path: Path
) -> None:
    file = write_list(tmp_path, LATENCY_ROWS)
    took_s: list[float] = []
    with client_of(served.start()) as client:
        client.put("/api/v1/stores/main", STORE_BODY)
        client.put("/api/v1/stores/main/products/one", {"name": "One", "price": "1.00"})
        job_id = begin(client, file)
        path = f"/api/v1/imports/{job_id}"
        wait_until(lambda: client.get(path)["progress"]["pass"] == "taking", "the second pass", 60)
        ended = threading.Event()
        while not ended.is_set():
            began_s = time.perf_counter()
            price = f"{100 + len(took_s) % 800}.50"
            try:
                client.post("/api/v1/stores/main/price-changes", {"sku": "one", "price": price})
            except Unavailable as exc:
                pytest.fail(f"a single change was not taken: {exc}")
            took_s.append(time.perf_counter() - began_s)
            if len(took_s) % 20 == 0 and client.get(path)["ended_at"] is not None:
                ended.set()
        assert client.get(path)["counts"]["accepted"] == LATENCY_ROWS
    took_s.sort()
    p99_s = took_s[int(len(took_s) * 0.99)]
    print(f"\n{len(took_s)} changes, p50 {took_s[len(took_s) // 2]:.3f} s, p99 {p99_s:.3f} s")  # noqa: T201  the figure itself
    assert len(took_s) > 50
    assert p99_s < P99_MOST_S
