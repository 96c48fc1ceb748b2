"""A shop for the proof of an upgrade: processes of one release or another on one database."""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from tests.running_house import STORE_BODY
from tests.served import environment
from tests.services import Mosquitto, Postgres, ServiceFailed, free_port

TREE = Path(__file__).resolve().parents[2]
GATEWAYS = 4
TILLS = 4
PAUSE_OF_TILL_S = 0.05
SETTLES_S = 300.0


@dataclass(slots=True)
class Sold:
    """What the tills were told: accepted changes by key, and when each was accepted."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    accepted: dict[str, tuple[str, int]] = field(default_factory=dict)
    at: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def last_prices(self) -> dict[str, int]:
        """Return what each product costs: prices of a till only rise, and each has its products."""
        last: dict[str, int] = {}
        for sku, minor in self.accepted.values():
            last[sku] = max(minor, last.get(sku, 0))
        return last


class Shop:
    """A data folder, the broker and the processes on it: one controller at a time."""

    def __init__(
        self, folder: Path, labels: int, products: int, *, on: Postgres | None = None
    ) -> None:
        self._folder = folder
        self._postgres = on
        self.data = folder / "data"
        self.labels, self.products = labels, products
        self._port = free_port()
        self.broker = Mosquitto(folder / "broker")
        self._controller: subprocess.Popen[bytes] | None = None
        self._simulator: subprocess.Popen[bytes] | None = None
        self._enrolled: list[Path] = []

    def close(self) -> None:
        """End what was started."""
        for process in (self._controller, self._simulator):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        self.broker.stop()

    @property
    def where(self) -> tuple[str | Path, ...]:
        """The options by which commands find data folder and database."""
        data = ("--data", self.data)
        return data if self._postgres is None else (*data, "--database", self._postgres.url())

    def esl(self, tree: Path, *arguments: str | Path) -> None:
        """Run a command of a tree to its end."""
        command = [sys.executable, "-m", "api.cli", *map(str, arguments)]
        ran = subprocess.run(
            command, cwd=tree, env=environment(), check=False, capture_output=True, text=True
        )
        if ran.returncode:
            raise ServiceFailed(f"esl {arguments[0]}: {ran.stderr[-2000:]}")

    def _launch(self, tree: Path, log: str, *arguments: str | Path) -> "subprocess.Popen[bytes]":
        with (self._folder / log).open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "api.cli", *map(str, arguments)],
                cwd=tree,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def start(self, tree: Path) -> float:
        """Start a tree's controller; return after how many seconds it answers."""
        began_s = time.monotonic()
        self._runtime_file.unlink(missing_ok=True)
        how = ("--port", str(self._port), "--mqtt", self.broker.url)
        self._controller = self._launch(tree, "controller.log", "serve", *self.where, *how)
        while not self._answers():
            if self._controller.poll() is not None or time.monotonic() > began_s + SETTLES_S:
                words = (self._folder / "controller.log").read_text(encoding="utf-8")
                raise ServiceFailed(f"the controller does not start:\n{words[-2000:]}")
            time.sleep(0.05)
        return time.monotonic() - began_s

    def stop(self) -> None:
        """End the controller in good order."""
        assert self._controller is not None
        self._controller.send_signal(signal.SIGTERM)
        status = self._controller.wait(60)
        assert status == 0, f"the controller ended with {status}"

    @property
    def _runtime_file(self) -> Path:
        return self.data / "run" / "controller.json"

    def _answers(self) -> bool:
        if not self._runtime_file.exists():
            return False
        try:
            with self.client(None) as http:
                return http.get("/healthz").is_success
        except httpx2.TransportError:
            return False

    def client(self, token: str | None) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.Client(
            base_url=f"http://127.0.0.1:{self._port}", headers=headers, trust_env=False, timeout=60
        )

    def operator(self) -> httpx2.Client:
        """Return a client with every right."""
        return self.client(str(json.loads(self._runtime_file.read_text("utf-8"))["token"]))

    # -- the shop ------------------------------------------------------------------------------

    def fill(self) -> str:
        """Make the shop over HTTP, and return a till's token."""
        each = self.labels // GATEWAYS
        names = [f"gw-{g}-{n:04}" for g in range(GATEWAYS) for n in range(1, each + 1)]
        with self.operator() as http:
            _done(http, "PUT", "/api/v1/stores/main", STORE_BODY)
            for gateway in range(GATEWAYS):
                made = _done(http, "PUT", f"/api/v1/stores/main/gateways/gw-{gateway}", {})
                made |= {"username": self.broker.username, "password": self.broker.password}
                path = self._folder / f"gw-{gateway}.json"
                path.write_text(json.dumps(made), encoding="utf-8")
                self._enrolled.append(path)
            products = [
                {"sku": str(n), "name": f"Kruh {n}", "price": "1.00"} for n in range(self.products)
            ]
            labels = [
                {"label": name, "panel": "bwry-296x128", "gateway": name[:4]} for name in names
            ]
            pairs = [{"label": name, "sku": str(n % self.products)} for n, name in enumerate(names)]
            for what, rows in (("products", products), ("labels", labels), ("pairings", pairs)):
                for first in range(0, len(rows), 500):
                    some = rows[first : first + 500]
                    _done(http, "POST", f"/api/v1/stores/main/{what}", some)
            body = {"name": "till", "scopes": ["price:write", "price:read"], "stores": ["*"]}
            return str(_done(http, "POST", "/api/v1/tokens", body)["token"])

    def hang_labels(self, tree: Path) -> None:
        """Let a tree's simulator be the ceiling, for good: it stays over the upgrade."""
        how = ("--labels", str(self.labels // GATEWAYS), "--paint", "0.2", "--beacon", "30")
        self._simulator = self._launch(tree, "ceiling.log", "simulate", *self._enrolled, *how)

    def settle(self, most_s: float = SETTLES_S) -> float | None:
        """Wait until every label is settled; return after how many seconds, None: it is not."""
        began_s = time.monotonic()
        with self.operator() as http:
            while time.monotonic() < began_s + most_s:
                told = _done(http, "GET", "/api/v1/stores/main/summary")
                if told["paired"] == self.labels and told["unsettled"] == 0 == self.labels_wrong():
                    return round(time.monotonic() - began_s, 1)
                time.sleep(0.5)
        return None

    def read(self, query: str) -> list[Any]:
        """Ask the database, of either kind."""
        if self._postgres is not None:
            address = self._postgres.url().replace("postgresql+psycopg:", "postgresql:")
            with psycopg.connect(address) as connection:
                return connection.execute(query.encode()).fetchall()
        with closing(sqlite3.connect(f"file:{self.data}/esl.db?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()

    def labels_wrong(self) -> int:
        """Count labels that have not reported the picture they were last to show."""
        query = """
            SELECT count(*) FROM label
            WHERE wanted_rev = 0 OR settled_rev < wanted_rev OR shown_rev < wanted_rev
               OR problem IS NOT NULL
        """
        return int(self.read(query)[0][0])

    # -- the tills -----------------------------------------------------------------------------

    @contextmanager
    def selling(self, token: str, sold: Sold) -> Iterator[None]:
        """Let tills change prices while the block runs; each repeats until it is answered."""
        stop = threading.Event()
        tills = [
            threading.Thread(target=self._sell, args=(till, token, sold, stop), daemon=True)
            for till in range(TILLS)
        ]
        for thread in tills:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in tills:
                thread.join(90)

    def _sell(self, till: int, token: str, sold: Sold, stop: threading.Event) -> None:
        with self.client(token) as http:
            for n in range(1, 10**9):
                minor, sku = 100 + n, str((till + TILLS * n) % (self.products // TILLS * TILLS))
                key = f"till-{till}-{n}"
                body = {"sku": sku, "price": f"{minor // 100}.{minor % 100:02}"}
                if (answer := _until_answered(http, key, body, stop)) is None:
                    return
                with sold.lock:
                    if not answer.is_success:
                        sold.refused.append(f"{answer.status_code}: {answer.text[:200]}")
                        return
                    sold.at.append(time.monotonic())
                    sold.accepted[key] = (sku, minor)
                if stop.wait(PAUSE_OF_TILL_S):
                    return


def _until_answered(
    http: httpx2.Client, key: str, body: dict[str, str], stop: threading.Event
) -> httpx2.Response | None:
    """Send a change until it is answered; None if there is no controller at the end."""
    while True:
        try:
            answer = http.post(
                "/api/v1/stores/main/price-changes", json=body, headers={"Idempotency-Key": key}
            )
        except httpx2.TransportError:
            if stop.is_set():
                return None
        else:
            if answer.status_code not in (429, 503):
                return answer
        time.sleep(0.02)


def _done(http: httpx2.Client, method: str, path: str, body: Any = None) -> Any:
    answer = http.request(method, path, json=body)
    if not answer.is_success:
        raise ServiceFailed(f"{method} {path}: {answer.status_code} {answer.text[:400]}")
    return answer.json() if answer.content else None


@contextmanager
def previous_release(revision: str, folder: Path) -> Iterator[Path]:
    """Take a revision out of git into a worktree."""
    tree = folder / "previous"
    add = ["git", "worktree", "add", "--detach", "--quiet", str(tree), revision]
    subprocess.run(add, cwd=TREE, check=True)
    try:
        yield tree
    finally:
        remove = ["git", "worktree", "remove", "--force", str(tree)]
        subprocess.run(remove, cwd=TREE, check=True)
