"""The real application for tests of its HTTP doors: a house, uvicorn, a free port, one thread.

    with running_house(tmp_path) as house:
        answer = house.ask("GET", "/api/v1/stores", token=house.operator)

Nothing is replaced: SQLite in a folder, the writer, the embedded broker. Only the worker rests
unless asked for, so that the database changes by requests alone and two pictures of it may be
compared: `RunningHouse.everything_stored`.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Connection

from api.app import create_app
from api.connections import PatientProtocol
from api.edge import Edge
from api.house import House, open_house
from esl.settings import Settings
from tests.services import free_port

STORE_BODY = {
    "name": "Vrsar",
    "currency": "EUR",
    "locale": "hr_HR",
    "timezone": "Europe/Zagreb",
    "guards": {"on": False, "reason": "tests invent prices"},
}
OPERATOR = "operator"
PROBLEM = "application/problem+json"
SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=()",
}
"""What every answer carries, and what must stand in it."""

_VOLATILE = {"alembic_version", "installation"} | {
    *("audit_block", "audit_part", "audit_gap", "audit_checkpoint"),  # sealed in the background
    "access_time",  # when a token was last used
    "event_recorder",  # how far the background has looked
}


_UNLIMITED = dict.fromkeys(
    (
        *("client_requests_per_s", "stranger_requests_per_s"),
        *("sign_ins_per_minute", "drawings_per_minute", "exports_per_minute"),
    ),
    0,
)
"""Tests ask faster than any till; those of the limits set their own."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to pytest


class RunningHouse:
    """One running application; made by `running_house`."""

    def __init__(self, house: House, application: Edge, port: int) -> None:
        self.house = house
        self.application = application
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.operator = house.operator_token
        self._http = httpx2.Client(base_url=self.url, trust_env=False, timeout=30)

    @property
    def app(self) -> FastAPI:
        """The application behind the edge."""
        inner: Any = self.application._app
        while not isinstance(inner, FastAPI):
            inner = inner._app
        return inner

    def close(self) -> None:
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        content: bytes | str | None = None,
        json: Any = None,
        token: str | None = OPERATOR,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> httpx2.Response:
        """Send one request, as the operator unless told otherwise; ``token=None`` as nobody."""
        # The same name for each, so that two answers to the same question are the same text.
        all_headers = {"X-Request-Id": "of-the-tests"} | dict(headers or {})
        if token is not None:
            secret = self.operator if token == OPERATOR else token
            all_headers["Authorization"] = f"Bearer {secret}"
        raw = {name.encode(): value.encode("latin-1") for name, value in all_headers.items()}
        return self._http.request(
            method, path, content=content, json=json, headers=raw, params=query or None
        )

    def done(self, method: str, path: str, json: Any = None, **how: Any) -> Any:
        """Send a request that must succeed, and return its JSON."""
        answer = self.ask(method, path, json=json, **how)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def token(self, *scopes: str, stores: tuple[str, ...] = ("*",)) -> str:
        """Make a machine token and return its text."""
        body = {"name": "a test", "scopes": list(scopes), "stores": list(stores)}
        return str(self.done("POST", "/api/v1/tokens", body)["token"])

    def read(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database file itself."""
        with self._file() as database:
            return database.execute(query, values).fetchall()

    def everything_stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table that requests change."""
        with self._file() as database:
            names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {
                name: database.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2').fetchall()  # noqa: S608
                for (name,) in names.fetchall()
                if name not in _VOLATILE and not name.startswith("sqlite_")
            }

    def _file(self) -> closing[sqlite3.Connection]:
        path = self.house.settings.data_dir / "esl.db"
        return closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True))

    def write(self, work: Any) -> Any:
        """Do ``work(tx)`` through the house's own writer."""

        def run(tx: Connection) -> Any:
            return work(tx)

        return self.house.writer.write(run)


@contextlib.contextmanager
def running_house(
    data_dir: Path, *, with_worker: bool = False, **settings: Any
) -> Iterator[RunningHouse]:
    """Run the application while the block runs."""
    ready = threading.Event()
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            asyncio.run(_serve(data_dir, settings, with_worker, ready, outcome))
        except BaseException as exc:  # noqa: BLE001  told to the test below
            outcome["failed"] = exc
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="running house")
    thread.start()
    assert ready.wait(30)
    try:
        if "failed" in outcome:
            raise outcome["failed"]
        with closing(outcome["running"]) as running:
            yield running
    finally:
        if "stop" in outcome:
            outcome["stop"]()
        thread.join(30)
    assert "failed" not in outcome, outcome["failed"]


async def _serve(
    data_dir: Path,
    settings: dict[str, Any],
    with_worker: bool,  # noqa: FBT001
    ready: threading.Event,
    outcome: dict[str, Any],
) -> None:
    port = settings.pop("port", None) or free_port()
    chosen = Settings(data_dir=data_dir, port=port, **(_UNLIMITED | settings))
    async with open_house(chosen) as house:
        application = create_app(house)
        assert isinstance(application, Edge)
        server = _Server(
            uvicorn.Config(
                application,
                http=PatientProtocol,
                host="127.0.0.1",
                port=port,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=2,
            )
        )
        serving = asyncio.create_task(server.serve())
        working = asyncio.create_task(house.run()) if with_worker else None
        while not server.started and not serving.done():  # noqa: ASYNC110  no event tells it
            await asyncio.sleep(0.01)
        outcome["running"] = RunningHouse(house, application, port)

        loop = asyncio.get_running_loop()

        def stop() -> None:
            server.should_exit = True
            loop.call_soon_threadsafe(house.live.close)  # as `api.server` stops

        outcome["stop"] = stop
        ready.set()
        try:
            await serving
        finally:
            if working is not None:
                working.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await working


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command of ``esl`` left behind."""

    status: object
    stdout: str
    stderr: str


Command = Callable[..., Ran]
"""``command("token", "list", ESL_PORT="1")``: arguments, then environment variables."""


def check_headers(answer: httpx2.Response) -> None:
    """Every answer carries the security headers, and is kept by nobody unless it says so."""
    for name, part in SECURITY_HEADERS.items():
        assert part in answer.headers.get(name, ""), f"{name} is missing"
    # Our own pages with forms tell us, and nobody else, where they stand.
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    kept = ("no-referrer", "same-origin") if is_page else ("no-referrer",)
    assert answer.headers["referrer-policy"] in kept
    assert "cache-control" in answer.headers
    assert "server" not in answer.headers


def check_problem(answer: httpx2.Response, status: int, *pointers: str) -> dict[str, Any]:
    """Assert a whole RFC 9457 problem with exactly these pointers, and return it."""
    assert answer.status_code == status, answer.text[:2000]
    assert answer.headers["content-type"] == PROBLEM
    check_headers(answer)
    assert answer.headers["cache-control"] == "no-store"
    problem: dict[str, Any] = answer.json()
    assert set(problem) <= {"type", "title", "status", "detail", "fix", "errors", "request_id"}
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["status"] == status
    assert isinstance(problem["detail"], str)
    assert problem["detail"]
    assert problem["fix"]
    errors = problem.get("errors", [])
    assert all(error["detail"] for error in errors)
    if pointers:
        assert [error["pointer"] for error in errors] == list(pointers)
    assert len(answer.content) < 200_000
    return problem
