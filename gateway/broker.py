"""The embedded broker: iotcore (rumqttd in a wheel) as a child process on loopback.

For trying out, tests and the smallest shop. It keeps everything in memory, has one author and
no access rules, so it is never trusted with truth and never leaves loopback; a shop sets up
mosquitto beside the controller instead.

The child reads a pipe from us and ends when the pipe closes, however we die. Port and login
are made once and kept in a file of mode 0600, so that gateways find the broker again after a
restart of the controller.
"""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from esl.domain.errors import SetupError
from gateway.mqtt import BrokerAddress

_HOST = "127.0.0.1"
_USERNAME = "esl"
_CHILD = "from iotcore._serve import main; main()"
_START_LONGEST_S = 10.0
_STOP_LONGEST_S = 3.0
_POLL_S = 0.02
_PORTS = 1 << 16

# Segments bound the memory: a smaller limit loses messages silently under load, 100 MiB a
# segment reached 597 MB of memory (field notes, ux 4, broker probe).
_CONFIG = """\
# Written by the controller at each start.
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10

[v5.1]
name = "loopback"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
dynamic_filters = true

[v5.1.connections.auth]
{username} = "{password}"
"""


@dataclass(frozen=True, slots=True)
class Waiter:
    """How to wait a moment and how to tell the time, from the composition root."""

    monotonic_s: Callable[[], float]
    sleep_s: Callable[[float], None]


class EmbeddedBroker:
    """The broker's child process; made by `embedded_broker`."""

    def __init__(self, address: BrokerAddress, config: Path, waiter: Waiter) -> None:
        self.address = address
        self._config = config
        self._waiter = waiter
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            SetupError: It does not start, or its port is taken by somebody else.
        """
        _await_free_port(self.address, self._waiter)
        self._child = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
            [sys.executable, "-P", "-c", _CHILD, json.dumps({"config_path": str(self._config)})],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us; we end the child when we are done with it
        )
        _await_listening(self.address, self._child, self._waiter)

    def revive(self) -> bool:
        """Start it again if it has ended by itself; return whether it had."""
        if self._child is not None and self._child.poll() is None:
            return False
        self.stop()
        self.start()
        return True

    def stop(self) -> None:
        """End it."""
        child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        try:
            child.wait(_STOP_LONGEST_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdin is not None:
            child.stdin.close()


@contextlib.contextmanager
def embedded_broker(directory: Path, waiter: Waiter) -> Iterator[EmbeddedBroker]:
    """Run the broker while the block runs; ``directory`` keeps its port, login and settings.

    Raises:
        SetupError: It does not start, or its port is taken by somebody else.
    """
    address = _kept_address(directory)
    config = directory / "broker.toml"
    _write_private(
        config,
        _CONFIG.format(
            host=address.host,
            port=address.port,
            username=address.username,
            password=address.password,
        ),
    )
    broker = EmbeddedBroker(address, config, waiter)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


def _kept_address(directory: Path) -> BrokerAddress:
    """Return the port and login of this directory's broker, made at its first start."""
    kept = directory / "broker.json"
    if kept.exists():
        try:
            fields = json.loads(kept.read_text())
            port, password = int(fields["port"]), str(fields["password"])
            if not 0 < port < _PORTS:
                raise ValueError("no port")  # noqa: TRY301  the next line says it in words
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise SetupError(f"{kept} cannot be read; remove it to get a new login") from exc
    else:
        port, password = _free_port(), secrets.token_urlsafe(24)
        _write_private(kept, json.dumps({"port": port, "password": password}))
    return BrokerAddress(host=_HOST, port=port, username=_USERNAME, password=password)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _await_free_port(address: BrokerAddress, waiter: Waiter) -> None:
    """Wait until a broker we left behind has gone: it ends moments after its parent."""
    deadline = waiter.monotonic_s() + _START_LONGEST_S
    while _answers(address):
        if waiter.monotonic_s() > deadline:
            raise SetupError(
                f"port {address.port} of the embedded broker is taken by another program; "
                f"end that, or remove broker.json to choose another port (gateways then need "
                f"new enrolment files)"
            )
        waiter.sleep_s(_POLL_S)


def _await_listening(
    address: BrokerAddress, child: "subprocess.Popen[bytes]", waiter: Waiter
) -> None:
    deadline = waiter.monotonic_s() + _START_LONGEST_S
    while not _answers(address):
        if child.poll() is not None:
            raise SetupError(f"the embedded broker ended at once, with code {child.returncode}")
        if waiter.monotonic_s() > deadline:
            raise SetupError("the embedded broker did not begin to listen")
        waiter.sleep_s(_POLL_S)


def _answers(address: BrokerAddress) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address.host, address.port), 0.2):
        return True
    return False
