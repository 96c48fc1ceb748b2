"""What must hold of the audit: every decision has its entry, and the chain over all of it verifies.

::

    commit ─▶ new rows of audit_entry, price_event ─▶ noted ◀── what each request must leave
    commit ─▶ sealed a little at a time ─▶ blocks ─▶ checkpoints ─▶ what somebody else keeps

What a request must leave is worked out from its answer and the model. The chain is verified by the
product's own ``verify_chain``, with every checkpoint that ever left the database: a crash, another
controller or a leap of a clock may delay sealing, and never lets a record be lost or sealed twice.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from api.audit.files import is_signed_by
from esl.domain.chain import Checkpoint
from esl.domain.clock import EffectiveClock
from esl.services.retention import HISTORY_KEPT, Forgetting
from esl.services.sealing import Sealing
from esl.services.verifying import Verdict, verify_chain
from esl.store.database import Database
from tests.builders import KEY
from tests.chaos import keys
from tests.chaos.clocks import MachineClocks
from tests.chaos.inline_writer import InlineWriter
from tests.chaos.order_oracle import Check
from tests.chaos.world import World

TRUSTED = frozenset({KEY.public_key.hex(), keys.NEXT_KEY.public_key.hex()})
LONGER_THAN_KEPT = HISTORY_KEPT + timedelta(days=2)

_ENTRIES = "SELECT entry_id, action, subject FROM audit_entry WHERE entry_id > ?"
_EVENTS = "SELECT event_id, store_id, sku, source, decision FROM price_event WHERE event_id > ?"
_BLOCKS = "SELECT number, hash FROM audit_block WHERE number > ? ORDER BY number"
_NO_ENTRY = (
    "SELECT p.store_id, p.sku, p.rev FROM price AS p WHERE NOT EXISTS (SELECT 1 FROM price_event"
    " AS e WHERE e.store_id = p.store_id AND e.sku = p.sku AND e.rev = p.rev"
    " AND e.price_minor = p.price_minor AND e.currency = p.currency)"
)
_RULINGS = frozenset({"approve", "approve_in_vain", "reject"})

Left = tuple[str, ...]
"""Something that a request leaves: ("price", store, sku, source, decision) or ("entry", action,
subject)."""


class AuditOracle:
    """Watches the audit of one database file. ``check`` asks a question."""

    def __init__(self, world: World, books: sqlite3.Connection, path: Path, check: Check) -> None:
        self._world = world
        self._books = books
        self._path = path
        self._check = check
        self._entries_to = self._events_to = 0
        self._noted: Counter[Left] = Counter()
        self._blocks: dict[int, str] = {}
        self.kept: list[Checkpoint] = []  # what left the database, as the folder has it
        self.latest: datetime | None = None  # the furthest that a controller's clock said

    def hear(self, now: datetime) -> None:
        """A controller's clock says so: no record can be younger than the furthest of them."""
        self.latest = now if self.latest is None else max(self.latest, now)

    # -- entries -------------------------------------------------------------------------------

    def look(self) -> None:
        """Something was committed: note what it left."""
        for row in self._books.execute(_ENTRIES, (self._entries_to,)).fetchall():
            self._entries_to = max(self._entries_to, row["entry_id"])
            self._noted["entry", row["action"], row["subject"]] += 1
        for row in self._books.execute(_EVENTS, (self._events_to,)).fetchall():
            self._events_to = max(self._events_to, row["event_id"])
            self._noted["price", row["store_id"], row["sku"], row["source"], row["decision"]] += 1

    def expect(self, of: str, left: Iterable[Left]) -> None:
        """A committed request must have left this, each once."""
        for one in left:
            self._check("I12", self._noted[one] > 0, f"{of} was decided and left no {one}")
            self._noted[one] -= 1

    # -- the chain -----------------------------------------------------------------------------

    def check_chain(self) -> Verdict:
        """Verify all that was sealed, and that nothing sealed before has become otherwise."""
        for number, digest in self._blocks.items():
            row = self._books.execute(
                "SELECT hash FROM audit_block WHERE number = ?", (number,)
            ).fetchone()
            same = row is not None and row["hash"] == digest
            self._check("I12", same, f"block {number} is not what it was")
        for row in self._books.execute(_BLOCKS, (max(self._blocks, default=0),)):
            self._blocks[row["number"]] = row["hash"]
        database = Database(f"sqlite:///{self._path}")
        try:
            return self._verify(database, self.latest or self._world.wall())
        finally:
            database.close()

    def _verify(self, database: Database, now: datetime) -> Verdict:
        verdict = verify_chain(
            database,
            is_trusted=lambda one: is_signed_by(one, TRUSTED),
            now=now,
            outside=self.kept,
        )
        # Between the first block and its checkpoint nothing vouches for the chain yet.
        young = verdict.checkpoints == 0
        wrong = None if young and "no checkpoint" in (verdict.wrong or "") else verdict.wrong
        self._check("I12", wrong is None, f"the chain does not verify: {wrong}")
        return verdict

    def check_over(self) -> None:
        """In the silence all is sealed, every price has its event, and every ruling was asked for.

        Then the records grow old and are pruned, and what is left must verify all the same.
        """
        verdict = self.check_chain()
        self._check("I12", not verdict.unsealed, f"{verdict.unsealed} records are in no block")
        bare = [tuple(row) for row in self._books.execute(_NO_ENTRY)]
        self._check("I12", not bare, f"prices that no event accounts for: {bare}")
        self.look()
        rulings = {one: n for one, n in self._noted.items() if one[1] in _RULINGS and n}
        self._check("I12", not rulings, f"entries of what nobody decided: {rulings}")
        self._check_pruned(verdict)

    def _check_pruned(self, before: Verdict) -> None:
        clocks = MachineClocks(self._world, began_s=0.0)
        then = (self.latest or self._world.wall()) + LONGER_THAN_KEPT
        clocks.ahead_s = (then - self._world.wall()).total_seconds()
        database = Database(f"sqlite:///{self._path}")
        try:
            writer = InlineWriter(database, clocks.monotonic_s)
            clock = EffectiveClock(clocks, not_before=then)
            forgetting = Forgetting(database=database, writer=writer)
            while forgetting.step(clock.now(), clock.now()):
                pass
            Sealing(database=database, writer=writer, clock=clock).forget_leaves(clock.now())
            self.hear(clock.now())  # what is gone now may be gone only by this clock
            after = self._verify(database, clock.now())
        finally:
            database.close()
        self._check("I12", after.blocks == before.blocks, "pruning took blocks of the chain")
        lost = before.records + before.pruned - after.records - after.pruned
        self._check("I12", lost == 0, f"{lost} records are gone that were not pruned")
