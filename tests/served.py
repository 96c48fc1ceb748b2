"""``esl`` as a process of its own, for what only processes can show: output, signals, leftovers.

The demo's `ControllerProcess` throws standard output away and ends with its parent; here both
outputs are kept in files, and nothing ends the controller but the test.
"""

import atexit
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from api.client import Client, Refused
from api.private_files import RuntimeFile, read_runtime_file
from esl.domain.errors import SetupError, Unavailable

PATIENCE_S = 90.0


def environment(**more: str) -> dict[str, str]:
    """Return our environment without any setting of ours, but ``more``."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("ESL_")}
    if sys.dont_write_bytecode:  # then each start would compile everything again: 3 s more
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        kept["PYTHONPYCACHEPREFIX"] = _bytecode_folder()
    return kept | more


@functools.cache
def _bytecode_folder() -> str:
    folder = tempfile.mkdtemp(prefix="esl-bytecode-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def esl(
    *arguments: str | Path, folder: Path, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command of ``esl`` in a folder, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *map(str, arguments)],
        cwd=folder,
        env=environment(**(env or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


class Served:
    """``esl serve`` on a data folder, with what it printed."""

    def __init__(self, data_dir: Path, *arguments: str) -> None:
        self.data_dir = data_dir
        self.stdout = data_dir.with_name("stdout.txt")
        self.stderr = data_dir.with_name("stderr.txt")
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self.children: list[psutil.Process] = []

    def start(self) -> RuntimeFile:
        """Start it and return how to reach it, once it answers."""
        assert self._process is None
        stale = read_runtime_file(self.data_dir)
        with self.stdout.open("wb") as out, self.stderr.open("ab") as err:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "api.cli", "serve"),
                    *("--data", str(self.data_dir), "--port", "0", *self._arguments),
                ],
                cwd=self.data_dir.parent,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.stderr.read_text()
            runtime = read_runtime_file(self.data_dir)
            if runtime is not None and runtime != stale and _answers(runtime):
                self.children = psutil.Process(self._process.pid).children(recursive=True)
                return runtime
            time.sleep(0.02)
        raise AssertionError("esl serve did not answer")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def end(self, number: signal.Signals) -> tuple[int, float]:
        """Send a signal; return the exit status and how many seconds it took to end."""
        process, self._process = self._process, None
        assert process is not None
        began_s = time.monotonic()
        process.send_signal(number)
        try:
            status = process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.wait()
        return status, time.monotonic() - began_s

    def close(self) -> None:
        """Leave nothing behind, whatever the test did."""
        if self._process is not None:
            self.end(signal.SIGKILL)
        for child in self.children:
            if child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
                child.kill()


def wait_until(true: Callable[[], bool], what: str, longest_s: float = 10.0) -> None:
    """Wait for something that another process brings about."""
    deadline = time.monotonic() + longest_s
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen within {longest_s} s"
        time.sleep(0.02)


def gone(process: psutil.Process) -> bool:
    """Say whether a process has ended."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def _answers(runtime: RuntimeFile) -> bool:
    try:
        with Client(
            runtime.url, runtime.token, patience_s=2.0, certificate=runtime.certificate
        ) as client:
            client.get("/healthz")
    except (SetupError, Unavailable, Refused):
        return False
    return True
