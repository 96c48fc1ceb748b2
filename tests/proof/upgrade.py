"""``python -m tests.proof.upgrade --from REV --labels 500 --products 500 --json``: an upgrade.

The previous release is taken from git into a worktree of its own and run by this interpreter, with
a real mosquitto and simulated labels, while tills change prices over HTTP. It is stopped, this
tree is started on the same data folder (it makes its backup and migrates), and the tills go on all
the while: what was accepted must be there and right, and every label must show it. Then the way
back, as docs/operate.md says: the copy is put in the place of the database, the previous release is
started, and what the labels need to obey it again is done.
"""

import argparse
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.running_house import STORE_BODY
from tests.served import environment
from tests.services import Mosquitto, ServiceFailed, free_port

TREE = Path(__file__).resolve().parents[2]
GATEWAYS = 4
TILLS = 4
PAUSE_OF_TILL_S = 0.05
LOAD_S = 10.0
"""So long the tills sell before the stop, and again once the new version answers."""

SETTLES_S = 300.0
JUMP = 2**32
"""What `esl restore` lets revisions jump by; docs/operate.md has it for releases before it."""

MUST_BE_0 = ("labels_wrong", "accepted_and_lost", "products_wrong", "back_labels_wrong")


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

    def __init__(self, folder: Path, labels: int, products: int) -> None:
        self._folder = folder
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

    def esl(self, tree: Path, *arguments: str | Path) -> None:
        """Run a command of a tree to its end."""
        command = [sys.executable, "-m", "api.cli", *map(str, arguments)]
        subprocess.run(command, cwd=tree, env=environment(), check=True, capture_output=True)

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
        where = ("--data", self.data, "--port", str(self._port), "--mqtt", self.broker.url)
        self._controller = self._launch(tree, "controller.log", "serve", *where)
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
        """Ask the database file."""
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


def prove_upgrade(previous: Path, folder: Path, *, labels: int, products: int) -> dict[str, Any]:
    """Upgrade under load, compare, and go back."""
    shop = Shop(folder, labels - labels % GATEWAYS, products)
    shop.broker.start()
    try:
        shop.start(previous)
        till = shop.fill()
        shop.hang_labels(previous)
        found: dict[str, Any] = {"labels": shop.labels, "products": products}
        found["filled_s"] = shop.settle()
        found |= _upgrade_under_load(shop, till)
        return found | _go_back(shop, previous)
    finally:
        shop.close()


def _upgrade_under_load(shop: Shop, till: str) -> dict[str, Any]:
    sold = Sold()
    with shop.selling(till, sold):
        time.sleep(LOAD_S)
        before = len(sold.at)
        schema = shop.read("SELECT version_num FROM alembic_version")[0][0]
        shop.stop()
        start_s = shop.start(TREE)
        time.sleep(LOAD_S)
    settled_s = shop.settle()
    kept = {tuple(row) for row in shop.read("SELECT sku, price_minor FROM price_event")}
    prices = dict(shop.read("SELECT sku, price_minor FROM price"))
    return {
        "from_schema": schema,
        "to_schema": shop.read("SELECT version_num FROM alembic_version")[0][0],
        "accepted_before": before,
        "accepted": len(sold.accepted),
        "refused": sold.refused[:3],
        "accepted_and_lost": len(set(sold.accepted.values()) - kept),
        "products_wrong": sum(prices[sku] != m for sku, m in sold.last_prices().items()),
        "pause_s": round(max(b - a for a, b in zip(sold.at, sold.at[1:], strict=False)), 2),
        "start_s": round(start_s, 2),
        "settled_s": settled_s,
        "labels_wrong": shop.labels_wrong(),
    }


def _go_back(shop: Shop, previous: Path) -> dict[str, Any]:
    """Go back as docs/operate.md says."""
    shop.stop()
    (copy,) = shop.data.glob("esl.db.before-upgrade-from-*")
    for suffix in ("-wal", "-shm"):
        (shop.data / f"esl.db{suffix}").unlink(missing_ok=True)
    shutil.copyfile(copy, shop.data / "esl.db")
    has_backup = (previous / "api" / "cli" / "backup.py").exists()
    if has_backup:
        file = shop.data.with_name("back.zip")
        shop.esl(previous, "backup", "write", file, "--without-keys", "--data", shop.data)
        (shop.data / "esl.db").unlink()
        shop.esl(previous, "restore", file, "--keep-keys", "--data", shop.data)
    else:
        _raise_revisions(shop.data / "esl.db")
    start_s = shop.start(previous)
    settled_s = shop.settle()
    return {
        "back_by": "backup and restore" if has_backup else "the copy, and revisions raised",
        "back_start_s": round(start_s, 2),
        "back_settled_s": settled_s,
        "back_labels_wrong": shop.labels_wrong(),
    }


def _raise_revisions(path: Path) -> None:
    """Do by hand what `esl restore` does, for a release that has none."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            f"UPDATE gateway SET counter = counter + {JUMP}, session = '', online = 0"  # noqa: S608
        )
        database.execute(f"UPDATE revision_counter SET last_rev = last_rev + {JUMP}")  # noqa: S608
        database.execute(
            f"UPDATE label SET wanted_rev = wanted_rev + {JUMP}, sent_rev = 0, settled_rev = 0,"  # noqa: S608
            " shown_rev = 0, shown_digest = '', slots = NULL, problem = NULL, attempts = 0,"
            " epoch = epoch + 65536, due_at = '2020-01-01 00:00:00.000000' WHERE wanted_rev > 0"
        )


def main() -> int:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.upgrade", description=__doc__)
    parser.add_argument("--from", dest="revision", required=True, help="the previous release")
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument("--products", type=int, default=500)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended
    with tempfile.TemporaryDirectory(prefix="esl-upgrade-") as name:
        folder = Path(name)
        with previous_release(arguments.revision, folder) as tree:
            found = prove_upgrade(
                tree, folder, labels=arguments.labels, products=arguments.products
            )
    found = {"from": arguments.revision} | found
    sys.stdout.write(json.dumps(found, indent=None if arguments.json else 2) + "\n")
    return 1 if found["refused"] or any(found[name] for name in MUST_BE_0) else 0


if __name__ == "__main__":
    sys.exit(main())
