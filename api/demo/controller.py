"""A controller as a child process: started, waited for, stopped or killed."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

from api.client import Client, Refused
from api.private_files import RuntimeFile, read_runtime_file
from esl.domain.errors import SetupError, Unavailable

_START_LONGEST_S = 30.0
_STOP_LONGEST_S = 10.0
_POLL_S = 0.05


class ControllerProcess:
    """``esl serve`` on one data folder. It ends with us, however we end."""

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        arguments: tuple[str, ...] = (),
        log: Path | None = None,
    ) -> None:
        self.data_dir = data_dir
        self._log = log  # where its own words go; None for our standard error
        self._port = port
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process is not None else None

    def start(self) -> RuntimeFile:
        """Start it, and wait until it answers.

        Raises:
            SetupError: It ended or did not answer; its own words are on standard error.
        """
        stale = read_runtime_file(self.data_dir)
        with contextlib.ExitStack() as stack:
            log = None if self._log is None else stack.enter_context(self._log.open("ab"))
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
                [
                    *(sys.executable, "-m", "api.cli", "serve", "--with-parent"),
                    *("--data", str(self.data_dir), "--port", str(self._port)),
                    *self._arguments,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_LONGEST_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise SetupError(f"the controller ended with code {self._process.returncode}")
            runtime = read_runtime_file(self.data_dir)
            if runtime is not None and runtime != stale and _answers(runtime):
                return runtime
            time.sleep(_POLL_S)
        self.kill()
        raise SetupError("the controller did not answer in time")

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._end(kill=False)

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            if kill:
                process.kill()
            else:
                process.terminate()
        try:
            process.wait(_STOP_LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _answers(runtime: RuntimeFile) -> bool:
    try:
        with Client(runtime.url, runtime.token, patience_s=2.0) as client:
            client.get("/healthz")
    except (SetupError, Unavailable, Refused):
        return False
    return True
