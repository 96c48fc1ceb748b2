"""Sealing: what was committed goes into the audit chain, a little at a time, in the background.

::

    committed rows ─▶ read 500 at a time   ─▶ hashed, gathered ─▶ one block ─▶ checkpoint
                      by id, in short reads   (memory only)       written      signed, 5 min

No price waits for it: nothing is hashed where prices are accepted, and a block is one small write.
A block is written once enough was gathered or the first of it has waited for a while. Several
processes may seal: the block's number is its key, and who comes second begins anew.

On PostgreSQL a row may be committed after one with a higher id. Ids that were missing are noted as
gaps and looked at again for an hour, which is longer than any transaction of ours can live.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Connection

from esl.domain.chain import (
    NOTED_KINDS,
    Checkpoint,
    Part,
    RecordKind,
    block_hash,
    checkpoint_bytes,
    gaps_between,
    read_block,
    runs_of,
    tree_root,
    write_block,
)
from esl.domain.clock import EffectiveClock
from esl.services.retention import HISTORY_KEPT
from esl.store import chain, cuts
from esl.store.chain import GAPS_MOST, Gap, Head, StoredPart
from esl.store.chain_records import (
    VERSION,
    Row,
    id_of,
    leaf_of,
    moments_of,
    newest_id,
    rows_after,
    rows_within,
)
from esl.store.columns import instant_text
from esl.store.database import Database
from esl.store.forgotten import forgotten_to
from esl.store.write_group import Priority, Writes

ROWS_A_READ: Final = 500
"""Records read and hashed at once: 4 ms, after which everyone else has a turn."""

BLOCK_MOST: Final = 5000
"""Records of a block, about: one import is some blocks, and a proof needs those of five minutes."""

WAITS_MOST_S: Final = 60.0
"""How long the first record of a block waits: 1,440 blocks a day at most while little happens."""

CHECKPOINT_AFTER: Final = timedelta(minutes=5)
PARTS_A_READ: Final = 100
GAPS_KEPT: Final = timedelta(hours=1)

_DAY_TEXT: Final = len("2026-11-22")


@dataclass(slots=True)
class _Gathered:
    """Records of one kind on their way into a block."""

    ids: list[int] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    oldest: str = ""
    newest: str = ""
    late: list[int] = field(default_factory=list)  # of `ids`, those that filled a gap


@dataclass(slots=True)
class _Pending:
    """A block in the making, onto a head of the chain."""

    head: Head
    sealed_to: dict[RecordKind, int]
    gaps: list[Gap]
    since_s: float
    kinds: dict[RecordKind, _Gathered]
    full: bool = False

    def reached(self, kind: RecordKind) -> int:
        """Return the last id of a kind that is sealed or gathered."""
        gathered = self.kinds[kind]
        fresh = len(gathered.ids) - len(gathered.late)
        return gathered.ids[-1] if fresh else self.sealed_to[kind]

    def count(self) -> int:
        return sum(len(gathered.ids) for gathered in self.kinds.values())


class Sealing:
    """Seals in steps of some milliseconds; used by one thread at a time."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writes,
        clock: EffectiveClock,
        waits_most_s: float = WAITS_MOST_S,
    ) -> None:
        self._database = database
        self._writer = writer
        self._clock = clock
        self._waits_most_s = waits_most_s
        self._pending: _Pending | None = None
        self.sealed = 0  # records, since this process began
        self.backlog = 0  # records that were committed and not hashed when it last looked

    def step(self, *, now: bool = False) -> bool:
        """Gather some records, and write a block if it is time; say whether there is more.

        With ``now`` nothing waits for a fuller block.

        Raises:
            Unavailable: The database did not answer; what was gathered is gathered again.
        """
        try:
            more = self._gather()
            pending = self._pending
            if pending is None or pending.count() == 0:
                self._pending = None
                return False
            waited_s = self._clock.monotonic_s() - pending.since_s
            if pending.full or (not more and (now or waited_s >= self._waits_most_s)):
                self._write(pending)
                self._pending = None
                return True
        except BaseException:
            self._pending = None
            raise
        return more

    def seal_all(self) -> None:
        """Seal everything that is committed."""
        while self.step(now=True):
            pass

    def forget_leaves(self, aged: datetime) -> None:
        """Let hashes go where all that they are of was pruned, by how far history has aged.

        Raises:
            Unavailable: The database did not answer; another time.
        """
        with self._database.read() as tx:
            noted = forgotten_to(tx)
        usual = aged - HISTORY_KEPT
        for kind in RecordKind:
            before = noted.get(kind) if kind in NOTED_KINDS else usual
            if before is not None:
                self._forget_leaves_of(kind, before)

    def keep_whole_hashes(self) -> None:
        """Keep whole hashes of records of which only the first bytes were kept.

        So it was before prices and the audit were forgotten at all. A block that does not hold
        keeps what it has, and nothing of it is forgotten: whoever verifies the chain finds out.

        Raises:
            Unavailable: The database did not answer; another time.
        """
        after = 0
        while True:
            with self._database.read() as tx:
                narrow = cuts.narrow_parts(tx, after, most=PARTS_A_READ)
                whole = [(one, _whole_leaves(tx, one)) for one in narrow]
            for part, leaves in whole:
                if leaves is not None:
                    self._writer.write(
                        partial(cuts.widen_part, number=part.number, kind=part.kind, leaves=leaves),
                        priority=Priority.HOUSEKEEPING,
                    )
            if len(narrow) < PARTS_A_READ:
                return
            after = narrow[-1].number

    def _forget_leaves_of(self, kind: RecordKind, before: datetime) -> None:
        after = 0
        while True:
            with self._database.read() as tx:
                old = chain.old_parts(tx, kind, before, after, most=PARTS_A_READ)
                gone = [
                    part.number
                    for part in old
                    if not rows_within(tx, part.kind, [(part.first_id, part.last_id)], most=1)
                ]
            if gone:
                self._writer.write(
                    partial(chain.forget_leaves, numbers=gone, kind=kind),
                    priority=Priority.HOUSEKEEPING,
                )
            if len(old) < PARTS_A_READ:
                return
            after = old[-1].number

    def checkpoint(self, sign: Callable[[bytes], bytes], public_key: bytes) -> Checkpoint | None:
        """Sign the chain's head, if it is new and the last checkpoint is old enough.

        Raises:
            Unavailable: The database did not answer.
        """
        with self._database.read() as tx:
            head, last = chain.head_of(tx), chain.last_checkpoint(tx)
        at = self._clock.now()
        if head.number == 0 or (last is not None and last.number >= head.number):
            return None
        if last is not None and last.at > instant_text(at - CHECKPOINT_AFTER):
            return None
        text = instant_text(at)
        made = Checkpoint(
            number=head.number,
            hash=head.hash.hex(),
            at=text,
            public_key=public_key.hex(),
            signature=sign(checkpoint_bytes(head.number, head.hash.hex(), text)).hex(),
        )
        is_new = self._writer.write(
            lambda tx: chain.put_checkpoint(tx, made), priority=Priority.HOUSEKEEPING
        )
        return made if is_new else None

    def _gather(self) -> bool:
        with self._database.read() as tx:
            if self._pending is None:
                self._pending = self._begin(tx)
            pending = self._pending
            waiting = {kind: newest_id(tx, kind) - pending.reached(kind) for kind in pending.kinds}
            self.backlog = sum(waiting.values())
            # What waits most comes first, or prices that never end would hold up all else.
            for kind in sorted(waiting, key=lambda kind: -waiting[kind]):
                gathered = pending.kinds[kind]
                rows = rows_after(tx, kind, pending.reached(kind), most=ROWS_A_READ)
                if rows:
                    self._take(tx, pending, gathered, rows)
                    if pending.full or pending.count() >= BLOCK_MOST:
                        pending.full = True
                        return True
                if len(rows) == ROWS_A_READ:
                    return True
        return False

    def _begin(self, tx: Connection) -> _Pending:
        pending = _Pending(
            head=chain.head_of(tx),
            sealed_to={kind: chain.sealed_to(tx, kind) for kind in RecordKind},
            gaps=chain.gaps_of(tx),
            since_s=self._clock.monotonic_s(),
            kinds={kind: _Gathered() for kind in RecordKind},
        )
        for kind in RecordKind:
            runs = [(gap.first_id, gap.last_id) for gap in pending.gaps if gap.kind is kind]
            late = rows_within(tx, kind, runs, most=ROWS_A_READ) if runs else []
            if late:
                gathered = pending.kinds[kind]
                self._take(tx, pending, gathered, late)
                gathered.late = list(gathered.ids)
        return pending

    def _take(
        self, tx: Connection, pending: _Pending, gathered: _Gathered, rows: list[Row]
    ) -> None:
        """Hash records; where the day changes, the block ends: what is pruned goes by days."""
        moments = moments_of(tx, rows)
        if not gathered.ids:
            gathered.oldest = gathered.newest = moments[0]
        day = gathered.newest[:_DAY_TEXT]
        taken = next((n for n, at in enumerate(moments) if at[:_DAY_TEXT] > day), len(rows))
        pending.full = pending.full or taken < len(rows)
        if taken:
            gathered.oldest = min(gathered.oldest, *moments[:taken])
            gathered.newest = max(gathered.newest, *moments[:taken])
            gathered.ids += [id_of(row) for row in rows[:taken]]
            gathered.leaves += [leaf_of(row) for row in rows[:taken]]

    def _write(self, pending: _Pending) -> None:
        at = self._clock.now()
        filled = [(kind, g) for kind, g in pending.kinds.items() if g.ids]
        block = write_block(
            pending.head.number + 1, instant_text(at), [_part(kind, g) for kind, g in filled]
        )
        digest = block_hash(pending.head.hash, block.content)
        kept = [b"".join(g.leaves) for _, g in filled]
        gaps = [] if self._database.is_sqlite else _gaps_left(pending, at)

        def work(tx: Connection) -> bool:
            is_first = chain.append_block(tx, block, digest, kept, at)
            if is_first and (gaps or pending.gaps):
                chain.put_gaps(tx, gaps)
            return is_first

        if self._writer.write(work, priority=Priority.HOUSEKEEPING):
            self.sealed += pending.count()


def _whole_leaves(tx: Connection, beside: StoredPart) -> bytes | None:
    """Hash the records of a part anew; None where they are not what was sealed."""
    [block] = chain.blocks_after(tx, beside.number - 1, most=1)
    part = next(one for one in read_block(block.content).parts if one.kind is beside.kind)
    rows = rows_within(tx, part.kind, part.runs, most=part.count, version=part.version)
    leaves = [leaf_of(row) for row in rows]
    if len(leaves) != part.count or tree_root(leaves).hex() != part.root:
        return None
    return b"".join(leaves)


def _part(kind: RecordKind, gathered: _Gathered) -> Part:
    return Part(
        kind=kind,
        version=VERSION,
        runs=runs_of(gathered.ids),
        count=len(gathered.ids),
        oldest=gathered.oldest,
        newest=gathered.newest,
        root=tree_root(gathered.leaves).hex(),
    )


def _gaps_left(pending: _Pending, at: datetime) -> list[Gap]:
    """Say which ids are still missing after a block, and may come yet."""
    left: list[Gap] = []
    for gap in pending.gaps:
        if at - gap.since > GAPS_KEPT:
            continue
        late = [n for n in pending.kinds[gap.kind].late if gap.first_id <= n <= gap.last_id]
        ends = (*runs_of(late), (gap.last_id + 1, gap.last_id + 1))
        left += [
            Gap(gap.kind, first, last, gap.since)
            for first, last in gaps_between(ends, gap.first_id - 1)
        ]
    for kind, gathered in pending.kinds.items():
        fresh = runs_of(gathered.ids[len(gathered.late) :])
        left += [
            Gap(kind, first, last, at)
            for first, last in gaps_between(fresh, pending.sealed_to[kind])
        ]
    return left[-GAPS_MOST:]
