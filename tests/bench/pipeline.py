"""From price change to report, and from request to publish, on a real controller process."""

import asyncio
import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psutil

from api.client import Client
from api.demo.controller import ControllerProcess
from api.private_files import make_data_folder
from gateway.mqtt import BrokerAddress, connect
from tests.bench.labels import make_names
from tests.bench.simulated import SimulatorProcess

STORE = "bench"
_POLL_S = 0.05
_LONGEST_S = 600.0


@dataclass(frozen=True)
class PipelineFigures:
    """Rates and costs of one size."""

    labels: int
    gateways: int
    cold_labels_per_s: float
    cold_cpu_us: float
    labels_per_s: float
    cpu_us: float
    rss_mb: float


class BenchShop:
    """A controller with products, labels and a simulator, each a process of its own."""

    def __init__(self, folder: Path, *, labels: int, gateways: int) -> None:
        make_data_folder(folder / "data")
        self._controller = ControllerProcess(folder / "data", arguments=("--patience", "30"))
        runtime = self._controller.start()
        self.client = Client(runtime.url, runtime.token, patience_s=120)
        self.labels = labels
        self._gateways = [f"gw-{n:03d}" for n in range(gateways)]
        self._store = f"/api/v1/stores/{STORE}"
        self.skus = [f"{n:06d}" for n in range(labels)]
        files = self._fill(folder)
        self._simulator = SimulatorProcess(files, labels_each=-(-labels // gateways))
        broker = json.loads((folder / "data" / "run" / "broker.json").read_text())
        self.broker = BrokerAddress(
            host="127.0.0.1", port=broker["port"], username="esl", password=broker["password"]
        )

    def close(self) -> None:
        """End both processes."""
        self.client.close()
        self._simulator.close()
        self._controller.stop()

    def measure(self) -> PipelineFigures:
        """Fill the shelf with new products, then change every price."""
        process = psutil.Process(self._controller.pid)
        _await_rest(process)
        pairs = [
            {"label": label, "sku": sku}
            for label, sku in zip(self._label_ids(), self.skus, strict=True)
        ]
        cold_s, cold_cpu_s = self._timed(process, lambda: self._post("pairings", pairs))
        rng = Random(2)
        changes = [
            {"sku": sku, "price": f"{rng.randint(1, 60)}.{rng.randint(10, 99)}"}
            for sku in self.skus
        ]
        warm_s, warm_cpu_s = self._timed(process, lambda: self._post("price-changes", changes))
        return PipelineFigures(
            labels=self.labels,
            gateways=len(self._gateways),
            cold_labels_per_s=self.labels / cold_s,
            cold_cpu_us=cold_cpu_s / self.labels * 1e6,
            labels_per_s=self.labels / warm_s,
            cpu_us=warm_cpu_s / self.labels * 1e6,
            rss_mb=process.memory_info().rss / 2**20,
        )

    def post_to_publish_ms(self, count: int) -> list[float]:
        """Change single prices one after another; time each from request to MQTT message."""
        return asyncio.run(self._post_to_publish_ms(count))

    async def _post_to_publish_ms(self, count: int) -> list[float]:
        took_ms: list[float] = []
        rng = Random(3)
        async with connect(self.broker, "bench-ear", ["esl/v1/+/down"]) as ear:
            await ear.connected.wait()
            for number in range(count):
                change = {
                    "sku": self.skus[number],
                    "price": f"{rng.randint(61, 90)}.{number % 90 + 10}",
                }
                began_s = time.perf_counter()
                posting = asyncio.create_task(
                    asyncio.to_thread(self._post, "price-changes", [change])
                )
                async with asyncio.timeout(30):
                    await ear.messages.get()
                took_ms.append((time.perf_counter() - began_s) * 1000)
                await posting
                await asyncio.to_thread(self._await_settled)
                while not ear.messages.empty():
                    ear.messages.get_nowait()
        return took_ms

    def _timed(self, process: psutil.Process, act) -> tuple[float, float]:
        began_s, cpu_s = time.perf_counter(), _cpu_s(process)
        act()
        self._await_settled()
        return time.perf_counter() - began_s, _cpu_s(process) - cpu_s

    def _await_settled(self) -> None:
        deadline = time.monotonic() + _LONGEST_S
        while self.client.get(f"{self._store}/summary")["unsettled"]:
            if time.monotonic() > deadline:
                raise TimeoutError("the shelf did not settle")
            time.sleep(_POLL_S)

    def _fill(self, folder: Path) -> list[Path]:
        self.client.put(
            self._store,
            {"name": "Bench", "currency": "EUR", "locale": "de_DE", "timezone": "Europe/Berlin"},
        )
        files: list[Path] = []
        for gateway in self._gateways:
            path = folder / f"{gateway}.json"
            path.write_text(self.client.put_text(f"{self._store}/gateways/{gateway}", {}))
            files.append(path)
        self._post("products", make_names(self.skus))
        self._post(
            "labels",
            [
                {"label": label, "panel": "bwry-296x128", "gateway": label.rsplit("-", 1)[0]}
                for label in self._label_ids()
            ],
        )
        return files

    def _label_ids(self) -> list[str]:
        each = -(-self.labels // len(self._gateways))
        return [f"{self._gateways[n // each]}-{n % each + 1:04d}" for n in range(self.labels)]

    def _post(self, what: str, items: list[dict[str, str]]) -> None:
        for start in range(0, len(items), 2000):
            self.client.post(f"{self._store}/{what}", items[start : start + 2000])


def _await_rest(process: psutil.Process) -> None:
    """Wait until the controller has taken in every label's first beacon."""
    quiet = 0
    while quiet < 3:
        before_s = _cpu_s(process)
        time.sleep(0.5)
        quiet = quiet + 1 if _cpu_s(process) - before_s < 0.05 else 0


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def quantiles_ms(took_ms: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    return statistics.median(took_ms), statistics.quantiles(took_ms, n=100)[98]
