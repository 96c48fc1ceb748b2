"""Simulated gateways as a process of their own, so that their work is not the controller's."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class CeilingProcess:
    """``esl simulate`` for some gateways; ends when told or when we end.

    Thin ones acknowledge at once and unpack nothing; full ones have labels that paint at once.
    """

    def __init__(self, enrolments: Sequence[Path], *, labels_each: int, thin: bool) -> None:
        how = ("--thin",) if thin else ("--labels", str(labels_each), "--paint", "0")
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
            [
                *(sys.executable, "-m", "api.cli", "simulate"),
                *map(str, enrolments),
                *(*how, "--with-parent"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # gateways that lose a controller we kill
        )
        self._read_line()  # it says when it has begun

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def figures(self) -> dict[str, Any]:
        """Return what travelled so far (of thin gateways) and what went wrong."""
        self._process.send_signal(signal.SIGUSR1)
        figures: dict[str, Any] = json.loads(self._read_line())
        return figures

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read_line(self) -> bytes:
        if self._process.stdout is None:
            raise AssertionError("the process was started with a pipe")
        return self._process.stdout.readline()
