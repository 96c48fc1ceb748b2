"""The audit chain in the database: its head, its blocks and where each record is sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, Table, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from esl.domain.chain import GENESIS, HASH_BYTES, Block, Checkpoint, RecordKind, Run
from esl.store.tables import audit_blocks, audit_checkpoints, audit_cuts, audit_gaps, audit_parts

GAPS_MOST: Final = 500


class Head(NamedTuple):
    """How far the chain has come."""

    number: int  # 0: nothing is sealed
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlock:
    """A block as it is kept."""

    number: int
    content: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """What is kept beside a block of one kind of record."""

    number: int
    kind: RecordKind
    first_id: int
    last_id: int
    leaves: bytes | None
    leaf_bytes: int = HASH_BYTES

    def each(self) -> list[bytes]:
        """Return the hashes one by one."""
        whole, width = self.leaves or b"", self.leaf_bytes
        return [whole[n : n + width] for n in range(0, len(whole), width)]


class Gap(NamedTuple):
    """Ids that nobody had when those after them were sealed; PostgreSQL may fill them yet."""

    kind: RecordKind
    first_id: int
    last_id: int
    since: datetime


def head_of(tx: Connection) -> Head:
    """Return the last block's number and hash."""
    query = select(audit_blocks.c.number, audit_blocks.c.hash)
    row = tx.execute(query.order_by(audit_blocks.c.number.desc()).limit(1)).one_or_none()
    return Head(int(row.number), bytes.fromhex(row.hash)) if row is not None else Head(0, GENESIS)


def sealed_to(tx: Connection, kind: RecordKind) -> int:
    """Return the highest id of a kind that is sealed."""
    query = select(audit_parts.c.last_id).where(audit_parts.c.kind == kind)
    return (
        tx.execute(query.order_by(audit_parts.c.last_id.desc()).limit(1)).scalar_one_or_none() or 0
    )


def append_block(
    tx: Connection, block: Block, block_hash: bytes, leaves: Sequence[bytes], at: datetime
) -> bool:
    """Write a block and the leaves of each of its parts; False if another was first."""
    values = {
        "number": block.number,
        "content": block.content,
        "hash": block_hash.hex(),
        "sealed_at": at,
    }
    if not _insert_new(tx, audit_blocks, values):
        return False
    for part, kept in zip(block.parts, leaves, strict=True):
        tx.execute(
            insert(audit_parts).values(
                number=block.number,
                kind=part.kind,
                first_id=part.runs[0][0],
                last_id=part.runs[-1][1],
                leaves=kept,
            )
        )
    return True


def blocks_after(tx: Connection, number: int, *, most: int) -> list[StoredBlock]:
    """Load the next blocks."""
    query = select(audit_blocks).where(audit_blocks.c.number > number)
    return [
        StoredBlock(number=int(row.number), content=row.content, hash=row.hash)
        for row in tx.execute(query.order_by(audit_blocks.c.number).limit(most))
    ]


def hash_before(tx: Connection, number: int) -> str:
    """Return the hash that a block follows: of the block before it, or of a cut that ends there."""
    if number == 1:
        return GENESIS.hex()
    ends = number - 1
    block = select(audit_blocks.c.hash).where(audit_blocks.c.number == ends)
    cut = select(audit_cuts.c.hash).where(audit_cuts.c.last_number == ends)
    found = tx.execute(block).scalar_one_or_none() or tx.execute(cut).scalar_one()
    return str(found)


def parts_of(tx: Connection, first: int, last: int) -> dict[int, list[StoredPart]]:
    """Load what is kept beside blocks, by their numbers, in the order of kinds."""
    query = select(audit_parts).where(audit_parts.c.number.between(first, last))
    found: dict[int, list[StoredPart]] = {}
    for row in tx.execute(query.order_by(audit_parts.c.number, audit_parts.c.kind)):
        part = StoredPart(
            number=int(row.number),
            kind=RecordKind(row.kind),
            first_id=int(row.first_id),
            last_id=int(row.last_id),
            leaves=bytes(row.leaves) if row.leaves is not None else None,
            leaf_bytes=int(row.leaf_bytes),
        )
        found.setdefault(part.number, []).append(part)
    return found


def numbers_around(tx: Connection, kind: RecordKind, record_id: int) -> list[int]:
    """Name the blocks that may have sealed a record: it lies between their ids."""
    query = select(audit_parts.c.number).where(
        audit_parts.c.kind == kind,
        audit_parts.c.last_id >= record_id,
        audit_parts.c.first_id <= record_id,
    )
    return [int(number) for number in tx.scalars(query.order_by(audit_parts.c.number))]


def gaps_of(tx: Connection) -> list[Gap]:
    """List the gaps that may be filled yet, the newest first."""
    query = select(audit_gaps).order_by(audit_gaps.c.since.desc()).limit(GAPS_MOST)
    return [
        Gap(RecordKind(row.kind), int(row.first_id), int(row.last_id), row.since)
        for row in tx.execute(query)
    ]


def put_gaps(tx: Connection, gaps: Sequence[Gap]) -> None:
    """Replace the gaps."""
    tx.execute(delete(audit_gaps))
    if gaps:
        tx.execute(insert(audit_gaps), [gap._asdict() for gap in gaps])


def put_checkpoint(tx: Connection, checkpoint: Checkpoint) -> bool:
    """Keep a checkpoint; False if its block has one."""
    return _insert_new(
        tx,
        audit_checkpoints,
        {
            "number": checkpoint.number,
            "hash": checkpoint.hash,
            "at": checkpoint.at,
            "public_key": checkpoint.public_key,
            "signature": checkpoint.signature,
        },
    )


def checkpoints_from(tx: Connection, number: int, *, most: int | None = None) -> list[Checkpoint]:
    """List checkpoints, the first of which is of this block or a later one."""
    query = select(audit_checkpoints).where(audit_checkpoints.c.number >= number)
    return [
        Checkpoint(
            number=int(row.number),
            hash=row.hash,
            at=row.at,
            public_key=row.public_key,
            signature=row.signature,
        )
        for row in tx.execute(query.order_by(audit_checkpoints.c.number).limit(most))
    ]


def last_checkpoint(tx: Connection) -> Checkpoint | None:
    """Return the newest checkpoint."""
    query = select(audit_checkpoints.c.number).order_by(audit_checkpoints.c.number.desc()).limit(1)
    number = tx.execute(query).scalar_one_or_none()
    return checkpoints_from(tx, number)[0] if number is not None else None


def old_parts(
    tx: Connection, kind: RecordKind, before: datetime, after: int, *, most: int
) -> list[StoredPart]:
    """List the parts of a kind that are old enough to be pruned and still keep leaves."""
    query = (
        select(audit_parts)
        .join(audit_blocks, audit_blocks.c.number == audit_parts.c.number)
        .where(
            audit_parts.c.kind == kind,
            audit_parts.c.number > after,
            audit_parts.c.leaves.is_not(None),
            audit_blocks.c.sealed_at < before,
        )
        .order_by(audit_parts.c.number)
        .limit(most)
    )
    return [
        StoredPart(
            number=int(row.number),
            kind=RecordKind(row.kind),
            first_id=int(row.first_id),
            last_id=int(row.last_id),
            leaves=None,
        )
        for row in tx.execute(query)
    ]


def forget_leaves(tx: Connection, numbers: Sequence[int], kind: RecordKind) -> None:
    """Let the leaves of parts go, none of whose records is left."""
    tx.execute(
        update(audit_parts)
        .where(audit_parts.c.number.in_(numbers), audit_parts.c.kind == kind)
        .values(leaves=None)
    )


def in_runs(record_id: int, runs: Sequence[Run]) -> bool:
    """Say whether an id lies in runs."""
    return any(first <= record_id <= last for first, last in runs)


def _insert_new(tx: Connection, table: Table, values: dict[str, object]) -> bool:
    """Insert a row unless its key is taken; say whether it was not."""
    made = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    statement = made(table).values(**values).on_conflict_do_nothing()
    found = tx.execute(statement.returning(table.c.number))
    return found.one_or_none() is not None
