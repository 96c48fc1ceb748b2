"""Cutting: blocks of the audit chain of which nothing is left go, and a signed cut stands for them.

::

    … 17 ─▶ [18 … 31 all forgotten] ─▶ 32 …      17 and 31 have checkpoints
    … 17 ─▶ cut {18 to 31, hash 17, hash 31} ─▶ 32 …

A block is bound to the hash before it, and a cut says that hash: so the chain goes on. The
installation's key signs it, so nobody who has the database alone can make one, and what was cut
was the chain: every hash of it is computed again before, and all that its blocks have sealed must
be as old as what is forgotten. Cuts that touch become one.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from esl.domain.chain import Cut, RecordKind, block_hash, cut_bytes, read_block
from esl.domain.clock import EffectiveClock
from esl.services.gone import gone_before
from esl.services.retention import HISTORY_KEPT
from esl.store import chain, cuts
from esl.store.columns import instant_text
from esl.store.cuts import Marked
from esl.store.database import Database
from esl.store.write_group import Priority, Writes

_CHECKPOINTS_A_LOOK: Final = 200

BLOCKS_A_CUT: Final = 300
"""Blocks that go in one transaction: with their parts about 1,000 rows, some milliseconds."""

Sign = Callable[[bytes], bytes]
IsTrustedCut = Callable[[Cut], bool]


class Cutting:
    """Cuts what is left of nothing; used by one thread at a time."""

    def __init__(
        self, *, database: Database, writer: Writes, clock: EffectiveClock, is_trusted: IsTrustedCut
    ) -> None:
        self._database = database
        self._writer = writer
        self._clock = clock
        self._is_trusted = is_trusted
        self._gone_before: dict[RecordKind, str] = {}

    def cut(self, sign: Sign, public_key: bytes, aged: datetime) -> int:
        """Go through all that is old enough, by how far history has aged; return what blocks went.

        Raises:
            Unavailable: The database did not answer; another time.
        """
        with self._database.read() as tx:
            self._gone_before = gone_before(tx, aged)
        gone = 0
        for after, marked in self._spans(aged - HISTORY_KEPT):
            gone += self._cut_span(after, marked, sign, public_key)
        return gone

    def _spans(self, before: datetime) -> Iterator[tuple[int, Marked]]:
        """Find runs of forgotten blocks: after which block each begins, and where it ends."""
        after = 0
        while True:
            with self._database.read() as tx:
                marked = cuts.old_checkpoints(
                    tx, instant_text(before), after, most=_CHECKPOINTS_A_LOOK
                )
                needed = cuts.blocks_needed(tx, after, marked[-1].number) if marked else []
                gone = cuts.cuts_of(tx, after=after, most=_CHECKPOINTS_A_LOOK + 1) if marked else []
            if not marked:
                return
            yield from _runs(after, marked, needed, {cut.last for cut in gone})
            if len(marked) < _CHECKPOINTS_A_LOOK:
                return
            after = marked[-1].number

    def _cut_span(self, after: int, end: Marked, sign: Sign, public_key: bytes) -> int:
        first, last, at = after + 1, end.number, instant_text(self._clock.now())
        with self._database.read() as tx:
            before = chain.hash_before(tx, first)
            blocks = chain.blocks_after(tx, after, most=last - after)
            beside = cuts.cuts_beside(tx, first, last)
        digest = bytes.fromhex(before)
        for number, block in enumerate(blocks, first):
            digest = block_hash(digest, block.content)
            if block.number != number or digest.hex() != block.hash:
                return 0  # who verifies the chain finds out; nothing stands for what is wrong
        if len(blocks) != last - after or digest.hex() != end.hash:
            return 0
        if not all(self._may_be_gone(block.content) for block in blocks):
            return 0  # it is missing, and nobody forgot it: the blocks say so
        if not all(self._is_trusted(cut) for cut in beside):
            return 0
        for cut in beside:
            if cut.last == after:
                first, before = cut.first, cut.hash_before
            else:
                last, digest = cut.last, bytes.fromhex(cut.hash)
        made = Cut(
            first=first,
            last=last,
            hash_before=before,
            hash=digest.hex(),
            at=at,
            public_key=public_key.hex(),
            signature=sign(cut_bytes(first, last, before, digest.hex(), at)).hex(),
        )
        work = partial(_put, cut=made, instead_of=beside, blocks=len(blocks))
        return len(blocks) if self._writer.write(work, priority=Priority.HOUSEKEEPING) else 0

    def _may_be_gone(self, content: str) -> bool:
        """Say whether all that a block has sealed is as old as what is forgotten.

        That no hashes are left of it proves nothing: they stand beside the chain, not in it.
        """
        parts = read_block(content).parts
        return all(part.newest < self._gone_before[part.kind] for part in parts)


def _put(tx: Connection, *, cut: Cut, instead_of: list[Cut], blocks: int) -> bool:
    return cuts.put_cut(tx, cut, instead_of=instead_of, blocks=blocks)


def _runs(
    after: int, marked: list[Marked], needed: list[int], cut_at: set[int]
) -> Iterator[tuple[int, Marked]]:
    """Join neighbouring stretches from checkpoint to checkpoint in which nothing is needed.

    A stretch that ends where a cut ends is that cut: its blocks went before.
    """
    place = 0
    begin: int | None = None
    end: Marked | None = None
    for one in marked:
        held = place
        while held < len(needed) and needed[held] <= one.number:
            held += 1
        is_free = held == place and one.number not in cut_at
        place = held
        if is_free and begin is not None and one.number - begin <= BLOCKS_A_CUT:
            end = one
        else:
            if begin is not None and end is not None:
                yield begin, end
            begin, end = (after, one) if is_free else (None, None)
        after = one.number
    if begin is not None and end is not None:
        yield begin, end
