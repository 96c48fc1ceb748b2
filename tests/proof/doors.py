"""``python -m tests.proof.doors --cases 100000 --json``: every door against its own description.

Requests are drawn from the OpenAPI description, three quarters such as it allows, the others such
as it forbids. Whatever comes, the answer's status, content type and shape are described, and never
a fault. Ids that exist take the place of most drawn ones, or nothing would get past the address;
the shop behind the doors is filled with the description's own examples, again and again, as what
is sent may delete it. ``reached`` counts the requests that came as far as their door's function.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import fastapi.routing
import requests
import schemathesis
import structlog
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import short_way
from tests.running_house import STORE_BODY, RunningHouse, running_house

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
REACHED_LEAST = 0.6
FORBIDDEN = 0.25
"""The share of requests that the description does not allow: most end before the function."""

FILL_EVERY = 500
"""So many requests after which the shop is filled again."""

KNOWN = {
    "store": "main",
    "sku": "4711",
    "gateway": "gw-1",
    "label": "l-1",
    "template": "own",
    "source": "till",
    "mapping": "till",
    "group": "north",
    "zone": "coast",
    "subscription": "erp",
    "promotion": "weekend",
    "picture": "logo",
    **dict.fromkeys(("batch", "flip", "task", "command", "delivery", "token_id"), "1"),
}
"""What stands in addresses in place of three drawn values of four."""

_ENDLESS = "text/event-stream"
_LOOKED = {HTTPStatus.OK, HTTPStatus.NOT_FOUND}
"""What says that a door without end was entered: it looked, and found it or not."""
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  a disk is not what is tested


class Doors:
    """All operations of a running controller, and what was found behind them."""

    def __init__(self, house: RunningHouse, draw: int) -> None:
        self._house = house
        self._draw = draw
        self._document = house.done("GET", "/api/v1/openapi.json")
        self._headers = {"Authorization": f"Bearer {house.operator}"}
        self.reached: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.wrong: dict[str, str] = {}
        self._calls = _count_calls()

    def fill(self) -> None:
        """Make what addresses name, with the description's examples; what fails is left out."""
        self._house.done("PUT", "/api/v1/stores/main", STORE_BODY)
        for _ in range(2):  # some want what a later one makes
            for method, path, body in self._examples():
                self._house.ask(method, path, json=body)

    def _examples(self) -> Iterator[tuple[str, str, Any]]:
        for path, item in self._document["paths"].items():
            for method in ("put", "post"):
                content = item.get(method, {}).get("requestBody", {}).get("content", {})
                for kind in content.values():
                    example = kind.get("example", kind.get("schema", {}).get("example"))
                    for one in kind.get("examples", {}).values():
                        example = one.get("value", example)
                    if example is not None and not _leaves(path):
                        yield method.upper(), path.format_map(_Known()), example

    def ask_all(self, cases: int, *, only: str = "") -> None:
        """Send so many requests, shared out evenly."""
        described = schemathesis.openapi.from_dict(self._document)
        found: Iterator[Any] = described.get_all_operations()
        doors = [door for door in (each.ok() for each in found) if only in door.path]
        each = max(2, -(-cases // len(doors)))
        for door in doors:
            forbidden = max(1, int(each * FORBIDDEN))
            self._ask(door, GenerationMode.POSITIVE, each - forbidden)
            self._ask(door, GenerationMode.NEGATIVE, forbidden)

    def _ask(self, door: Any, mode: GenerationMode, most: int) -> None:
        """Ask one door what is drawn for it; note what is wrong with its answers."""

        @seed(self._draw)
        @settings(
            max_examples=most,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(case=door.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            if self.asked.total() % FILL_EVERY == 0 or door.method == "delete":
                self.fill()
            self._send(door, case)

        ask()

    def _send(self, door: Any, case: Any) -> None:
        self.asked[door.label] += 1
        if self.asked[door.label] % 4:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = KNOWN.get(name, case.path_parameters[name])
        calls = len(self._calls)
        try:
            answer = case.call(base_url=self._house.url, headers=self._headers, timeout=10)
        except requests.exceptions.ReadTimeout:
            if not _is_endless(door):
                self.wrong.setdefault(f"{door.label} late", "no answer within 10 s")
            return
        finally:
            self.reached[door.label] += len(self._calls) > calls
        self.statuses[answer.status_code] += 1
        if _is_endless(door):  # no plain function
            self.reached[door.label] += answer.status_code in _LOOKED
        try:
            case.validate_response(answer, checks=CHECKS)
        except BaseExceptionGroup as exc:
            self.wrong.setdefault(f"{door.label} {answer.status_code}", str(exc.exceptions[0]))


def _count_calls() -> list[float]:
    """Note each call of a door's function, in every application of this process."""
    calls: list[float] = []

    def noted(inner: Callable[..., Any]) -> Callable[..., Any]:
        async def note(*args: Any, **named: Any) -> Any:
            calls.append(time.monotonic())
            return await inner(*args, **named)

        return note

    for module, name in (
        (fastapi.routing, "run_endpoint_function"),
        (short_way, "post_price_changes"),
    ):
        setattr(module, name, noted(getattr(module, name)))
    return calls


class _Known(dict[str, str]):
    """Ids that exist, and a one in place of all others."""

    def __missing__(self, name: str) -> str:
        return KNOWN.get(name, "1")


def _leaves(path: str) -> bool:
    """Say whether a door ends what others need."""
    return path.rsplit("/", 1)[-1] in {"freeze", "retire", "revoke", "roll-back", "cancel"}


def _is_endless(door: Any) -> bool:
    return _ENDLESS in json.dumps(door.definition.raw.get("responses", {}))


def prove_doors(cases: int, draw: int, *, only: str = "") -> dict[str, Any]:
    """Ask every door so many requests together, and say what was found."""
    began_s = time.perf_counter()
    where = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="esl-doors-", dir=where) as folder,
        running_house(Path(folder)) as house,
    ):
        doors = Doors(house, draw)
        doors.ask_all(cases, only=only)
        shares = {name: min(1.0, doors.reached[name] / n) for name, n in doors.asked.items()}
    return {
        "cases": doors.asked.total(),
        "doors": len(doors.asked),
        "faults": sum(n for status, n in doors.statuses.items() if status >= 500),
        "wrong": len(doors.wrong),
        "first": dict(list(doors.wrong.items())[:5]),
        "least_reached": dict(sorted(shares.items(), key=lambda item: item[1])[:5]),
        "under_reached": sum(share < REACHED_LEAST for share in shares.values()),
        "statuses": {str(status): n for status, n in sorted(doors.statuses.items())},
        "seed": draw,
        "took_s": round(time.perf_counter() - began_s, 1),
    }


def main() -> int:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.doors", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="doors whose path holds this text")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    found = prove_doors(arguments.cases, arguments.seed, only=arguments.only)
    sys.stdout.write(json.dumps(found, indent=None if arguments.json else 2) + "\n")
    return 1 if found["wrong"] or found["under_reached"] else 0


if __name__ == "__main__":
    sys.exit(main())
