"""What must hold of answers: stored with their effect, once, and as their numbers say."""

import json
import sqlite3

from tests.chaos.order_oracle import Check
from tests.chaos.world import World

HOUR_S = 3600.0
_ANSWER = "SELECT answer FROM answered_request WHERE principal = 'till' AND idempotency_key = ?"
_TWICE = (
    "SELECT source, sku, source_seq, count(*) FROM price_event WHERE source_seq IS NOT NULL"
    " GROUP BY source, sku, source_seq HAVING count(*) > 1"
)
_DAYS_S = 40 * HOUR_S  # near the two days for which answers are kept


class AnswerOracle:
    """Watches answers. ``check`` asks a question."""

    def __init__(self, world: World, books: sqlite3.Connection, check: Check) -> None:
        self._world = world
        self._books = books
        self._check = check
        self._answers: dict[str, str] = {}
        self._answered_s: dict[str, float] = {}
        self.leapt_s = 0.0  # by how much wall clocks were set forward in all

    def note(self, key: str, answer: str) -> None:
        """Remember an answer that reached its asker."""
        before = self._answers.setdefault(key, answer)
        self._answered_s.setdefault(key, self._world.now_s)
        self._check("I7", before == answer, f"{key} was answered {before}, then {answer}")

    def check_conflict(self, key: str, answer: str | None) -> None:
        """A key that was used for something else must be refused."""
        self._check("I7", answer in (None, "409"), f"{key} with another body: {answer}")

    def check_decision(self, key: str, answer: str, expected: object) -> None:
        """What became of a request must be what its sources' numbers say."""
        given = json.loads(answer)
        self._check("I8", given == expected, f"{key}: answered {given}, must be {expected}")

    def check_stored(self) -> None:
        """Every answer given is stored, and no numbered event twice.

        With clocks that leapt for days an answer of the last hour: a start believes its clock,
        and forgets answers of two days ago an hour later.
        """
        days = self.leapt_s > _DAYS_S
        for key, answer in self._answers.items():
            if days and self._world.now_s - self._answered_s[key] > HOUR_S:
                continue
            row = self._books.execute(_ANSWER, (key,)).fetchone()
            stored = row["answer"] if row is not None else None
            self._check("I1", stored == answer, f"{key} was answered {answer}, stored: {stored}")
        twice = self._books.execute(_TWICE).fetchall()
        self._check("I1", not twice, f"stored twice: {[tuple(row) for row in twice]}")
