"""The client of the HTTP API over a line that breaks: nothing lost, and nothing done twice."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from api.client import Client, Refused, Retries
from esl.domain.errors import SetupError, Unavailable
from tests.fault_proxy import FaultProxy
from tests.running_house import RunningHouse
from tests.services import free_port

pytest_plugins = ["tests.shop_over_http"]

CHANGES = "/api/v1/stores/main/price-changes"
QUICK = Retries(tries=8, first_s=0.01, longest_s=0.05)
DEADLINE_S = 60.0


@pytest.fixture
def line(shop: RunningHouse) -> Iterator[FaultProxy]:
    """A line to the shop that can be broken."""
    with FaultProxy(shop.port).running() as proxy:
        yield proxy


def _client(shop: RunningHouse, line: FaultProxy, retries: Retries) -> Client:
    url = f"http://127.0.0.1:{line.port}"
    return Client(url, shop.operator, patience_s=0.5, retries=retries)


def _events(shop: RunningHouse) -> int:
    [(events,)] = shop.read("SELECT count(*) FROM price_event")
    return int(events)


def _until(condition: object, *, what: str) -> None:
    assert callable(condition)
    ends_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < ends_s, what
        time.sleep(0.01)


def test_a_change_over_a_line_that_comes_back_is_stored_once(
    shop: RunningHouse, line: FaultProxy
) -> None:
    before = _events(shop)
    patient = Retries(tries=1000, first_s=0.01, longest_s=0.05)

    def mend() -> None:
        _until(lambda: line.met["refused"] > 2, what="the client did not try again")
        line.heal()

    with _client(shop, line, patient) as client:
        line.refuses = True
        mending = threading.Thread(target=mend)
        mending.start()
        try:
            client.post_once(CHANGES, {"sku": "1001", "price": "3.19"})
        finally:
            mending.join()
    assert _events(shop) == before + 1


def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    shop: RunningHouse, line: FaultProxy
) -> None:
    """The server stores the change; its answer is swallowed; the next try gets it again."""
    before = _events(shop)
    patient = Retries(tries=1000, first_s=0.01, longest_s=0.05)

    def lose_the_answer() -> None:
        _until(lambda: _events(shop) == before + 1, what="the change was not stored")
        line.cut()
        line.heal()

    with _client(shop, line, patient) as client:
        line.slow_s = 0.3  # requests and answers wait on the line, each by chance
        losing = threading.Thread(target=lose_the_answer)
        losing.start()
        try:
            answer = client.post_once(CHANGES, {"sku": "1001", "price": "3.29"})
        finally:
            losing.join()
    assert answer
    assert line.met["slowed"]
    assert _events(shop) == before + 1


def test_what_may_not_be_repeated_is_sent_once(shop: RunningHouse, line: FaultProxy) -> None:
    before = _events(shop)
    line.refuses = True
    with _client(shop, line, QUICK) as client:
        for number, send in enumerate(
            (
                lambda: client.post(CHANGES, {"sku": "1001", "price": "3.39"}),
                lambda: client.delete("/api/v1/tokens/00000000"),
                lambda: client.put("/api/v1/stores/main/template-rules", {}, seen="*"),
            ),
            start=1,
        ):
            with pytest.raises((SetupError, Unavailable)):
                send()
            assert line.met["refused"] == number
        with pytest.raises((SetupError, Unavailable)):
            client.get("/api/v1/stores")
        assert line.met["refused"] == 3 + QUICK.tries
    assert _events(shop) == before


def test_a_refusal_is_final(shop: RunningHouse, line: FaultProxy) -> None:
    with _client(shop, line, QUICK) as client, pytest.raises(Refused) as refused:
        client.post_once(CHANGES, {"sku": "1001", "price": "3,19 EUR"})
    assert refused.value.status == 422
    assert line.met["connections"] == 1


class _Busy(BaseHTTPRequestHandler):
    """Answers as told, one after the other, and writes down the keys it was sent."""

    statuses: tuple[int, ...] = ()
    keys: tuple[str | None, ...] = ()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status = _Busy.statuses[len(_Busy.keys)]
        _Busy.keys += (self.headers.get("idempotency-key"),)
        self.send_response(status)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("statuses", "sent"), [((429, 503, 200), 3), ((503,) * 8, 8), ((500,), 1), ((409,), 1)]
)
def test_only_a_busy_server_is_asked_again_and_with_one_key(
    statuses: tuple[int, ...], sent: int
) -> None:
    _Busy.statuses, _Busy.keys = statuses, ()
    port = free_port()
    with HTTPServer(("127.0.0.1", port), _Busy) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            with Client(f"http://127.0.0.1:{port}", "x", retries=QUICK) as client:
                if statuses[-1] == 200:
                    assert client.post_once("/x", {}) == {}
                else:
                    with pytest.raises(Refused):
                        client.post_once("/x", {})
        finally:
            server.shutdown()
            serving.join()
    assert len(_Busy.keys) == sent
    assert len(set(_Busy.keys)) == 1
    assert _Busy.keys[0]


def test_pauses_grow_are_scattered_and_never_longer_than_told() -> None:
    retries = Retries(tries=99, first_s=0.5, longest_s=30.0)
    for tried, most_s in ((1, 0.5), (2, 1.0), (4, 4.0), (7, 30.0), (90, 30.0)):
        pauses = {retries.pause_s(tried) for _ in range(200)}
        assert all(min(most_s, 30.0) / 2 <= pause_s <= most_s for pause_s in pauses)
    assert len({retries.pause_s(3) for _ in range(50)}) > 10
    assert retries.pause_s(1, asked_s=7.0) == 7.0
    assert retries.pause_s(1, asked_s=3600.0) == 30.0
