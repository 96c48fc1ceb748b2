"""Can this process do its work now? Each part by its name, and what to do where one fails."""

import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.process import Process
from esl.domain.errors import EslError
from esl.store.migrate import is_current

FRESH_S: Final = 1.0
"""An answer counts this long: anybody may ask, and asking must not cost the shop anything."""

DISK_LEAST_BYTES: Final = 64 * 1024 * 1024
"""With less, SQLite's next checkpoint or backup may not fit any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part: fit, or why not. The words name no address, path or login."""

    name: str
    ok: bool
    words: str = ""


def readiness_view(checks: Sequence[Check]) -> dict[str, Any]:
    """Write the answer of `/readyz`."""
    return {
        "status": "ready" if all(check.ok for check in checks) else "not ready",
        "checks": {
            check.name: {"ok": check.ok} | ({"detail": check.words} if check.words else {})
            for check in checks
        },
    }


class Readiness:
    """What `/readyz` answers with."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._lock = threading.Lock()
        self._last: tuple[float, list[Check]] | None = None

    def checks(self) -> list[Check]:
        """Look at every part; blocks, so call it off the loop."""
        with self._lock:
            now_s = self._process.clock.monotonic_s()
            if self._last is None or now_s - self._last[0] >= FRESH_S:
                self._last = now_s, self._look()
            return self._last[1]

    def _look(self) -> list[Check]:
        return [*self._database(), self._writer(), *self._broker(), self._disk()]

    def _database(self) -> list[Check]:
        try:
            with self._process.database.read() as tx:
                current = is_current(tx)
        except EslError as exc:
            words = str(exc)
            return [
                Check(name="database", ok=False, words=words),
                Check(name="migrations", ok=False, words="unknown: the database does not answer"),
            ]
        words = "" if current else "the schema is not this version's; start the controller again"
        return [Check(name="database", ok=True), Check(name="migrations", ok=current, words=words)]

    def _writer(self) -> Check:
        alive = self._process.writer.is_alive()
        words = "" if alive else "the writer has ended; start the controller again"
        return Check(name="writer", ok=alive, words=words)

    def _broker(self) -> list[Check]:
        delivery = self._process.delivery
        if delivery is None:
            return []  # workers speak with the broker
        connected = delivery.mqtt.connected.is_set()
        words = "" if connected else "not connected; prices are taken in, and nothing is delivered"
        return [Check(name="broker", ok=connected, words=words)]

    def _disk(self) -> Check:
        free = shutil.disk_usage(self._process.settings.data_dir).free
        ok = free >= DISK_LEAST_BYTES
        words = "" if ok else f"only {free // 2**20} MiB are free on the data folder's disk"
        return Check(name="disk", ok=ok, words=words)
