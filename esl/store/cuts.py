"""Blocks of the audit chain of which nothing is left, and the signed cuts that stand for them.

A cut runs from checkpoint to checkpoint. So every block that stays has its whole way to its next
checkpoint, and a proof needs nothing that is gone.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from esl.domain.chain import Cut, RecordKind
from esl.store.chain import StoredPart
from esl.store.tables import audit_blocks, audit_checkpoints, audit_cuts, audit_parts

_NARROW: Final = 8


class Marked(NamedTuple):
    """A block with a checkpoint."""

    number: int
    hash: str


def cuts_of(tx: Connection, *, after: int = 0, most: int | None = None) -> list[Cut]:
    """List cuts by the blocks that they stand for, those that end after a block."""
    query = (
        select(audit_cuts)
        .where(audit_cuts.c.last_number > after)
        .order_by(audit_cuts.c.first_number)
        .limit(most)
    )
    return [
        Cut(
            first=int(row.first_number),
            last=int(row.last_number),
            hash_before=row.hash_before,
            hash=row.hash,
            at=row.at,
            public_key=row.public_key,
            signature=row.signature,
        )
        for row in tx.execute(query)
    ]


def cuts_beside(tx: Connection, first: int, last: int) -> list[Cut]:
    """List the cuts that end right before a block, and begin right after another."""
    query = select(audit_cuts.c.last_number).where(
        or_(audit_cuts.c.last_number == first - 1, audit_cuts.c.first_number == last + 1)
    )
    ends = [int(end) for end in tx.execute(query).scalars()]
    return [cut for end in sorted(ends) for cut in cuts_of(tx, after=end - 1, most=1)]


def old_checkpoints(tx: Connection, before: str, after: int, *, most: int) -> list[Marked]:
    """List the next blocks with a checkpoint from before an instant, as texts of both."""
    query = (
        select(audit_checkpoints.c.number, audit_checkpoints.c.hash)
        .where(audit_checkpoints.c.number > after, audit_checkpoints.c.at < before)
        .order_by(audit_checkpoints.c.number)
        .limit(most)
    )
    return [Marked(int(row.number), row.hash) for row in tx.execute(query)]


def blocks_needed(tx: Connection, after: int, last: int) -> list[int]:
    """Name blocks of which something is left, or that say how far a kind is sealed."""
    newest = [
        select(func.max(audit_parts.c.number)).where(audit_parts.c.kind == kind).scalar_subquery()
        for kind in RecordKind
    ]
    query = (
        select(audit_parts.c.number)
        .where(
            audit_parts.c.number > after,
            audit_parts.c.number <= last,
            or_(audit_parts.c.leaves.is_not(None), *(audit_parts.c.number == n for n in newest)),
        )
        .distinct()
        .order_by(audit_parts.c.number)
    )
    return [int(number) for number in tx.execute(query).scalars()]


def put_cut(tx: Connection, cut: Cut, *, instead_of: Sequence[Cut], blocks: int) -> bool:
    """Let a cut stand for so many blocks and for smaller cuts; False if they are not all there."""
    inside = audit_blocks.c.number.between(cut.first, cut.last)
    held = tx.execute(select(audit_blocks.c.number).where(inside).with_for_update()).all()
    if len(held) != blocks:
        return False
    tx.execute(
        insert(audit_cuts).values(
            first_number=cut.first,
            last_number=cut.last,
            hash_before=cut.hash_before,
            hash=cut.hash,
            at=cut.at,
            public_key=cut.public_key,
            signature=cut.signature,
        )
    )
    for one in instead_of:
        tx.execute(
            delete(audit_cuts).where(
                audit_cuts.c.first_number == one.first, audit_cuts.c.last_number == one.last
            )
        )
    tx.execute(delete(audit_parts).where(audit_parts.c.number.between(cut.first, cut.last)))
    tx.execute(delete(audit_blocks).where(inside))
    tx.execute(
        delete(audit_checkpoints).where(
            audit_checkpoints.c.number >= cut.first, audit_checkpoints.c.number < cut.last
        )
    )
    return True


def narrow_parts(tx: Connection, after: int, *, most: int) -> list[StoredPart]:
    """List the next parts of which only the first bytes of each hash are kept."""
    query = (
        select(audit_parts)
        .where(audit_parts.c.leaf_bytes == _NARROW, audit_parts.c.number > after)
        .order_by(audit_parts.c.number)
        .limit(most)
    )
    return [
        StoredPart(
            number=int(row.number),
            kind=RecordKind(row.kind),
            first_id=int(row.first_id),
            last_id=int(row.last_id),
            leaves=row.leaves,
            leaf_bytes=_NARROW,
        )
        for row in tx.execute(query)
    ]


def widen_part(tx: Connection, number: int, kind: RecordKind, leaves: bytes) -> None:
    """Keep whole hashes from now on."""
    tx.execute(
        update(audit_parts)
        .where(audit_parts.c.number == number, audit_parts.c.kind == kind)
        .values(leaves=leaves, leaf_bytes=32)
    )
