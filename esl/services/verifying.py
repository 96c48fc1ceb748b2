"""Verifying the audit chain: every block, every record that is left, every checkpoint.

The first thing that is wrong is named and ends the look: what comes after a break proves nothing.

============================== =========================================================
a record changed               its leaf, or its block's root, is another
a record gone                  unless its kind is pruned and it is old enough for that
a record put in between        no block holds its id; or one whose time is long past
blocks changed, gone, swapped  a hash does not follow from the one before
all hashed anew                a checkpoint, which needs the key, says another hash
the end cut off                a checkpoint says that there was more
============================== =========================================================

What was not sealed yet is counted, not judged; but a record that says it is older than what was
sealed before it was put there later, and so was one that a block holds which is far older than what
the blocks before it hold: whoever can write into the database has the sealing seal what he likes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from esl.domain.chain import (
    GENESIS,
    PRUNED_KINDS,
    Block,
    Checkpoint,
    Part,
    RecordKind,
    Run,
    block_hash,
    gaps_between,
    read_block,
    tree_root,
)
from esl.domain.published import split_leaves
from esl.services.retention import HISTORY_KEPT
from esl.store import chain
from esl.store.chain import LEAF_KEPT, Gap, StoredBlock, StoredPart
from esl.store.chain_records import (
    NAMES,
    Row,
    id_of,
    is_plain,
    leaf_of,
    moments_of,
    rows_after,
    rows_between,
    rows_within,
)
from esl.store.columns import instant_text
from esl.store.database import Database
from esl.store.published import roots_and_leaves

_BLOCKS_A_READ: Final = 50
_ROWS_A_READ: Final = 2000
_SLACK: Final = timedelta(hours=1)

_LATE_MOST: Final = timedelta(hours=25)
"""How much older than what was sealed before a record may be: clocks of several machines may differ
by a day before they are held, and a transaction ends within the hour."""

IsTrusted = Callable[[Checkpoint], bool]
"""Says whether a checkpoint was signed by a key of this installation."""


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What a look at the whole chain found; ``wrong`` names the first bad thing."""

    blocks: int = 0
    records: int = 0
    pruned: int = 0
    unsealed: int = 0
    checkpoints: int = 0
    checked_to: int = 0  # the last block that a checkpoint vouches for
    wrong: str | None = None


class _BadError(Exception):
    """Something is wrong; ends the look."""


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
    except _BadError as exc:
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
    said: dict[int, list[Checkpoint]] = {}
    for checkpoint in (*outside, *kept.values()):
        if not is_trusted(checkpoint):
            raise _BadError(f"checkpoint {checkpoint.number}: not signed by this installation")
        said.setdefault(checkpoint.number, []).append(checkpoint)
    runs: dict[RecordKind, list[Run]] = {kind: [] for kind in RecordKind}
    newest: dict[RecordKind, str] = dict.fromkeys(RecordKind, "")
    before = GENESIS
    for number, (block, parts, tx) in enumerate(_blocks(database), 1):
        before = _check_block(block, number, before, said.get(number, ()))
        content = _content(block)
        _check_parts(tx, content, parts, verdict, now)
        for part in content.parts:
            _check_age(block.number, part, newest[part.kind])
            runs[part.kind] += part.runs
            newest[part.kind] = max(newest[part.kind], part.newest)
        verdict.blocks = number
    _check_checkpoints(verdict, said, kept, outside)
    with database.read() as tx:
        for kind in RecordKind:
            _check_between(tx, kind, runs[kind], verdict, newest[kind], now)


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
        raise _BadError(f"block {number} is missing")
    digest = block_hash(before, block.content)
    for checkpoint in said:
        if checkpoint.hash != digest.hex():
            raise _BadError(
                f"block {number}: a signed checkpoint of {checkpoint.at} UTC says another hash;"
                f" this block or one before it was changed"
            )
    if digest.hex() != block.hash:
        raise _BadError(f"block {number}: its hash does not follow from the block before it")
    return digest


def _content(block: StoredBlock) -> Block:
    try:
        content = read_block(block.content)
    except ValueError:
        raise _BadError(f"block {block.number}: its content cannot be read") from None
    if content.number != block.number:
        raise _BadError(f"block {block.number}: it says that it is block {content.number}")
    return content


def _check_age(number: int, part: Part, newest: str) -> None:
    if newest and part.oldest < _earlier(newest, _LATE_MOST):
        raise _BadError(
            f"block {number}: of what it holds, {NAMES[part.kind]} {part.runs[0][0]} to"
            f" {part.runs[-1][1]}, some says {part.oldest} UTC; it was put there later, for blocks"
            f" before hold what was written by {newest} UTC"
        )


def _check_parts(
    tx: Connection, block: Block, stored: Sequence[StoredPart], verdict: Verdict, now: datetime
) -> None:
    by_kind = {part.kind: part for part in stored}
    if [part.kind for part in stored] != [part.kind for part in block.parts]:
        raise _BadError(f"block {block.number}: what it sealed is not noted beside it as it says")
    for part in block.parts:
        beside = by_kind[part.kind]
        if (beside.first_id, beside.last_id) != (part.runs[0][0], part.runs[-1][1]):
            raise _BadError(f"block {block.number}: the ids noted beside it are not its own")
        rows = {id_of(row): row for row in _rows_of(tx, part)}
        for record_id, row in rows.items():
            if not is_plain(row):
                raise _BadError(f"{_name(part.kind, record_id)}: it holds what records never hold")
        if not all(part.oldest <= at <= part.newest for at in moments_of(tx, list(rows.values()))):
            raise _BadError(f"block {block.number}: it says another time than its records say")
        verdict.records += len(rows)
        if part.kind is RecordKind.PUBLISHED:
            _check_leaves(tx, part)
        if part.kind in PRUNED_KINDS:
            _check_pruned(block, part, beside, rows, verdict, now)
        else:
            _check_kept(block, part, beside, rows)


def _check_kept(block: Block, part: Part, beside: StoredPart, rows: Mapping[int, Row]) -> None:
    width = LEAF_KEPT[part.kind]
    leaves: list[bytes] = []
    noted = beside.leaves or b""
    for place, record_id in enumerate(_ids(part)):
        row = rows.get(record_id)
        if row is None:
            raise _BadError(f"{_name(part.kind, record_id)}: it is missing")
        leaf = leaf_of(row)
        if leaf[:width] != noted[place * width : (place + 1) * width]:
            whose = _name(part.kind, record_id)
            raise _BadError(f"{whose}: it is not what block {block.number} sealed")
        leaves.append(leaf)
    if len(noted) != width * len(leaves) or tree_root(leaves).hex() != part.root:
        first, last = part.runs[0][0], part.runs[-1][1]
        raise _BadError(
            f"block {block.number}: one of its {NAMES[part.kind]} {first} to {last} was changed"
        )


def _check_leaves(tx: Connection, part: Part) -> None:
    """Look whether the pictures noted beside payloads are those under their roots."""
    for first, last in part.runs:
        for one, root, leaves in roots_and_leaves(tx, first, last):
            if not leaves or tree_root(split_leaves(leaves)).hex() != root:
                raise _BadError(f"{_name(part.kind, one)}: its leaves are not under its root")


def _check_pruned(
    block: Block,
    part: Part,
    beside: StoredPart,
    rows: Mapping[int, Row],
    verdict: Verdict,
    now: datetime,
) -> None:
    may_be_gone = part.oldest < instant_text(now - HISTORY_KEPT)
    if beside.leaves is None:
        if rows or not may_be_gone:
            raise _BadError(
                f"block {block.number}: the hashes of its {NAMES[part.kind]} are missing"
            )
        verdict.pruned += part.count
        return
    width = LEAF_KEPT[part.kind]
    leaves = [beside.leaves[n : n + width] for n in range(0, len(beside.leaves), width)]
    is_noted_well = len(leaves) == part.count and tree_root(leaves).hex() == part.root
    for place, record_id in enumerate(_ids(part)):
        row = rows.get(record_id)
        if row is None and not may_be_gone:
            raise _BadError(f"{_name(part.kind, record_id)}: it is missing")
        if row is None:
            verdict.pruned += 1
        elif is_noted_well and leaf_of(row) != leaves[place]:
            whose = _name(part.kind, record_id)
            raise _BadError(f"{whose}: it is not what block {block.number} sealed")
    if not is_noted_well:
        raise _BadError(f"block {block.number}: the hashes of its {NAMES[part.kind]} were changed")


def _check_checkpoints(
    verdict: Verdict,
    said: Mapping[int, Sequence[Checkpoint]],
    kept: Mapping[int, Checkpoint],
    outside: Sequence[Checkpoint],
) -> None:
    verdict.checkpoints = len(said)
    verdict.checked_to = max(said, default=0)
    if verdict.checked_to > verdict.blocks:
        raise _BadError(
            f"block {verdict.blocks + 1} is missing: a signed checkpoint says that there were"
            f" {verdict.checked_to}"
        )
    for checkpoint in sorted(outside, key=lambda one: one.number):
        if kept.get(checkpoint.number) != checkpoint:
            raise _BadError(f"checkpoint {checkpoint.number}: it is gone from the database")
    if verdict.blocks and not said:
        raise _BadError("no checkpoint vouches for the chain: the whole of it may be another")


def _check_between(
    tx: Connection,
    kind: RecordKind,
    sealed: Sequence[Run],
    verdict: Verdict,
    newest: str,
    now: datetime,
) -> None:
    """Look for records that no block holds."""
    runs = _merged(sealed)
    to = runs[-1][1] if runs else 0
    late = [gap for gap in _gaps(tx, now) if gap.kind is kind]
    holes = [(-(2**62), runs[0][0] - 1), *gaps_between(runs, runs[0][0] - 1)] if runs else []
    for start in range(0, len(holes), _ROWS_A_READ):
        found = rows_within(tx, kind, holes[start : start + _ROWS_A_READ], most=10**9)
        for row, at in zip(found, moments_of(tx, found), strict=True):
            one = id_of(row)
            if not any(_may_fill(gap, one, at) for gap in late):
                raise _BadError(f"{_name(kind, one)}: no block sealed it; it was put there later")
            verdict.unsealed += 1
    earliest = _earlier(newest, _SLACK) if newest else ""
    latest = instant_text(now + _SLACK)
    while rows := rows_after(tx, kind, to, most=_ROWS_A_READ):
        for row, at in zip(rows, moments_of(tx, rows), strict=True):
            if not earliest <= at <= latest:
                whose = _name(kind, id_of(row))
                raise _BadError(f"{whose}: it says {at} UTC, but no block of that time sealed it")
        verdict.unsealed += len(rows)
        to = id_of(rows[-1])


def _gaps(tx: Connection, now: datetime) -> list[Gap]:
    """Return the gaps that may be filled yet: on SQLite there are none, whatever is noted."""
    if tx.dialect.name == "sqlite":
        return []
    return [gap for gap in chain.gaps_of(tx) if now - _LATE_MOST <= gap.since <= now + _SLACK]


def _may_fill(gap: Gap, record_id: int, at: str) -> bool:
    is_in_it = gap.first_id <= record_id <= gap.last_id
    return is_in_it and at >= instant_text(gap.since - _LATE_MOST)


def _earlier(text: str, by: timedelta) -> str:
    return instant_text(datetime.fromisoformat(text + "+00:00") - by)


def _rows_of(tx: Connection, part: Part) -> Iterator[Row]:
    for first, last in part.runs:
        after = first - 1
        while rows := rows_between(tx, part.kind, part.version, after, last, most=_ROWS_A_READ):
            yield from rows
            after = id_of(rows[-1])


def _ids(part: Part) -> Iterator[int]:
    for first, last in part.runs:
        yield from range(first, last + 1)


def _merged(runs: Sequence[Run]) -> list[Run]:
    merged: list[Run] = []
    for first, last in sorted(runs):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _name(kind: RecordKind, record_id: int) -> str:
    return f"{NAMES[kind]} {record_id}"
