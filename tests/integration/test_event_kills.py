"""Events of an ``esl serve`` that is killed: each change that was answered is told, in order."""

import json
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from api.client import Client, Refused
from api.private_files import RuntimeFile
from esl.domain.errors import SetupError, Unavailable
from tests.receiver import Receiver, running_receiver
from tests.running_house import STORE_BODY
from tests.served import Served, wait_until

KILLS = 2
SEED = 20_260_301


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with closing(Served(tmp_path / "data")) as controller:
        yield controller


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as opened:
        yield opened


class Writing:
    """Changes prices one after another until the controller is gone; keeps what was answered."""

    def __init__(self, runtime: RuntimeFile, first: int) -> None:
        self.answered: list[int] = []
        self._runtime, self._next = runtime, first
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        gone = (Refused, SetupError, Unavailable)
        with suppress(*gone), Client(self._runtime.url, self._runtime.token) as client:
            while True:
                change = {"sku": f"{self._next % 7}", "price": f"{self._next / 100:.2f}"}
                client.post("/api/v1/stores/main/price-changes", change)
                self.answered.append(self._next)
                self._next += 1

    def end(self) -> int:
        self._thread.join(60)
        return self._next + 1  # whether the last was stored, nobody was told


def told(receiver: Receiver) -> list[tuple[int, int]]:
    """Number and price of each event, in the order in which they were taken."""
    return [
        (int(event["id"].partition("-")[2]), round(float(event["data"]["price"]) * 100))
        for got in list(receiver.got)
        for event in json.loads(got.body)["data"]["events"]
    ]


def test_what_was_answered_is_told_whenever_the_controller_is_killed(
    served: Served, receiver: Receiver
) -> None:
    chance = random.Random(SEED)
    runtime = served.start()
    with Client(runtime.url, runtime.token) as client:
        client.put("/api/v1/stores/main", STORE_BODY)
        products = [{"sku": f"{n}", "name": f"Kruh {n}", "price": "1.00"} for n in range(7)]
        client.post("/api/v1/stores/main/products", products)
        body = {"store": "main", "url": receiver.url, "events": ["price.changed"], "batch": 20}
        client.put("/api/v1/subscriptions/erp", body | {"allow_private": True})
    answered: list[int] = []
    following = 101
    for _ in range(KILLS):
        writing = Writing(runtime, following)
        wait_until(lambda one=writing: len(one.answered) > 30, "prices are taken", 60)
        time.sleep(chance.random() * 1.5)  # anywhere in a message's life
        served.end(signal.SIGKILL)
        following = writing.end()
        answered += writing.answered
        runtime = served.start()
    with Client(runtime.url, runtime.token) as client:
        body = {"store": "main", "url": receiver.url, "events": ["price.changed"], "batch": 20}
        client.put("/api/v1/subscriptions/erp", body | {"allow_private": True})  # no more pauses
    wait_until(lambda: set(answered) <= {price for _, price in told(receiver)}, "all are told", 90)
    firsts = list(dict.fromkeys(number for number, _ in told(receiver)))
    assert firsts == sorted(firsts), "none overtakes another"
    prices = dict(told(receiver))
    assert len(prices) == len(set(prices.values())), "an event is one price, however often told"
    bodies: dict[str, bytes] = {}
    for got in receiver.got:
        assert bodies.setdefault(got.headers["webhook-id"], got.body) == got.body
    assert len(answered) > KILLS * 30
