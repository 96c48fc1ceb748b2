"""What must hold of commands that people ask for: every one ends, and "accepted" was said.

Lights are told apart by the time between two blinks, so that a command that left can be found
again among those that were asked for, whatever id it left under.
"""

import sqlite3
from collections.abc import Callable
from datetime import datetime

from gateway.wire.messages import Command, Led
from tests.chaos.model import Model

Check = Callable[[str, bool, str], None]

_LEFT_DARK_MS = 100
_COMMANDS = "SELECT command_key, state, expires_at FROM command"
_ENDS = frozenset({"accepted", "failed", "expired"})


class OrderOracle:
    """Watches commands beside pictures. ``check`` asks a question."""

    def __init__(self, model: Model, books: sqlite3.Connection, check: Check) -> None:
        self._model = model
        self._books = books
        self._check = check
        self._lights: dict[tuple[str, int], int] = {}  # gateway and id: which request
        self._accepted: set[int] = set()

    def watch_sent(self, gateway: str, command: Command) -> None:
        """A command leaves."""
        if isinstance(command, Led):
            self._lights[gateway, command.id] = command.off_ms - _LEFT_DARK_MS

    def note_accepted(self, gateway: str, command_id: int) -> None:
        """A gateway says that it has a command."""
        if (gateway, command_id) in self._lights:
            self._accepted.add(self._lights[gateway, command_id])

    def check_all(self, now: datetime, *, slack_s: float) -> None:
        """Every command that ran out of time has ended, and as its gateway said."""
        for row in self._books.execute(_COMMANDS):
            kind, number = self._model.orders.get(row["command_key"], ("?", 0))
            of = f"command {row['command_key']} ({kind}): {row['state']}"
            expired_s = (now - datetime.fromisoformat(f"{row['expires_at']}+00:00")).total_seconds()
            ended = row["state"] in _ENDS
            self._check("orders", ended or expired_s < slack_s, f"{of}, {expired_s:.0f} s too late")
            if kind == "led" and row["state"] == "accepted":
                self._check("orders", number in self._accepted, f"{of}, and nobody said so")
