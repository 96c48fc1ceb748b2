"""Counts where this process's CPU time goes, by stage of a label's way."""

import time
from threading import Lock

from esl.domain.stages import Stage


class StageClock:
    """An `esl.domain.stages.Stages` that adds up since the process began; any thread may add."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._cpu_ns = dict.fromkeys(Stage, 0)
        self._labels = dict.fromkeys(Stage, 0)

    def cpu_ns(self) -> int:
        """Return the calling thread's CPU time."""
        return time.thread_time_ns()

    def add(self, stage: Stage, cpu_ns: int, labels: int) -> None:
        """Add a batch."""
        with self._lock:
            self._cpu_ns[stage] += cpu_ns
            self._labels[stage] += labels

    def totals(self) -> dict[str, dict[str, float]]:
        """Return seconds of CPU and labels (of intake and commit: requests) of each stage."""
        with self._lock:
            return {
                stage.value: {
                    "cpu_s": self._cpu_ns[stage] / 1e9,
                    "labels": self._labels[stage],
                }
                for stage in Stage
            }
