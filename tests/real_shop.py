"""A shop of real processes that may be killed at any moment, a till that never stops, and a judge.

    till ──HTTP──▶ esl serve ═══ database ═══ esl worker …  ──▶ mosquitto ◀── shelf_process
      │ every answer 2xx is remembered                                              │
      └───────────────────────────▶ judge ◀── every picture that was ever on a glass ┘

Lost: a price that was answered 2xx and is not in the books exactly once. Wrong: a label that went
back in its revisions, showed a picture that was never issued to it, or at the end shows another
picture than a fresh render of the last price answered.
"""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import psutil
from sqlalchemy import Connection, func, select

from api.client import Client, Refused
from api.demo.sample_shop import STORE, STORE_BODY, Place, products
from api.private_files import make_data_folder, read_runtime_file
from esl.domain.errors import SetupError, Unavailable
from esl.domain.ids import LabelId
from esl.domain.panel_file import load_panels
from esl.services.deliveries import load
from esl.store.database import Database
from esl.store.tables import issued, labels, price_events
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from tests.served import environment
from tests.shelf_process import SHELF, STANDING, read_glass


class Child:
    """One process of ours: started, killed, started again. It ends with us."""

    def __init__(self, *arguments: str | Path, log: Path) -> None:
        self._command = [sys.executable, *map(str, arguments)]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        assert not self.alive
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment(),
                start_new_session=True,
            )

    def children(self) -> list[psutil.Process]:
        """The processes that it has made."""
        assert self._process is not None
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> bool:
        """``kill -9`` it; say whether it lived."""
        return self._end(subprocess.Popen.kill)

    def stop(self) -> bool:
        return self._end(subprocess.Popen.terminate)

    def pause(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, how: Callable[[Any], None]) -> bool:
        process, self._process = self._process, None
        if process is None:
            return False
        lived = process.poll() is None
        how(process)
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
        return lived


class RealShop:
    """The processes, what they were told, and what came of it.

    ``serve`` and ``worker`` are arguments beyond those that all have.
    """

    def __init__(
        self,
        folder: Path,
        places: Sequence[Place],
        *,
        mqtt_url: str,
        database_url: str | None = None,
        broker: dict[str, Any],
        serve: Sequence[str] = (),
        workers: Sequence[str] = (),
        worker: Sequence[str] = (),
        paint_s: float = 0.3,
        beacon_s: float = 2.0,
        forgetful: float = 0.0,
        seed: int = 1,
        patience_s: float = 1.5,
    ) -> None:
        self.places = list(places)
        self.data = folder / "data"
        self.shelf = folder / "shelf"
        self.shelf.mkdir(parents=True)
        make_data_folder(self.data)
        self.database = Database(database_url or f"sqlite:///{self.data / 'esl.db'}")
        common = ["--data", str(self.data), "--mqtt", mqtt_url, "--patience", str(patience_s)]
        if database_url is not None:
            common += ["--database", database_url]
        esl = ("-m", "api.cli")
        end = "--with-parent"
        self.controller = Child(
            *(*esl, "serve", end, "--port", "0", *common, *serve), log=folder / "controller.log"
        )
        self.workers = {
            name: Child(
                *(*esl, "worker", end, "--name", name, *common, *worker),
                log=folder / f"worker-{name}.log",
            )
            for name in workers
        }
        self.simulator = Child("-m", "tests.shelf_process", self.shelf, log=folder / "shelf.log")
        self._broker = broker
        self._how = {
            "paint_s": paint_s,
            "beacon_s": beacon_s,
            "forgetful": forgetful,
            "seed": seed,
        }
        self.accepted: dict[str, dict[int, str]] = defaultdict(dict)  # sku → sequence → price
        self._sent: Counter[str] = Counter()

    # -- the front door ------------------------------------------------------------------------

    def client(self, patience_s: float = 10.0) -> Client:
        """Speak with whichever controller runs now.

        Raises:
            SetupError: None does.
        """
        runtime = read_runtime_file(self.data)
        if runtime is None or not self.controller.alive:
            raise SetupError("no controller runs")
        return Client(runtime.url, runtime.token, patience_s=patience_s)

    def ask(self, what: Callable[[Client], Any], *, longest_s: float = 60) -> Any:
        """Ask until there is an answer: whoever was killed is back soon."""
        deadline = time.monotonic() + longest_s
        while True:
            try:
                with self.client() as client:
                    return what(client)
            except (SetupError, Unavailable, Refused) as exc:
                # 401: the runtime file is that of the run before, and holds another token.
                is_refusal = isinstance(exc, Refused) and exc.status not in (401, 503)
                if is_refusal or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

    def open(self) -> None:
        """Start everything, fill the shop and hang the labels."""
        self.controller.start()
        store = f"/api/v1/stores/{STORE}"
        self.ask(lambda client: client.put(store, STORE_BODY))
        enrolments = {
            gateway: json.loads(self.register(gateway)) | self._broker
            for gateway in sorted({place.gateway_id for place in self.places})
        }
        self.ask(lambda client: client.post(f"{store}/products", products()))
        labels = [
            {"label": p.label_id, "panel": p.panel_id, "gateway": p.gateway_id} for p in self.places
        ]
        self.ask(lambda client: client.post(f"{store}/labels", labels))
        hung = [[p.gateway_id, p.label_id, p.panel_id] for p in self.places]
        shelf = {"gateways": enrolments, "labels": hung} | self._how
        (self.shelf / SHELF).write_text(json.dumps(shelf))
        self.simulator.start()
        for worker in self.workers.values():
            worker.start()
        pairings = [{"label": p.label_id, "sku": p.sku} for p in self.places]
        self.ask(lambda client: client.post(f"{store}/pairings", pairings))

    def register(self, gateway: str) -> Any:
        """Register a gateway, and return its enrolment file's text."""
        path = f"/api/v1/stores/{STORE}/gateways/{gateway}"
        return self.ask(lambda client: client.put_text(path, {}))

    def close(self) -> None:
        """End what still runs."""
        for child in (self.simulator, *self.workers.values(), self.controller):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.stop()
        self.database.close()

    # -- the till ------------------------------------------------------------------------------

    def sell(self, skus: Sequence[str], random: Random) -> None:
        """Change prices, each with its place in the till's order; ask until it is answered 2xx."""
        changes = []
        for sku in skus:
            self._sent[sku] += 1
            price = f"{random.randint(1, 99)}.{random.randint(0, 99):02d}"
            changes.append(
                {
                    "sku": sku,
                    "price": price,
                    "was": None,
                    "badge": None,
                    "source": "till",
                    "source_seq": self._sent[sku],
                }
            )
        key = f"till-{sum(self._sent.values())}"
        path = f"/api/v1/stores/{STORE}/price-changes"
        self.ask(lambda client: client.post(path, changes, key=key))
        for change in changes:
            self.accepted[str(change["sku"])][int(str(change["source_seq"]))] = str(change["price"])

    @contextlib.contextmanager
    def till(self, random: Random, *, pause_s: float = 0.2) -> Any:
        """Sell while the block runs, a few products at a time."""
        skus = sorted({place.sku for place in self.places})
        closing = threading.Event()
        failed: list[BaseException] = []

        def work() -> None:
            try:
                while not closing.is_set():
                    self.sell(random.sample(skus, random.randint(1, 6)), random)
                    closing.wait(random.uniform(0, 2 * pause_s))
            except BaseException as exc:  # noqa: BLE001  the test must fail, not this thread
                failed.append(exc)

        thread = threading.Thread(target=work, name="till")
        thread.start()
        try:
            yield
        finally:
            closing.set()
            thread.join()
        if failed:
            raise failed[0]

    # -- the judge -----------------------------------------------------------------------------

    def read(self, query: Callable[[Connection], Any]) -> Any:
        with self.database.read() as tx:
            return query(tx)

    def history(self) -> list[tuple[int, int, str]]:
        """Every change of every label's memory, in order."""
        return [(i, rev, digest) for _, i, rev, digest in read_glass(self.shelf)]

    def shown(self) -> dict[str, tuple[int, int, str]]:
        """What every glass shows now: incarnation, revision, digest."""
        return {label: (i, rev, digest) for label, i, rev, digest in read_glass(self.shelf)}

    def until_settled(self, longest_s: float = 60) -> float:
        """Wait until the books hold every label to be right; return how long it took.

        They are asked only once they have heard of the shelf that hangs there now: while it
        starts they still hold what the one before it said, whose labels may have lost their memory.
        """
        began_s = time.monotonic()
        while True:
            unsettled = self._unheard() or self.ask(self._unsettled)
            if not unsettled:
                return time.monotonic() - began_s
            waited_s = time.monotonic() - began_s
            assert waited_s < longest_s, f"not settled after {longest_s} s: {unsettled[:5]}"
            time.sleep(0.1)

    def _unheard(self) -> list[str]:
        """Name labels that lost their memory without the books knowing it."""
        standing = self.shelf / STANDING
        if not standing.exists() or standing.read_text() != str(self.simulator.pid):
            return ["the shelf is starting"]
        query = select(labels.c.label_id, labels.c.incarnation)
        known = dict(tuple(row) for row in self.read(lambda tx: tx.execute(query).fetchall()))
        return [
            f"{label} is blank, as the books have not heard"
            for label, (incarnation, rev, _) in self.shown().items()
            if not rev and known[label] != incarnation
        ]

    def _unsettled(self, client: Client) -> list[str]:
        found: list[str] = []
        after: str | None = ""
        while after is not None:
            page = client.get(f"/api/v1/stores/{STORE}/labels", limit=1000, after=after)
            found += [
                f"{x['label']} {x['phase']}" for x in page["labels"] if x["phase"] != "settled"
            ]
            after = page["after"]
        return found

    def lost(self) -> list[str]:
        """Name prices that were answered 2xx and are not in the books exactly once."""
        rows = self.read(
            lambda tx: tx.execute(
                select(price_events.c.sku, price_events.c.source_seq, func.count())
                .where(price_events.c.source == "till")
                .group_by(price_events.c.sku, price_events.c.source_seq)
            ).fetchall()
        )
        stored = {(sku, seq): count for sku, seq, count in rows}
        return [
            f"{sku} {seq} is stored {stored.get((sku, seq), 0)} times"
            for sku, prices in self.accepted.items()
            for seq in prices
            if stored.get((sku, seq), 0) != 1
        ]

    def wrong(self) -> list[str]:
        """Name labels that showed what they must not, at any moment."""
        told = {
            tuple(row)
            for row in self.read(
                lambda tx: tx.execute(
                    select(issued.c.label_id, issued.c.rev, issued.c.digest)
                ).fetchall()
            )
        }
        found: list[str] = []
        last: dict[tuple[str, int], int] = {}
        for label, incarnation, rev, digest in read_glass(self.shelf):
            if rev and (label, rev, digest) not in told:
                found.append(f"{label} showed {digest[:8]} as {rev}, which was never issued to it")
            if rev < last.get((label, incarnation), 0):
                found.append(f"{label} went back to {rev}")
            last[label, incarnation] = rev
        return found

    def wrong_at_the_end(self) -> list[str]:
        """Name labels whose glass is not a fresh render of the last price that was answered."""
        renderer, gallery, panels = Renderer(), load_gallery(), load_panels()
        glass = self.shown()
        labels = [LabelId(place.label_id) for place in self.places]
        truth = {label.label_id: label for label in self.read(lambda tx: load(tx, labels))}
        found: list[str] = []
        for place in self.places:
            label = truth[LabelId(place.label_id)]
            assert label.face is not None
            assert label.template is not None
            template = gallery[label.template.name]
            pixels = renderer.render(label.face, panels.named(place.panel_id), template).pixels
            _, _, digest = glass.get(place.label_id, (0, 0, ""))
            if not digest or (self.shelf / "frames" / digest).read_bytes() != pixels:
                found.append(f"{place.label_id} shows {digest[:8]}")
            if prices := self.accepted.get(place.sku):
                last, held = prices[max(prices)], label.face.price_minor
                if held != int(last.replace(".", "")):
                    found.append(f"{place.label_id}: the books say {held}, the till {last}")
        return found
