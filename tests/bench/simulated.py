"""The simulator as a process of its own, so that its work is not counted as the controller's."""

import subprocess
import sys
from pathlib import Path


class SimulatorProcess:
    """``esl simulate`` for some gateways, painting at once; ends when told or when we end."""

    def __init__(self, enrolments: list[Path], *, labels_each: int) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "api.cli", "simulate"),
                *(str(path) for path in enrolments),
                *("--labels", str(labels_each), "--paint", "0", "--with-parent"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it says when it has begun

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
