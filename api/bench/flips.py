"""How a whole store flips: at an instant known before, and at one that nobody knew.

::

    hang ─▶ unstaged: other prices at an instant, sent when it comes; beside the radio alone
         ─▶ staged: a promotion is scheduled ─▶ its start ─▶ its end, each filled and armed ahead

Controller, broker and gateways are processes of their own. Air, check-ins, rests and painting are
those of the simulator's `FIELD`, in real time, and every label's clock is off. What labels do is
taken from the labels themselves, by the wall clock of the machine.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import msgspec

from api.bench.flip_ceiling import PLAN, CeilingPlan
from api.bench.pipeline import ITEMS_MOST, PANEL, STORE
from api.bench.price_changes import ShopPrices
from api.bench.products import invent_products
from api.client import Client
from api.demo.controller import ControllerProcess
from api.private_files import make_data_folder
from simulator.options import FIELD

PROMOTION = "everything-off"
BEGINS_WITHIN_S = 2.0
ENDS_WITHIN_S = 45.0
TOO_LATE_S = 20
"""Nothing is put or armed this near its moment (`esl.domain.staged.TOO_LATE`)."""

_AIR_S = 1.7
"""Of one picture, losses and the round of the window included; staging is given as long."""

_ZONE = "Europe/Zagreb"
_POLL_S = 1.0
_LONGEST_S = 1800.0
_UNSTAGED_AHEAD_S = 15
_GOES_ON_S = 60.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipSize:
    """How large the shop is, and how far clocks are off: ms either way, parts in a million."""

    labels: int = 10_000
    gateways: int = 100
    check_in_s: float = 60.0
    dead: int = 10
    label_off_ms: int = 1000
    gateway_off_ms: int = 100
    drift_ppm: float = 20.0
    seed: int = 1

    @property
    def labels_each(self) -> int:
        """Labels of a gateway."""
        return -(-self.labels // self.gateways)

    @property
    def ahead_s(self) -> float:
        """How long before its instant a flip is scheduled here: it may be staged by then."""
        staging_s = 2 * self.check_in_s + self.labels_each * _AIR_S + TOO_LATE_S + 30
        return max(staging_s, FIELD.rest_s + 15)  # a panel that has just painted paints later


class FlipShop:
    """A controller, its gateways and labels; a block closes them."""

    def __init__(self, folder: Path, size: FlipSize) -> None:
        self.size = size
        self._prices = ShopPrices(invent_products(size.labels))
        self._gateways = [f"gw-{number:03d}" for number in range(size.gateways)]
        self.label_ids = [
            f"{self._gateways[n // size.labels_each]}-{n % size.labels_each + 1:04d}"
            for n in range(size.labels)
        ]
        self._store = f"/api/v1/stores/{STORE}"
        make_data_folder(folder / "data")
        # A label may take this long to answer: it waits for its check-in and for the air.
        patience = round(2 * size.check_in_s + size.labels_each * _AIR_S + 60)
        self._controller = ControllerProcess(
            folder / "data",
            arguments=("--patience", str(patience)),
            log=folder / "controller.log",
        )
        runtime = self._controller.start()
        self.client = Client(runtime.url, runtime.token, patience_s=120)
        self._enrol(folder)
        self._post("products", self._prices.products())
        self._post(
            "labels",
            [
                {"label": label, "panel": PANEL, "gateway": label.rsplit("-", 1)[0]}
                for label in self.label_ids
            ],
        )
        self._ceiling = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
            [sys.executable, "-m", "api.bench.flip_ceiling", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.client.close()
        self._ceiling.terminate()
        self._ceiling.wait(10)
        for pipe in (self._ceiling.stdin, self._ceiling.stdout):
            if pipe is not None:
                pipe.close()
        self._controller.stop()

    # -- what is done --------------------------------------------------------------------------

    def hang(self) -> list[str]:
        """Pair every label, let the shop become a field, and let some labels die; name them."""
        pairs = [
            {"label": label, "sku": sku}
            for label, sku in zip(self.label_ids, self._prices.skus, strict=True)
        ]
        self._post("pairings", pairs)
        self._until(lambda: not self.unsettled(), "the shop was not hung")
        self.ask("field")
        dead: list[str] = self.ask(f"kill {self.size.dead}")["dead"]
        return dead

    def change_at(self, at: datetime) -> None:
        """Plan other prices for all products at an instant too near for staging."""
        changes = self._prices.change_all()
        for start in range(0, len(changes), ITEMS_MOST):
            some = changes[start : start + ITEMS_MOST]
            self.client.post(f"{self._store}/flips", {"at": at.isoformat(), "changes": some})

    def promote(self, begins: datetime, ends: datetime) -> None:
        """Schedule a tenth off everything."""
        window = {"begins": _local(begins), "ends": _local(ends)}
        promotion = {
            "id": PROMOTION,
            "name": "A tenth off everything",
            "gives": {"percent": 10},
            "selection": {"everything": True},
            "where": {"stores": [STORE]},
            "window": window,
        }
        self.client.post("/api/v1/promotions", promotion)
        self.client.post(f"/api/v1/promotions/{PROMOTION}/schedule", {})

    def progress(self) -> dict[str, Any]:
        """Say how far the promotion has come, as the API says it."""
        told: dict[str, Any] = self.client.get(f"/api/v1/promotions/{PROMOTION}/progress")
        return told

    def unsettled(self) -> int:
        """Count labels that do not show what they should, by the controller's books."""
        return int(self.client.get(f"{self._store}/summary")["unsettled"])

    def ask(self, words: str) -> dict[str, Any]:
        """Tell the simulated shop something; return its answer."""
        if self._ceiling.stdin is None:
            raise AssertionError("the process was started with a pipe")
        self._ceiling.stdin.write(words + "\n")
        self._ceiling.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        if self._ceiling.stdout is None:
            raise AssertionError("the process was started with a pipe")
        answer: dict[str, Any] = json.loads(self._ceiling.stdout.readline())
        return answer

    def _until(self, holds: Callable[[], bool], words: str) -> None:
        deadline = time.monotonic() + _LONGEST_S
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(words)
            time.sleep(_POLL_S)

    def _enrol(self, folder: Path) -> None:
        self.client.put(
            self._store,
            {
                "name": "Bench",
                "currency": "EUR",
                "locale": "hr_HR",
                "timezone": _ZONE,
                "guards": {"on": False, "reason": "prices are drawn by lot"},
            },
        )
        self.client.put(f"{self._store}/till", {"channel": "own"})
        files: list[str] = []
        for gateway in self._gateways:
            path = folder / f"{gateway}.json"
            path.write_text(self.client.put_text(f"{self._store}/gateways/{gateway}", {}))
            files.append(str(path))
        size = self.size
        plan = CeilingPlan(
            enrolments=files,
            labels_each=size.labels_each,
            panel=PANEL,
            check_in_s=size.check_in_s,
            label_off_ms=size.label_off_ms,
            gateway_off_ms=size.gateway_off_ms,
            drift_ppm=size.drift_ppm,
            seed=size.seed,
        )
        (folder / PLAN).write_bytes(msgspec.json.encode(plan))

    def _post(self, what: str, items: Sequence[dict[str, str]]) -> None:
        for start in range(0, len(items), ITEMS_MOST):
            self.client.post(f"{self._store}/{what}", list(items[start : start + ITEMS_MOST]))


def measure_flips(folder: Path, size: FlipSize, tell: Tell = lambda _text: None) -> dict[str, Any]:
    """Measure one shop; return what `esl bench flip --json` prints."""
    tell(f"a shop of {size.labels:,} labels and {size.gateways} gateways opens")
    with FlipShop(folder, size) as shop:
        dead = shop.hang()
        alive = len(shop.label_ids) - len(dead)
        tell("other prices at an instant, sent when it comes")
        unstaged = _unstaged(shop, alive)
        tell(f"unstaged: {unstaged}")
        begins = _second_from_now(size.ahead_s)
        ends = begins + timedelta(seconds=round(size.ahead_s + ENDS_WITHIN_S))
        shop.ask("mark")
        shop.promote(begins, ends)
        tell(f"staged for {begins:%H:%M:%S}, and for its end at {ends:%H:%M:%S}")
        start = _staged(shop, begins, dead, tell)
        tell(f"start: {start}")
        end = _staged(shop, ends, dead, tell)
    return {
        "labels": size.labels,
        "gateways": size.gateways,
        "dead": len(dead),
        "check_in_s": size.check_in_s,
        "clocks_off_ms": size.label_off_ms,
        "gateways_off_ms": size.gateway_off_ms,
        "drift_ppm": size.drift_ppm,
        "start": start,
        "end": end,
        "unstaged": unstaged,
    }


def _second_from_now(seconds: float) -> datetime:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)


def _local(moment: datetime) -> str:
    return moment.astimezone(ZoneInfo(_ZONE)).replace(tzinfo=None).isoformat()


def _staged(shop: FlipShop, at: datetime, dead: Sequence[str], tell: Tell) -> dict[str, Any]:
    """Wait for an edge, and say how its labels did."""
    began_s = time.monotonic()
    armed_s: float | None = None
    alive = len(shop.label_ids) - len(dead)
    while datetime.now(UTC) < at - timedelta(seconds=2):
        armed = shop.progress()["pictures"].get("armed", 0)
        if armed >= alive and armed_s is None:
            armed_s = round(time.monotonic() - began_s, 1)
            tell(f"armed after {armed_s} s")
        time.sleep(min(5.0, max(0.2, (at - datetime.now(UTC)).total_seconds() - 2)))
    pending = shop.ask("told")["pending"]
    ahead = shop.ask("told")
    shop.ask("mark")
    time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()) + _GOES_ON_S)
    told = shop.ask("told")
    names = set(shop.label_ids) - set(dead)
    began = _first(told["began"], names, at)
    ended = _first(told["ended"], names, at)
    again = sum(1 for count in Counter(name for name, _ in told["began"]).values() if count > 1)
    progress = shop.progress()
    told_as = {one["label"]: one["reason"] for one in progress["stragglers"]}
    return {
        "armed_after_s": armed_s,
        "armed_share": round(pending / alive, 5),
        "air_s_a_gateway": round(max(ahead["air_s"].values(), default=0.0), 1),
        "pictures_ahead": ahead["pictures"],
        **_edge_figures(began, ended, alive=alive),
        "painted_twice": again,
        "sent_afterwards": told["pictures"],
        "stragglers": progress["stragglers_in_all"],
        "dead_that_are_named": sum(name in told_as for name in dead),
        "reasons": dict(Counter(told_as.values())),
    }


def _edge_figures(began: Sequence[float], ended: Sequence[float], *, alive: int) -> dict[str, Any]:
    """Say how near to its instant an edge was, of so many labels that live."""
    return {
        "begins_within_2_s_share": _share(began, BEGINS_WITHIN_S, alive),
        "begins_from_s": round(min(began, default=0.0), 2),
        "begins_until_s": round(max(began, default=0.0), 2),
        "ended_within_45_s_share": _share(ended, ENDS_WITHIN_S, alive),
        "ended_p999_s": _at_share(ended, 0.999, alive),
        "ended_until_s": round(max(ended, default=0.0), 2),
    }


def _unstaged(shop: FlipShop, alive: int) -> dict[str, Any]:
    """Send other prices at their instant, and paint the same by the radio alone."""
    shop.ask("mark")
    at = _second_from_now(_UNSTAGED_AHEAD_S)
    shop.change_at(at)
    deadline = time.monotonic() + _LONGEST_S
    names = set(shop.label_ids)
    while len(_first(shop.ask("told")["ended"], names, at)) < alive:
        if time.monotonic() > deadline:
            break
        time.sleep(2 * _POLL_S)
    told = shop.ask("told")
    alone = shop.ask(f"alone {round(at.timestamp() * 1000)}")["ended_s"]
    last: dict[str, float] = {}
    for name, ms in told["ended"]:
        gateway = name.rsplit("-", 1)[0]
        last[gateway] = max(last.get(gateway, 0.0), ms / 1000 - at.timestamp())
    ours, radio = sum(last.values()), sum(alone[gateway] for gateway in last)
    return {
        "painted": len(_first(told["ended"], names, at)),
        "pictures": told["pictures"],
        "bytes": told["bytes"],
        "finished_s": round(ours / len(last), 2),
        "radio_alone_s": round(radio / len(last), 2),
        "added_share": round(ours / radio - 1, 4),
        "slowest_gateway_s": round(max(last.values()), 2),
        "slowest_alone_s": round(max(alone.values()), 2),
    }


def _first(noted: Sequence[tuple[str, int]], names: set[str], at: datetime) -> list[float]:
    """List when each label did something first, in seconds from an instant."""
    found: dict[str, float] = {}
    for name, ms in noted:
        if name in names:
            found.setdefault(name, ms / 1000 - at.timestamp())
    return sorted(found.values())


def _share(moments: Sequence[float], within_s: float, alive: int) -> float:
    return round(sum(abs(one) <= within_s for one in moments) / alive, 5)


def _at_share(moments: Sequence[float], share: float, alive: int) -> float | None:
    place = -int(-alive * share // 1) - 1
    return round(moments[place], 2) if place < len(moments) else None
