"""What only a real ``esl serve`` can show: its one line, its end, its leftovers, its promises."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from api.private_files import RuntimeFile
from tests.running_house import STORE_BODY
from tests.served import Served, gone, wait_until
from tests.services import free_port

STOPS_WITHIN_S = 5.0
KILLS = 10
TILLS = 4
ANSWERS_A_KILL = 12
CANARY = "canary-Zq7"
CHANGES = "/api/v1/stores/main/price-changes"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A controller that is not started yet."""
    with closing(Served(tmp_path / "data")) as controller:
        yield controller


def _client(runtime: RuntimeFile) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {runtime.token}"}
    return httpx2.Client(base_url=runtime.url, headers=headers, trust_env=False, timeout=20)


def _fill(client: httpx2.Client, products: int = 1) -> None:
    assert client.put("/api/v1/stores/main", json=STORE_BODY).is_success
    body = [{"sku": f"{n}", "name": f"Kruh {n}", "price": "1.00"} for n in range(products)]
    assert client.post("/api/v1/stores/main/products", json=body).is_success


# ── How it speaks and ends ─────────────────────────────────────────────────────────────────


def test_it_prints_one_line_and_ends_cleanly_under_open_connections(served: Served) -> None:
    runtime = served.start()
    address = urlsplit(runtime.url)
    host, port = str(address.hostname), int(address.port or 0)
    with ExitStack() as open_ones, _client(runtime) as client:
        _fill(client)
        link = client.post("/api/v1/sign-in-links", json={}).json()["url"]
        session = client.get(link).headers["set-cookie"].partition(";")[0]
        for _ in range(5):
            idle = open_ones.enter_context(closing(http.client.HTTPConnection(host, port)))
            idle.request("GET", "/healthz")
            idle.getresponse().read()
            open_ones.enter_context(socket.create_connection((host, port)))  # says nothing
        half = open_ones.enter_context(socket.create_connection((host, port)))
        half.sendall(b"POST /api/v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
        stream = open_ones.enter_context(closing(http.client.HTTPConnection(host, port)))
        stream.request("GET", "/wall/events?store=main", headers={"Cookie": session})
        events = open_ones.enter_context(stream.getresponse())
        assert events.status == 200
        assert events.headers["Content-Type"].startswith("text/event-stream")
        assert events.readline()
        status, took_s = served.end(signal.SIGTERM)
    assert status == 0, served.stderr.read_text()
    assert took_s < STOPS_WITHIN_S
    [line] = served.stdout.read_text().splitlines()
    assert runtime.url in line
    assert "mqtt://127.0.0.1:" in line
    assert runtime.token not in line
    assert not (served.data_dir / "run" / "controller.json").exists()
    for child in served.children:
        wait_until(lambda child=child: gone(child), "the end of the embedded broker")
    assert "Traceback" not in served.stderr.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_child_outlives_it_and_a_restart_finds_port_and_login(
    served: Served, number: signal.Signals
) -> None:
    first = served.start()
    login = (served.data_dir / "run" / "broker.json").read_bytes()
    key = (served.data_dir / "keys" / "signing.pem").read_bytes()
    children = served.children
    assert children, "the embedded broker is a child"
    with _client(first) as client:
        _fill(client)
        token = client.post(
            "/api/v1/tokens", json={"name": "t", "scopes": ["price:read"], "stores": ["*"]}
        ).json()["token"]
    served.end(number)
    for child in children:
        wait_until(lambda child=child: gone(child), "the end of the embedded broker", 5.0)
    second = served.start()
    assert second.token != first.token
    assert (served.data_dir / "run" / "broker.json").read_bytes() == login
    assert (served.data_dir / "keys" / "signing.pem").read_bytes() == key
    port = json.loads(login)["port"]
    assert any(
        connection.laddr.port == port
        for child in served.children
        for connection in child.net_connections()
        if connection.status == psutil.CONN_LISTEN
    )
    with _client(second) as client:
        old = client.get("/api/v1/stores", headers={"Authorization": f"Bearer {first.token}"})
        assert old.status_code == 401
        kept = client.get("/api/v1/stores", headers={"Authorization": f"Bearer {token}"})
        assert [store["store_id"] for store in kept.json()["stores"]] == ["main"]
        assert client.get("/api/v1/stores/main/products/0").json()["price"] == "1.00"


@pytest.mark.asvs("13.3.2")
def test_its_files_are_for_its_owner_only_and_the_key_is_not_in_the_database(
    served: Served,
) -> None:
    old_mask = os.umask(0)  # nothing may depend on the umask
    try:
        runtime = served.start()
    finally:
        os.umask(old_mask)
    data = served.data_dir
    for folder in (data, data / "keys", data / "run"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    private = [data / "keys" / "signing.pem", data / "run" / "controller.json"]
    private += [data / "run" / "broker.json", data / "run" / "broker.toml"]
    for file in private:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    with _client(runtime) as client:
        _fill(client)
        client.put("/api/v1/stores/main/gateways/gw-1", json={})
    pem = private[0].read_text()
    base64 = "".join(line for line in pem.splitlines() if "-----" not in line)
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    key = serialization.load_pem_private_key(pem.encode(), None)
    raw = key.private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )
    password = json.loads((data / "run" / "broker.json").read_text())["password"]
    secrets = [raw, raw.hex().encode(), base64.encode(), b"PRIVATE KEY"]
    secrets += [password.encode(), runtime.token.encode()]
    for file in data.glob("esl.db*"):
        content = file.read_bytes()
        assert not any(secret in content for secret in secrets), file
    logged = served.stderr.read_text() + served.stdout.read_text()
    assert password not in logged
    assert runtime.token not in logged


# ── What it never says ─────────────────────────────────────────────────────────────────────


@pytest.mark.asvs("16.2.5", "16.5.1")
def test_nothing_that_was_sent_comes_back_or_reaches_the_log(served: Served) -> None:
    runtime = served.start()
    body = f'{{"sku": "{CANARY}", "price": "{CANARY}"}}'
    answers: list[httpx2.Response] = []
    with _client(runtime) as client:
        _fill(client)
        for content in (
            body,
            CANARY,
            f'"{CANARY}"',
            f'{{"price": {CANARY}}}',
            f'{{"price": "1", "price": "{CANARY}"}}',
            f'{{"sku": "0", "price": "1.29", "badge": "{CANARY}\\ud800"}}',
            f'{{"name": "{CANARY}", "scopes": ["{CANARY}"], "stores": ["{CANARY}"]}}',
            f'{{"name": "x", "currency": "{CANARY}", "locale": "x", "timezone": "{CANARY}"}}',
            f'{{"label": "{CANARY}", "panel": "{CANARY}", "gateway": "{CANARY}"}}',
            f'{{"uses": "{CANARY}"}}',
        ):
            answers += [
                client.request(method, path, content=content)
                for method, path in (
                    ("POST", CHANGES),
                    ("POST", "/api/v1/tokens"),
                    ("POST", "/api/v1/sign-in-links"),
                    ("PUT", "/api/v1/stores/main"),
                    ("PUT", "/api/v1/stores/main/products/0"),
                    ("PUT", "/api/v1/stores/main/gateways/gw-1"),
                    ("POST", "/api/v1/stores/main/labels"),
                    ("POST", "/api/v1/stores/main/pairings"),
                )
            ]
        headers = {"Authorization": f"Bearer {CANARY}"}
        answers.append(client.get("/api/v1/stores", headers=headers))
        headers = {"Authorization": "", "Cookie": f"esl_session={CANARY}"}
        answers.append(client.get("/api/v1/stores", headers=headers))
        headers = {"Idempotency-Key": CANARY * 30}
        answers.append(client.post(CHANGES, content="{}", headers=headers))
        answers += [
            client.get(path)
            for path in (
                f"/{CANARY}",
                f"/sign-in?link={CANARY}",
                f"/api/v1/stores/{CANARY}!/labels",
                f"/api/v1/stores/main/labels?limit={CANARY}",
                f"/api/v1/stores/main/labels?after={CANARY}",
                f"/api/v1/stores/main/products/{CANARY}",
                f"/api/v1/labels/{CANARY}",
                f"/api/v1/labels/x/frames/{CANARY}.png",
            )
        ]
        answers.append(client.delete(f"/api/v1/tokens/{CANARY}"))
    for answer in answers:
        assert 400 <= answer.status_code < 500, answer.text
        assert CANARY not in answer.text, f"{answer.request.method} {answer.request.url}"
        assert CANARY not in str(answer.headers)
        assert "Traceback" not in answer.text
        assert ".py" not in answer.text
    served.end(signal.SIGTERM)
    log = served.stderr.read_text()
    assert CANARY not in log
    assert "Traceback" not in log
    assert served.stdout.read_text().count("\n") == 1


# ── What it promises: answered is stored, once ─────────────────────────────────────────────


@dataclass
class Receipts:
    """What four tills sent and what they were answered, by idempotency key."""

    asked: dict[str, bytes] = field(default_factory=dict)
    answered: dict[str, bytes] = field(default_factory=dict)

    def sell(self, runtime: RuntimeFile, sku: int, first: int, enough: "Enough") -> None:
        """Raise one product's price cent by cent until nobody answers any more."""
        with _client(runtime) as client:
            for minor in range(first, first + 10_000):
                key = f"{sku}-{minor}"
                price = f"{minor // 100}.{minor % 100:02d}"
                self.asked[key] = f'{{"sku": "{sku}", "price": "{price}"}}'.encode()
                try:
                    answer = _send(client, key, self.asked[key])
                except httpx2.TransportError:
                    return  # killed; whether it was stored, nobody may say
                assert answer.status_code == 200, answer.text
                self.answered[key] = answer.content
                enough.note()  # the answer has just come; kill now

    def newest_answered(self, sku: int) -> int:
        return max(int(key.partition("-")[2]) for key in self.answered if key.startswith(f"{sku}-"))


class Enough:
    """Set once as many answers have come."""

    def __init__(self, answers: int) -> None:
        self._left = answers
        self._counting = threading.Lock()
        self._reached = threading.Event()

    def note(self) -> None:
        with self._counting:
            self._left -= 1
            if self._left == 0:
                self._reached.set()

    def wait(self) -> None:
        assert self._reached.wait(20), "the tills were not answered"


def test_every_answered_change_survives_kill_9_exactly_once(tmp_path: Path) -> None:
    # The broker is away all the time: what is accepted never waits for it.
    with closing(Served(tmp_path / "data", "--mqtt", f"mqtt://127.0.0.1:{free_port()}")) as served:
        _kill_and_compare(served, Receipts())


def _kill_and_compare(served: Served, receipts: Receipts) -> None:
    runtime = served.start()
    with _client(runtime) as client:
        _fill(client, products=TILLS)
    for kill in range(KILLS):
        enough = Enough(ANSWERS_A_KILL)
        with ThreadPoolExecutor(TILLS) as pool:
            first = 10_000 * (kill + 1)
            tills = [
                pool.submit(receipts.sell, runtime, sku, first, enough) for sku in range(TILLS)
            ]
            enough.wait()
            served.end(signal.SIGKILL)
            for till in tills:
                till.result()
        runtime = served.start()
        _check_books(served.data_dir / "esl.db", receipts)
    with _client(runtime) as client:
        for key, content in receipts.answered.items():
            again = _send(client, key, receipts.asked[key])
            assert again.content == content
            assert again.headers["Idempotency-Replayed"] == "true"
        for sku in range(TILLS):
            price = client.get(f"/api/v1/stores/main/products/{sku}").json()["price"]
            assert int(price.replace(".", "")) >= receipts.newest_answered(sku)
    _check_books(served.data_dir / "esl.db", receipts)
    assert len(receipts.answered) >= KILLS * ANSWERS_A_KILL


def _send(client: httpx2.Client, key: str, body: bytes) -> httpx2.Response:
    return client.post(CHANGES, content=body, headers={"Idempotency-Key": key})


def _check_books(path: Path, receipts: Receipts) -> None:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT sku, price_minor, count(*) FROM price_event WHERE price_minor > 100 "
            "GROUP BY sku, price_minor"
        ).fetchall()
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        keys = {k for (k,) in database.execute("SELECT idempotency_key FROM answered_request")}
    stored = {f"{sku}-{minor}": times for sku, minor, times in rows}
    assert set(stored.values()) <= {1}
    assert receipts.answered.keys() <= stored.keys() <= receipts.asked.keys()
    assert keys == stored.keys(), "an event and its answer are one transaction"
