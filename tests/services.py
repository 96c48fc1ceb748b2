"""Real services for the tests: a broker, a database server, a browser.

Each one is started on 127.0.0.1 with a port, a login and a folder of its own, and stopped by
its process id. A mosquitto or PostgreSQL that the machine runs for itself is never touched.

A service whose program is not installed makes its tests skip, with the reason. Under
``ESL_TEST_REQUIRE`` (names with commas between them, or ``all``) they fail instead:

    ESL_TEST_REQUIRE=all make test
    ESL_TEST_REQUIRE=mosquitto,postgresql make test
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from ctypes.util import find_library
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.async_api import Page
from psycopg import sql

HOST: Final = "127.0.0.1"
REQUIRE_VARIABLE: Final = "ESL_TEST_REQUIRE"
PROGRAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "mosquitto": ("mosquitto",),
    "postgresql": ("initdb",),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "cmake": ("cmake",),
    "openssh-server": ("sshd",),
    "curl": ("curl",),
    "openssl": ("openssl",),
    "prometheus": ("promtool",),
    "rsyslog": ("rsyslogd",),
}
"""The services by the name of their Debian package, and the program that each is known by."""

_DRIVER_NEEDS = "atomic"
"""What playwright's own Node.js is linked to; Debian: libatomic1. Chromium comes without it."""

_DEBIAN_POSTGRES = Path("/usr/lib/postgresql")  # one folder for each major version
_SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # not in every user's PATH
_PATIENCE_S = 30.0


class ServiceFailed(Exception):
    """A service that is installed did not start or stop; holds the end of its log."""


# ── Which services are here, and what it means when one is not ──────────────────────────────


def require(service: str) -> Path:
    """Return the program of a service; skip the test, or fail it, if it is not installed."""
    program = find_program(service)
    if program is None:
        packages = f"{service} libatomic1" if service == "chromium" else service
        reason = f"{service} is not installed (Debian: apt install {packages})"
        if service in required_services(os.environ.get(REQUIRE_VARIABLE, "")):
            pytest.fail(f"{reason}, and {REQUIRE_VARIABLE} asks for it", pytrace=False)
        pytest.skip(reason)
    return program


def required_services(text: str) -> frozenset[str]:
    """Read the value of ``ESL_TEST_REQUIRE``.

    Raises:
        ValueError: It names a service that no test knows.
    """
    names = {name.strip() for name in text.split(",") if name.strip()}
    if "all" in names:
        return frozenset(PROGRAMS)
    if unknown := names - PROGRAMS.keys():
        known = ", ".join(["all", *PROGRAMS])
        raise ValueError(f"{REQUIRE_VARIABLE} knows {known}; not {', '.join(sorted(unknown))}")
    return frozenset(names)


def find_program(service: str) -> Path | None:
    """Return the program that a service is known by, or None."""
    if service == "postgresql":  # the newest; PATH may hold a wrapper for another one
        versions = _DEBIAN_POSTGRES.glob("*/bin/initdb")
        for initdb in sorted(versions, key=lambda path: int(path.parts[-3]), reverse=True):
            return initdb
    if service == "chromium" and find_library(_DRIVER_NEEDS) is None:
        return None
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SBIN])
    for program in PROGRAMS[service]:
        if found := shutil.which(program, path=search):
            return Path(found).resolve()
    return None


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens.

    Below 32768, because the system hands out the ports from there on to outgoing connections:
    while a broker is down for a restart, a client that tries its port could be given the very
    same port as its own end, and would talk to itself.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port


# ── A process that is started, waited for and stopped by its id ────────────────────────────


class _Account(NamedTuple):
    """Whom a program runs as; all None for ourselves."""

    user: int | None = None
    group: int | None = None
    extra_groups: Sequence[int] | None = None


_OURSELVES = _Account()


class _Server:
    """One server program; its output goes to a file, for the words when it fails."""

    def __init__(
        self, command: Sequence[str], *, log: Path, account: _Account = _OURSELVES
    ) -> None:
        self._command = command
        self._account = account
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        if self._process is None:
            raise ServiceFailed(f"{self._command[0]} is not running")
        return self._process.pid

    def launch(self, answers: Callable[[], bool]) -> None:
        """Start the program and return when it answers.

        Raises:
            ServiceFailed: It ended, or did not answer in time.
        """
        if self._process is not None:
            raise ServiceFailed(f"{self._command[0]} is running already")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in a terminal is for pytest, which then stops us
                user=self._account.user,
                group=self._account.group,
                extra_groups=self._account.extra_groups,
            )
        give_up_at = time.monotonic() + _PATIENCE_S
        while not answers():
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                self.end(signal.SIGKILL)
                words = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise ServiceFailed(f"{self._command[0]} did not start:\n{words}")
            time.sleep(0.02)  # a foreign process: there is nothing else to wait on

    def end(self, signal_number: signal.Signals) -> None:
        """Send a signal and wait until the process is gone; nothing if it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal_number)
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise ServiceFailed(f"{self._command[0]} ignored {signal_number.name}") from None


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1.0).close()
    except OSError:
        return False
    return True


# ── The services ────────────────────────────────────────────────────────────────────────────


class Mosquitto:
    """A mosquitto that lets in one login and keeps its port and sessions over restarts.

    ``others`` are further logins with the same password, ``acl`` what each may do.
    """

    def __init__(self, directory: Path, *, others: Sequence[str] = (), acl: str = "") -> None:
        program = require("mosquitto")
        directory.mkdir(parents=True, exist_ok=True)
        self.username = "tests"
        self.password = secrets.token_urlsafe(16)
        self.host = HOST
        self.port = free_port()
        passwords = directory / "passwords"
        tool = shutil.which("mosquitto_passwd") or program.with_name("mosquitto_passwd")
        for name in (self.username, *others):
            made = ("-b",) if passwords.exists() else ("-b", "-c")
            subprocess.run(
                [tool, *made, passwords, name, self.password],
                check=True,
                capture_output=True,
                timeout=_PATIENCE_S,
            )
        lines = [
            f"listener {self.port} {self.host}",
            "allow_anonymous false",
            f"password_file {passwords}",
            "max_queued_messages 0",  # else it drops what comes faster than it is taken
            "persistence true",
            f"persistence_location {directory}/",
            "log_dest stderr",
        ]
        if os.geteuid() == 0:  # else it would become the user mosquitto, who may not read this
            lines.append("user root")
        if acl:
            (directory / "acl").write_text(acl, encoding="utf-8")
            lines.append(f"acl_file {directory}/acl")
        config = directory / "mosquitto.conf"
        config.write_text("\n".join([*lines, ""]), encoding="utf-8")
        command = [str(program), "-c", str(config)]
        self._server = _Server(command, log=directory / "mosquitto.log")

    @property
    def url(self) -> str:
        """Its address with the login: ``mqtt://user:password@127.0.0.1:port``."""
        return f"mqtt://{self.username}:{self.password}@{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        return self._server.pid

    def start(self) -> None:
        """Start it, for the first time or again, and return when it accepts connections."""
        self._server.launch(lambda: _accepts(self.port))

    def stop(self) -> None:
        """Stop it in good order: it saves sessions and retained messages."""
        self._server.end(signal.SIGTERM)

    def kill(self) -> None:
        """Stop it the way a power cut does."""
        self._server.end(signal.SIGKILL)


class Postgres:
    """A PostgreSQL cluster in a folder of its own, with one superuser and a password."""

    def __init__(self) -> None:
        programs = require("postgresql").parent
        account = _unprivileged_account() if os.geteuid() == 0 else _OURSELVES
        # Not below pytest's folder: that is for its own user only, and this one may be another's.
        self.directory = Path(tempfile.mkdtemp(prefix="esl-postgres-"))
        self.port = free_port()
        self._username, self._password = "esl", secrets.token_urlsafe(16)
        self._make_cluster(programs / "initdb", account)
        settings = {
            "port": self.port,
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "fsync": "off",  # tests kill processes, not machines
            "timezone": "Asia/Kathmandu",  # UTC+05:45: code that trusts the server's zone shows
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        self._server = _Server(
            [str(programs / "postgres"), "-D", str(self.directory / "data"), *options],
            log=self.directory / "postgres.log",
            account=account,
        )

    def _make_cluster(self, initdb: Path, account: _Account) -> None:
        secret = self.directory / "password"
        secret.write_text(self._password, encoding="utf-8")
        if account.user is not None:
            for path in (self.directory, secret):
                shutil.chown(path, account.user, account.group)
        command: list[str | Path] = [
            *(initdb, "--pgdata", self.directory / "data", "--username", self._username),
            *("--auth", "scram-sha-256", "--pwfile", secret),
            *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
        ]
        made = subprocess.run(
            command,
            capture_output=True,
            check=False,
            cwd=self.directory,
            timeout=_PATIENCE_S * 4,
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
        )
        if made.returncode:
            raise ServiceFailed(f"initdb: {made.stderr.decode(errors='replace')}")

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        return self._server.pid

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database, as SQLAlchemy wants it."""
        login = f"{self._username}:{self._password}"
        return f"postgresql+psycopg://{login}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Start it and return when it lets us in."""
        self._server.launch(self._lets_in)

    def stop(self) -> None:
        """Stop it at once (PostgreSQL's "fast" shutdown); its data stays."""
        self._server.end(signal.SIGINT)

    def discard(self) -> None:
        """Stop it and remove its data."""
        self.stop()
        shutil.rmtree(self.directory)

    def create_database(self, like: str = "template1") -> str:
        """Make an empty database, or a copy of one that nobody uses, and return its name."""
        name = f"test_{secrets.token_hex(6)}"
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(made.format(sql.Identifier(name), sql.Identifier(like)))
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, with whoever is still connected to it."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            connection.execute(statement)

    def _conninfo(self) -> str:
        return self.url().replace("+psycopg", "")

    def _lets_in(self) -> bool:
        try:
            psycopg.connect(self._conninfo(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _unprivileged_account() -> _Account:
    """Return whom to run as when we are root: PostgreSQL refuses root."""
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return _Account(entry.pw_uid, entry.pw_gid, ())
    raise ServiceFailed("no user postgres or nobody to run PostgreSQL as")


# ── The browser ─────────────────────────────────────────────────────────────────────────────

CHROMIUM_ARGUMENTS: Final = (
    "--no-sandbox",  # root in a container has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Or the browser itself talks to its maker.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserPage:
    """A page, everything that was asked for through it, and everything it complained of."""

    page: Page
    requested: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Uncaught exceptions and errors on the console."""

    @property
    def requested_elsewhere(self) -> list[str]:
        """The requests that would have left 127.0.0.1; the fixture lets none of them through."""
        return [url for url in self.requested if leaves_this_machine(url)]


def leaves_this_machine(url: str) -> bool:
    """Say whether a URL is answered by another machine than 127.0.0.1."""
    parts = urlsplit(url)
    return parts.scheme not in {"data", "blob", "about"} and parts.hostname != HOST
