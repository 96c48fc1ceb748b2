"""Verifying the audit chain: every block, every record that is left, every checkpoint.

The first thing that is wrong is named and ends the look: what comes after a break proves nothing.

============================== =========================================================
a record changed               its leaf, or its block's root, is another
a record gone                  unless its kind is pruned and it is old enough for that; of prices
                               and the audit, if the audit says that they were forgotten
a record put in between        no block holds its id; or one whose time is long past
blocks changed, gone, swapped  a hash does not follow from the one before
all hashed anew                a checkpoint, which needs the key, says another hash
the end cut off                a checkpoint says that there was more
blocks cut out                 unless a signed cut stands for them, from hash to hash
============================== =========================================================

What was not sealed yet is counted, not judged; but a record that says it is older than what was
sealed before it was put there later, and so was one that a block holds which is far older than what
the blocks before it hold: whoever can write into the database has the sealing seal what he likes.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from esl.domain.chain import (
    GENESIS,
    HASH_BYTES,
    Block,
    Checkpoint,
    Cut,
    Part,
    RecordKind,
    Run,
    block_hash,
    read_block,
    tree_root,
)
from esl.domain.published import split_leaves
from esl.services.gone import gone_before
from esl.services.unsealed import (
    LATE_MOST,
    WrongError,
    count_unsealed,
    earlier,
    name_of,
)
from esl.store import chain, cuts
from esl.store.chain import StoredBlock, StoredPart
from esl.store.chain_records import (
    NAMES,
    Row,
    id_of,
    is_plain,
    leaf_of,
    moments_of,
    rows_between,
)
from esl.store.database import Database
from esl.store.published import roots_and_leaves

_BLOCKS_A_READ: Final = 50
_ROWS_A_READ: Final = 2000
IsTrusted = Callable[[Checkpoint | Cut], bool]
"""Says whether a checkpoint or a cut was signed by a key of this installation."""


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What a look at the whole chain found; ``wrong`` names the first bad thing."""

    blocks: int = 0
    records: int = 0
    pruned: int = 0
    cut: int = 0  # blocks that a cut stands for; `blocks` counts them, too
    unsealed: int = 0
    checkpoints: int = 0
    checked_to: int = 0  # the last block that a checkpoint vouches for
    wrong: str | None = None


def verify_chain(
    database: Database,
    *,
    is_trusted: IsTrusted,
    now: datetime,
    outside: Sequence[Checkpoint] = (),
) -> Verdict:
    """Verify everything; ``outside`` are checkpoints that were kept elsewhere.

    Each part of the work is a short read, so it may run beside a busy controller.
    """
    verdict = Verdict()
    try:
        _verify(database, verdict, is_trusted, now, outside)
    except WrongError as exc:
        verdict.wrong = str(exc)
    return verdict


def _verify(
    database: Database,
    verdict: Verdict,
    is_trusted: IsTrusted,
    now: datetime,
    outside: Sequence[Checkpoint],
) -> None:
    with database.read() as tx:
        kept = {c.number: c for c in chain.checkpoints_from(tx, 0)}
        all_cuts = cuts.cuts_of(tx)
        may_be_missing = gone_before(tx, now)
    for cut in all_cuts:
        if not is_trusted(cut):
            raise WrongError(f"the cut of blocks {cut.first} to {cut.last}: not signed here")
    said: dict[int, list[Checkpoint]] = {}
    for checkpoint in (*outside, *kept.values()):
        if not is_trusted(checkpoint):
            raise WrongError(f"checkpoint {checkpoint.number}: not signed by this installation")
        said.setdefault(checkpoint.number, []).append(checkpoint)
    runs: dict[RecordKind, list[Run]] = {kind: [] for kind in RecordKind}
    newest: dict[RecordKind, str] = dict.fromkeys(RecordKind, "")
    before = GENESIS
    left = deque(all_cuts)
    for block, parts, tx in _blocks(database):
        before = _cross_cuts(left, verdict, before, said)
        number = verdict.blocks + 1
        before = _check_block(block, number, before, said.get(number, ()))
        content = _content(block)
        _check_parts(tx, content, parts, verdict, may_be_missing)
        for part in content.parts:
            _check_age(block.number, part, newest[part.kind])
            runs[part.kind] += part.runs
            newest[part.kind] = max(newest[part.kind], part.newest)
        verdict.blocks = number
    _cross_cuts(left, verdict, before, said)
    if left:
        raise WrongError(f"the cut of blocks {left[0].first} to {left[0].last} stands for others")
    known = [one for one in outside if not _is_inside(one, all_cuts)]
    _check_checkpoints(verdict, said, kept, known)
    with database.read() as tx:
        for kind in RecordKind:
            verdict.unsealed += count_unsealed(tx, kind, runs[kind], newest[kind], now)


def _cross_cuts(
    left: deque[Cut], verdict: Verdict, before: bytes, said: Mapping[int, Sequence[Checkpoint]]
) -> bytes:
    """Go over the cuts that begin here, to the hash that the next block follows."""
    while left and left[0].first == verdict.blocks + 1:
        cut = left.popleft()
        whose = f"the cut of blocks {cut.first} to {cut.last}"
        if cut.hash_before != before.hex():
            raise WrongError(f"{whose}: it does not follow from the block before it")
        if any(checkpoint.hash != cut.hash for checkpoint in said.get(cut.last, ())):
            raise WrongError(f"{whose}: a signed checkpoint says another hash")
        before = bytes.fromhex(cut.hash)
        verdict.cut += cut.last - cut.first + 1
        verdict.blocks = cut.last
    return before


def _is_inside(checkpoint: Checkpoint, all_cuts: Sequence[Cut]) -> bool:
    """Say whether a cut stands for a checkpoint's block: its hash can no more be computed."""
    place = bisect_right(all_cuts, checkpoint.number, key=lambda cut: cut.first) - 1
    return place >= 0 and checkpoint.number < all_cuts[place].last


def _blocks(
    database: Database,
) -> Iterator[tuple[StoredBlock, list[StoredPart], Connection]]:
    after = 0
    while True:
        with database.read() as tx:
            some = chain.blocks_after(tx, after, most=_BLOCKS_A_READ)
            if not some:
                return
            parts = chain.parts_of(tx, some[0].number, some[-1].number)
            for block in some:
                yield block, parts.get(block.number, []), tx
        after = some[-1].number


def _check_block(
    block: StoredBlock, number: int, before: bytes, said: Iterable[Checkpoint]
) -> bytes:
    if block.number != number:
        raise WrongError(f"block {number} is missing")
    digest = block_hash(before, block.content)
    for checkpoint in said:
        if checkpoint.hash != digest.hex():
            raise WrongError(
                f"block {number}: a signed checkpoint of {checkpoint.at} UTC says another hash;"
                f" this block or one before it was changed"
            )
    if digest.hex() != block.hash:
        raise WrongError(f"block {number}: its hash does not follow from the block before it")
    return digest


def _content(block: StoredBlock) -> Block:
    try:
        content = read_block(block.content)
    except ValueError:
        raise WrongError(f"block {block.number}: its content cannot be read") from None
    if content.number != block.number:
        raise WrongError(f"block {block.number}: it says that it is block {content.number}")
    return content


def _check_age(number: int, part: Part, newest: str) -> None:
    if newest and part.oldest < earlier(newest, LATE_MOST):
        raise WrongError(
            f"block {number}: of what it holds, {NAMES[part.kind]} {part.runs[0][0]} to"
            f" {part.runs[-1][1]}, some says {part.oldest} UTC; it was put there later, for blocks"
            f" before hold what was written by {newest} UTC"
        )


def _check_parts(
    tx: Connection,
    block: Block,
    stored: Sequence[StoredPart],
    verdict: Verdict,
    may_be_missing: Mapping[RecordKind, str],
) -> None:
    by_kind = {part.kind: part for part in stored}
    if [part.kind for part in stored] != [part.kind for part in block.parts]:
        raise WrongError(f"block {block.number}: what it sealed is not noted beside it as it says")
    for part in block.parts:
        beside = by_kind[part.kind]
        if (beside.first_id, beside.last_id) != (part.runs[0][0], part.runs[-1][1]):
            raise WrongError(f"block {block.number}: the ids noted beside it are not its own")
        rows = {id_of(row): row for row in _rows_of(tx, part)}
        for record_id, row in rows.items():
            if not is_plain(row):
                raise WrongError(
                    f"{name_of(part.kind, record_id)}: it holds what records never hold"
                )
        if not all(part.oldest <= at <= part.newest for at in moments_of(tx, list(rows.values()))):
            raise WrongError(f"block {block.number}: it says another time than its records say")
        verdict.records += len(rows)
        if part.kind is RecordKind.PUBLISHED:
            _check_leaves(tx, part)
        if beside.leaf_bytes == HASH_BYTES:
            may_be_gone = part.oldest < may_be_missing[part.kind]
            _check_pruned(block, part, beside, rows, verdict, may_be_gone=may_be_gone)
        else:
            _check_kept(block, part, beside, rows)


def _check_kept(block: Block, part: Part, beside: StoredPart, rows: Mapping[int, Row]) -> None:
    """Check records of which all must be there: their hashes are kept in part only."""
    leaves: list[bytes] = []
    noted, width = beside.each(), beside.leaf_bytes
    for place, record_id in enumerate(_ids(part)):
        row = rows.get(record_id)
        if row is None:
            raise WrongError(f"{name_of(part.kind, record_id)}: it is missing")
        leaf = leaf_of(row)
        if noted[place : place + 1] != [leaf[:width]]:
            whose = name_of(part.kind, record_id)
            raise WrongError(f"{whose}: it is not what block {block.number} sealed")
        leaves.append(leaf)
    if len(noted) != len(leaves) or tree_root(leaves).hex() != part.root:
        first, last = part.runs[0][0], part.runs[-1][1]
        raise WrongError(
            f"block {block.number}: one of its {NAMES[part.kind]} {first} to {last} was changed"
        )


def _check_leaves(tx: Connection, part: Part) -> None:
    """Look whether the pictures noted beside payloads are those under their roots."""
    for first, last in part.runs:
        for one, root, leaves in roots_and_leaves(tx, first, last):
            if not leaves or tree_root(split_leaves(leaves)).hex() != root:
                raise WrongError(f"{name_of(part.kind, one)}: its leaves are not under its root")


def _check_pruned(
    block: Block,
    part: Part,
    beside: StoredPart,
    rows: Mapping[int, Row],
    verdict: Verdict,
    *,
    may_be_gone: bool,
) -> None:
    if beside.leaves is None:
        if rows or not may_be_gone:
            raise WrongError(
                f"block {block.number}: the hashes of its {NAMES[part.kind]} are missing"
            )
        verdict.pruned += part.count
        return
    leaves = beside.each()
    is_noted_well = len(leaves) == part.count and tree_root(leaves).hex() == part.root
    for place, record_id in enumerate(_ids(part)):
        row = rows.get(record_id)
        if row is None and not may_be_gone:
            raise WrongError(f"{name_of(part.kind, record_id)}: it is missing")
        if row is None:
            verdict.pruned += 1
        elif is_noted_well and leaf_of(row) != leaves[place]:
            whose = name_of(part.kind, record_id)
            raise WrongError(f"{whose}: it is not what block {block.number} sealed")
    if not is_noted_well:
        raise WrongError(f"block {block.number}: the hashes of its {NAMES[part.kind]} were changed")


def _check_checkpoints(
    verdict: Verdict,
    said: Mapping[int, Sequence[Checkpoint]],
    kept: Mapping[int, Checkpoint],
    outside: Sequence[Checkpoint],
) -> None:
    verdict.checkpoints = len(said)
    verdict.checked_to = max(said, default=0)
    if verdict.checked_to > verdict.blocks:
        raise WrongError(
            f"block {verdict.blocks + 1} is missing: a signed checkpoint says that there were"
            f" {verdict.checked_to}"
        )
    for checkpoint in sorted(outside, key=lambda one: one.number):
        if kept.get(checkpoint.number) != checkpoint:
            raise WrongError(f"checkpoint {checkpoint.number}: it is gone from the database")
    if verdict.blocks and not said:
        raise WrongError("no checkpoint vouches for the chain: the whole of it may be another")


def _rows_of(tx: Connection, part: Part) -> Iterator[Row]:
    for first, last in part.runs:
        after = first - 1
        while rows := rows_between(tx, part.kind, part.version, after, last, most=_ROWS_A_READ):
            yield from rows
            after = id_of(rows[-1])


def _ids(part: Part) -> Iterator[int]:
    for first, last in part.runs:
        yield from range(first, last + 1)
