"""``python -m tests.proof.doors --cases 100000 --json``: every door against its own description.

Requests are drawn from the OpenAPI description, three quarters such as it allows, the others such
as it forbids. Whatever comes, the answer's status, content type and shape are described, and never
a fault. Ids that exist take the place of most drawn ones, or nothing would get past the address;
the shop behind the doors is filled with the description's own examples, again and again, and what
is deleted is made again. ``reached`` counts the requests that came as far as their door's function.

The doors are asked in small parts, two processes at a time. Each part has a house of its own, so
that what one piles up slows no other, and whatever the order, a part's requests are the same.
"""

import argparse
import contextlib
import functools
import gc
import itertools
import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
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

FILL_EVERY = 2000
"""So many requests after which the shop is filled again."""

CASES_A_PART = 5000
"""So many requests make no house slow, and are many enough to be worth opening one."""

PROCESSES = 2
PATIENCE_S = 10.0
GLANCES_S = (0.3, 1.2, 5.0)
"""So long a stream without end is listened to: what it has to say, it says at once. The longer ones
are for a machine so busy that not even the head came."""

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


@dataclass(slots=True)
class Found:
    """What was asked and what came back; parts add up."""

    asked: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)

    def add(self, other: "Found") -> None:
        """Take in what another part found."""
        self.asked += other.asked
        self.reached += other.reached
        self.statuses += other.statuses
        self.wrong = other.wrong | self.wrong


class Doors:
    """Operations of a running controller, and what was found behind them."""

    def __init__(self, house: RunningHouse, draw: int) -> None:
        self._house = house
        self._draw = draw
        self._document = house.done("GET", "/api/v1/openapi.json")
        self._headers = {"Authorization": f"Bearer {house.operator}"}
        self._session = requests.Session()
        self._session.trust_env = False
        self._examples = list(self._read_examples())
        self.found = Found()
        self._calls = _calls()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def fill(self) -> None:
        """Make what addresses name, with the description's examples; what fails is left out."""
        self._house.done("PUT", "/api/v1/stores/main", STORE_BODY)
        for _ in range(2):  # some want what a later one makes
            for method, path, body in self._examples:
                self._house.ask(method, path.format_map(_Known()), json=body)

    def _make_again(self, path: str) -> None:
        """Make what was deleted at an address: by a PUT there, or a POST to the list it is of."""
        for method, made_at, body in self._examples:
            if made_at in {path, path.rsplit("/", 1)[0]}:
                self._house.ask(method, made_at.format_map(_Known()), json=body)

    def _read_examples(self) -> Iterator[tuple[str, str, Any]]:
        for path, item in self._document["paths"].items():
            for method in ("put", "post"):
                content = item.get(method, {}).get("requestBody", {}).get("content", {})
                for kind in content.values():
                    example = kind.get("example", kind.get("schema", {}).get("example"))
                    for one in kind.get("examples", {}).values():
                        example = one.get("value", example)
                    if example is not None and not _leaves(path):
                        yield method.upper(), path, example

    def named(self, only: str) -> list[Any]:
        """Return the operations whose path holds a text, in the description's order."""
        described = schemathesis.openapi.from_dict(self._document)
        found: Iterator[Any] = described.get_all_operations()
        return [door for door in (each.ok() for each in found) if only in door.path]

    def ask_all(self, doors: list[Any], each: int) -> None:
        """Send each door so many requests."""
        forbidden = max(1, int(each * FORBIDDEN))
        for door in doors:
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
            if self.found.asked.total() % FILL_EVERY == 0:
                self.fill()
            self._send(door, case)

        ask()

    def _send(self, door: Any, case: Any) -> None:
        found = self.found
        found.asked[door.label] += 1
        if found.asked[door.label] % 4:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = KNOWN.get(name, case.path_parameters[name])
        calls = len(self._calls)
        try:
            answer = self._answer(door, case)
        except requests.exceptions.ReadTimeout:
            found.wrong.setdefault(f"{door.label} late", f"no answer within {PATIENCE_S:g} s")
            return
        finally:
            found.reached[door.label] += len(self._calls) > calls
        found.statuses[answer.status_code] += 1
        if _is_endless(door):  # no plain function
            found.reached[door.label] += answer.status_code in _LOOKED
        if door.method == "delete" and answer.status_code < HTTPStatus.BAD_REQUEST:
            self._make_again(door.path)
        try:
            case.validate_response(answer, checks=CHECKS)
        except BaseExceptionGroup as exc:
            found.wrong.setdefault(f"{door.label} {answer.status_code}", str(exc.exceptions[0]))

    def _answer(self, door: Any, case: Any) -> Any:
        how = {"base_url": self._house.url, "headers": self._headers, "session": self._session}
        for glance_s in GLANCES_S if _is_endless(door) else ():
            with contextlib.suppress(requests.exceptions.ReadTimeout):
                return case.call(**how, timeout=glance_s)
        return case.call(**how, timeout=PATIENCE_S)


@functools.cache
def _calls() -> list[float]:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of the doors: those whose path holds ``only``, from ``first`` on to before ``last``."""

    only: str
    first: int
    last: int | None
    each: int
    draw: int


def ask_part(part: Part) -> Found:
    """Ask these doors, in a house of their own; ``each`` 0 says only which there are."""
    where = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="esl-doors-", dir=where) as folder,
        running_house(Path(folder)) as house,
        contextlib.closing(Doors(house, part.draw)) as doors,
    ):
        named = doors.named(part.only)[part.first : part.last]
        if part.each:
            doors.ask_all(named, part.each)
            return doors.found
        return Found(asked=Counter({door.label: 0 for door in named}))


def prove_doors(
    cases: int,
    draw: int,
    *,
    only: str = "",
    processes: int = PROCESSES,
    tell: Callable[[str], None] = lambda _line: None,
) -> dict[str, Any]:
    """Ask every door so many requests together, and say what was found.

    Some doors take so little that fewer different requests exist than are wanted: rounds with
    other draws follow until there are as many.
    """
    began_s = time.perf_counter()
    with ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=_prepare
    ) as pool:
        all_doors = Part(only=only, first=0, last=None, each=0, draw=draw)
        found = pool.submit(ask_part, all_doors).result()
        count = len(found.asked)
        for this_draw in itertools.count(draw):
            missing = cases - found.asked.total()
            if missing <= 0:
                break
            each = max(2, -(-missing // count))
            doors = max(1, min(-(-count // processes), CASES_A_PART // each))
            parts = [
                Part(only=only, first=n, last=n + doors, each=each, draw=this_draw)
                for n in range(0, count, doors)
            ]
            for done in as_completed([pool.submit(ask_part, part) for part in parts]):
                found.add(done.result())
                took_s = time.perf_counter() - began_s
                tell(f"{took_s:.0f} s: {found.asked.total()} cases, {len(found.wrong)} wrong")
    shares = {name: min(1.0, found.reached[name] / n) for name, n in found.asked.items()}
    reached = sum(share * found.asked[name] for name, share in shares.items())
    return {
        "cases": found.asked.total(),
        "doors": len(found.asked),
        "faults": sum(n for status, n in found.statuses.items() if status >= 500),
        "wrong": len(found.wrong),
        "first": dict(list(found.wrong.items())[:5]),
        "least_reached": dict(sorted(shares.items(), key=lambda item: item[1])[:5]),
        "reached": round(reached / found.asked.total(), 3),
        "under_reached": sum(share < REACHED_LEAST for share in shares.values()),
        "statuses": {str(status): n for status, n in sorted(found.statuses.items())},
        "seed": draw,
        "took_s": round(time.perf_counter() - began_s, 1),
    }


def _prepare() -> None:
    gc.set_threshold(50_000, 20, 50)  # a description of this size is looked through often otherwise
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))


def main() -> int:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.doors", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="doors whose path holds this text")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    _prepare()
    found = prove_doors(
        arguments.cases,
        arguments.seed,
        only=arguments.only,
        processes=arguments.processes,
        tell=lambda line: print(line, file=sys.stderr, flush=True),  # noqa: T201
    )
    sys.stdout.write(json.dumps(found, indent=None if arguments.json else 2) + "\n")
    return 1 if found["wrong"] or found["under_reached"] else 0


if __name__ == "__main__":
    sys.exit(main())
