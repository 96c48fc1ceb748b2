"""From price change to report: a real controller, a real broker and simulated gateways.

Controller, broker and gateways are processes of their own. The controller is told of products and
pairings (*cold*: every picture is new), then of other prices for all of them (*warm*), and what it
needs until every label is reported to show it is counted: wall time, CPU of its own process and of
the children that draw for it, and bytes on the way. Everything is signed and written to the disk.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from api.bench.ceiling_process import CeilingProcess
from api.bench.price_changes import ShopPrices
from api.bench.processes import cpu_s, peak_rss_mb
from api.bench.products import BenchProduct
from api.client import Client
from api.demo.controller import ControllerProcess
from api.private_files import make_data_folder
from gateway.mqtt import BrokerAddress

STORE = "bench"
PANEL = "bwry-296x128"
ITEMS_MOST = 2000
"""Items in a request: the API's own bound is bytes."""

_POLL_S = 0.05
_PICTURES_POLL_S = 0.02
_NO_PICTURE_S = 2.0
_REST_S = 0.5
_RESTS = 3
_LONGEST_S = 900.0
_BROKER = "iotcore"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFigures:
    """What one round, of new products or of new prices, took."""

    labels: int
    wall_s: float
    cpu_s: float
    stages: dict[str, float]  # CPU in seconds
    travelled: dict[str, int] = field(default_factory=dict)

    @property
    def labels_per_s(self) -> float:
        """Labels that were reported right in a second."""
        return self.labels / self.wall_s

    @property
    def cpu_us(self) -> float:
        """CPU of the controller in microseconds a label."""
        return self.cpu_s / self.labels * 1e6

    @property
    def stages_us(self) -> dict[str, float]:
        """The same by stage; what no stage counts is ``rest``."""
        each = {name: round(s / self.labels * 1e6, 1) for name, s in self.stages.items()}
        return each | {"rest": round(self.cpu_us - sum(each.values()), 1)}

    def bytes_each(self, what: str) -> float:
        """Bytes a label of the pictures or of their envelopes; 0 of gateways that do not count."""
        return self.travelled.get(what, 0) / self.labels


class PipelineShop:
    """A controller with products and gateways; a block closes all of it."""

    def __init__(
        self, folder: Path, products: Sequence[BenchProduct], *, gateways: int, thin: bool
    ) -> None:
        self._prices = ShopPrices(products)
        self._labels = len(products)
        self._gateways = [f"gw-{number:04d}" for number in range(gateways)]
        self._each = -(-self._labels // gateways)
        self._thin = thin
        self._store = f"/api/v1/stores/{STORE}"
        self._folder = folder
        make_data_folder(folder / "data")
        self._controller = ControllerProcess(
            folder / "data", arguments=("--patience", "60"), log=folder / "controller.log"
        )
        runtime = self._controller.start()
        self.client = Client(runtime.url, runtime.token, patience_s=120)
        self._pid = runtime.pid
        files = self._enrol()
        self._post("products", self._prices.products())
        self._post("labels", self._registrations())
        self._ceiling = CeilingProcess(files, labels_each=self._each, thin=thin)
        self._await_rest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.client.close()
        self._ceiling.close()
        self._controller.stop()

    @property
    def broker(self) -> BrokerAddress:
        """The broker of the controller."""
        told = json.loads((self._folder / "data" / "run" / "broker.json").read_text())
        return BrokerAddress(
            host="127.0.0.1", port=told["port"], username="esl", password=told["password"]
        )

    def pair_all(self) -> RoundFigures:
        """Give every label its product: every picture is new."""
        pairs = [
            {"label": label, "sku": sku}
            for label, sku in zip(self._label_ids(), self._prices.skus, strict=True)
        ]
        return self._measure(lambda: self._post("pairings", pairs))

    def change_all(self) -> RoundFigures:
        """Give every product another price."""
        changes = self._prices.change_all()
        return self._measure(lambda: self._post("price-changes", changes))

    def change_one(self, number: int) -> None:
        """Give one product another price, and wait for the answer alone."""
        self._post("price-changes", [self._prices.change_one(number)])

    def peak_rss_mb(self) -> float:
        """Return the most memory that the controller has had, without its children."""
        return peak_rss_mb(self._pid)

    def idle_cpu_share(self, seconds: float) -> float:
        """Return the share of a core that the controller takes while nothing changes."""
        began_cpu_s, began_s = self._cpu_s(), time.perf_counter()
        time.sleep(seconds)
        return (self._cpu_s() - began_cpu_s) / (time.perf_counter() - began_s)

    def restart_s(self) -> float:
        """Kill the controller in the midst of a round, and time its start to its first command.

        The gateways, which have to find the broker again first, see that command come; thin ones
        only.
        """
        self._post("price-changes", self._prices.change_all())
        self._controller.kill()
        came = self._payloads()
        began_s = time.perf_counter()
        runtime = self._controller.start()
        deadline = time.monotonic() + _LONGEST_S
        while self._payloads() == came:
            if time.monotonic() > deadline:
                raise TimeoutError("no command came after the restart")
            time.sleep(_POLL_S)
        took_s = time.perf_counter() - began_s
        self.client.close()
        self.client = Client(runtime.url, runtime.token, patience_s=120)
        self._pid = runtime.pid
        self.await_settled()
        return took_s

    def _payloads(self) -> int:
        return int(self._ceiling.figures()["down_payloads"])

    def _measure(self, act: Callable[[], None]) -> RoundFigures:
        travelled, stages = self._travelled(), self._stages()
        began_s, began_cpu_s = time.perf_counter(), self._cpu_s()
        act()
        self._await_pictures(travelled.get("pictures", 0) + self._labels)
        self.await_settled()
        wall_s, took_cpu_s = time.perf_counter() - began_s, self._cpu_s() - began_cpu_s
        now = self._stages()
        return RoundFigures(
            labels=self._labels,
            wall_s=wall_s,
            cpu_s=took_cpu_s,
            stages={name: now[name] - before for name, before in stages.items()},
            travelled={n: total - travelled[n] for n, total in self._travelled().items()},
        )

    def _travelled(self) -> dict[str, int]:
        if not self._thin:
            return {}
        figures = self._ceiling.figures()
        return {name: figures[name] for name in ("picture_bytes", "envelope_bytes", "pictures")}

    def _stages(self) -> dict[str, float]:
        told: dict[str, Any] = self.client.get("/api/v1/stages")
        return {name: stage["cpu_s"] for name, stage in told["stages"].items()}

    def _cpu_s(self) -> float:
        """Return the CPU of the controller and of all its children but the broker."""
        return cpu_s(self._pid, without=_BROKER)

    def await_settled(self) -> None:
        """Wait until every label is reported to show what it should.

        Raises:
            TimeoutError: It took too long.
        """
        deadline = time.monotonic() + _LONGEST_S
        while self.client.get(f"{self._store}/summary")["unsettled"]:
            if time.monotonic() > deadline:
                raise TimeoutError("the shelf did not settle")
            time.sleep(_POLL_S)

    def _await_pictures(self, pictures: int) -> None:
        """Wait until thin gateways have as many, so that the controller is asked only at the end.

        A question to it costs milliseconds of its own CPU. Where no picture comes any more, be it
        that some were spared, the wait is over, too.
        """
        if not self._thin:
            return
        deadline = time.monotonic() + _NO_PICTURE_S
        before = 0
        while (came := self._travelled()["pictures"]) < pictures and time.monotonic() < deadline:
            if came != before:
                before, deadline = came, time.monotonic() + _NO_PICTURE_S
            time.sleep(_PICTURES_POLL_S)

    def _await_rest(self) -> None:
        """Wait until the controller has taken in every label's first beacon."""
        quiet = 0
        while quiet < _RESTS:
            before_s = self._cpu_s()
            time.sleep(_REST_S)
            quiet = quiet + 1 if self._cpu_s() - before_s < 0.1 * _REST_S else 0

    def _enrol(self) -> list[Path]:
        self.client.put(
            self._store,
            {
                "name": "Bench",
                "currency": "EUR",
                "locale": "hr_HR",
                "timezone": "Europe/Zagreb",
                "guards": {"on": False, "reason": "prices are drawn by lot"},
            },
        )
        files: list[Path] = []
        for gateway in self._gateways:
            path = self._folder / f"{gateway}.json"
            path.write_text(self.client.put_text(f"{self._store}/gateways/{gateway}", {}))
            files.append(path)
        return files

    def _registrations(self) -> list[dict[str, str]]:
        return [
            {"label": label, "panel": PANEL, "gateway": label.rsplit("-", 1)[0]}
            for label in self._label_ids()
        ]

    def _label_ids(self) -> list[str]:
        return [
            f"{self._gateways[n // self._each]}-{n % self._each + 1:04d}"
            for n in range(self._labels)
        ]

    def _post(self, what: str, items: list[dict[str, str]]) -> None:
        for start in range(0, len(items), ITEMS_MOST):
            self.client.post(f"{self._store}/{what}", items[start : start + ITEMS_MOST])
