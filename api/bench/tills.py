"""Tills that change single prices all at once: a cheap process, not to be what is measured.

Each till keeps a connection, sends a change, waits for its answer and sends the next: one thread,
one selector, no HTTP library (some 20 µs of CPU a change, which the figures tell). A till has
products of its own, so the last price it was answered for a product is the one that must hold.

    python -m api.bench.tills   reads a job as JSON, writes what happened as JSON
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

_PRICES = 7
"""A product's prices go round in so many cents, far below what guards doubt."""
_RECEIVE_BYTES = 65536
_LONGEST_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TillsJob:
    """What tills are to do: ``changes`` in all, from ``first`` on, to `url`'s path of a store."""

    host: str
    port: int
    path: str
    token: str
    clients: int
    products: int
    changes: int
    first: int = 0
    seconds: float | None = None  # end after this long, too

    def change(self, till: int, turn: int) -> tuple[int, int]:
        """Return which product a till changes in its so-manieth turn, and to what price."""
        each = self.products // self.clients
        number = self.first + turn
        return till + self.clients * (number % each), 1000 + 1 + number // each % _PRICES


@dataclass(slots=True, kw_only=True)
class TillsDone:
    """What happened: milliseconds a change, the answers by kind, the last price of a product."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    took_ms: list[float] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    last_minor: dict[str, int] = field(default_factory=dict)

    @property
    def per_s(self) -> float:
        """Changes a second."""
        return len(self.took_ms) / self.seconds if self.seconds else 0.0

    def at_ms(self, share: float) -> float:
        """Return the wait that a share of the changes did not exceed; 0 without any."""
        waits = sorted(self.took_ms)
        return waits[min(int(len(waits) * share), len(waits) - 1)] if waits else 0.0


class TillsProcess:
    """Tills at work in a process of their own; `wait` for what they did."""

    def __init__(self, job: TillsJob) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "api.bench.tills"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if self._process.stdin is None:
            raise AssertionError("the process was started with a pipe")
        self._process.stdin.write(json.dumps(asdict(job)).encode())
        self._process.stdin.close()

    def wait(self) -> TillsDone:
        """Wait until they are done.

        Raises:
            RuntimeError: They were cut off, or refused.
        """
        if self._process.stdout is None:
            raise AssertionError("the process was started with a pipe")
        with self._process.stdout:
            told = self._process.stdout.read()
        if self._process.wait() != 0:
            raise RuntimeError("the tills of the benchmark were cut off; see their own words above")
        return TillsDone(**json.loads(told))


@dataclass(slots=True)
class _Till:
    number: int
    line: socket.socket
    turn: int = 0
    began_s: float = 0.0
    got: bytes = b""


def run(job: TillsJob) -> TillsDone:
    """Change prices until all changes are answered, or the time is up.

    Raises:
        ConnectionError: The controller hung up in the midst of an answer.
    """
    done = TillsDone()
    answers: Counter[str] = Counter()
    turns = job.changes // job.clients
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    ends_s = began_s + (job.seconds if job.seconds is not None else _LONGEST_S)
    with selectors.DefaultSelector() as waiting:
        tills = [_Till(number, _connect(job)) for number in range(job.clients)]
        for till in tills:
            waiting.register(till.line, selectors.EVENT_READ, till)
            _send(job, till)
        while waiting.get_map():
            if time.perf_counter() > began_s + _LONGEST_S:
                raise TimeoutError("the controller does not answer")
            for key, _ in waiting.select(1.0):
                till = key.data
                body = _receive(till)
                if body is None:
                    continue
                now_s = time.perf_counter()
                done.took_ms.append(round((now_s - till.began_s) * 1000, 3))
                kind = _kind_of(body)
                answers[kind] += 1
                if kind == "accepted":
                    number, minor = job.change(till.number, till.turn)
                    done.last_minor[f"sku-{number}"] = minor
                till.turn += 1
                if till.turn < turns and now_s < ends_s:
                    _send(job, till)
                else:
                    waiting.unregister(till.line)
                    till.line.close()
    done.seconds = time.perf_counter() - began_s
    done.cpu_s = time.process_time() - began_cpu_s
    done.answers = dict(answers)
    return done


def _connect(job: TillsJob) -> socket.socket:
    line = socket.create_connection((job.host, job.port), timeout=_LONGEST_S)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def _send(job: TillsJob, till: _Till) -> None:
    number, minor = job.change(till.number, till.turn)
    body = f'{{"sku":"sku-{number}","price":"{minor // 100}.{minor % 100:02d}"}}'
    till.began_s = time.perf_counter()
    till.line.sendall(
        f"POST {job.path} HTTP/1.1\r\nHost: {job.host}:{job.port}\r\n"
        f"Authorization: Bearer {job.token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    )


def _receive(till: _Till) -> bytes | None:
    """Take in what came; return the answer's status and body once it is whole."""
    part = till.line.recv(_RECEIVE_BYTES)
    if not part:
        raise ConnectionError("the controller hung up")
    till.got += part
    head, found, body = till.got.partition(b"\r\n\r\n")
    if not found:
        return None
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    if len(body) < int(length):
        return None
    till.got = b""
    return head.split(b" ", 2)[1] + b" " + body


def _kind_of(answer: bytes) -> str:
    """Name an answer: the decision, or the status where there is none."""
    status, _, body = answer.partition(b" ")
    if status != b"200":
        return status.decode()
    told: Any = json.loads(body)
    return str(told["results"][0]["decision"])


def main() -> None:
    """Do the job that stands on standard input."""
    json.dump(asdict(run(TillsJob(**json.load(sys.stdin)))), sys.stdout)


if __name__ == "__main__":
    main()
