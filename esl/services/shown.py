"""What a label showed at a moment: what it reported, what else may have hung, and since when.

::

    sent A      A reported        sent B              B reported
    ──┼─────────────┼───────────────┼──────────────────────┼────────────▶
      │  A or what  │   A, as it    │  A or B: nobody can  │  B, as it
      │  was before │   reported    │  say which           │  reported

A picture is on the glass at some moment between being sent and being reported: both are told,
and neither is called *the* moment. A picture that was sent and never reported may have shown too.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from esl.domain.chain import (
    HASH_BYTES,
    Checkpoint,
    RecordKind,
    read_block,
    tree_path,
)
from esl.domain.ids import LabelId
from esl.services.retention import HISTORY_KEPT
from esl.store import chain, shown_at
from esl.store.chain import StoredPart, in_runs
from esl.store.chain_records import VERSION, id_of, leaf_of, record_bytes, rows_between
from esl.store.published import KeptPayload, find_payload
from esl.store.shown_at import PriceThen, Reported, Told


class Certainty(StrEnum):
    """How much is known of a moment."""

    REPORTED = "reported"  #: the label had said so, and had been told nothing else since
    BETWEEN = "between"  #: it had been told something newer, and had not reported it
    UNKNOWN = "unknown"  #: it had said nothing yet, or what it said was pruned


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownThen:
    """What is known of a label at a moment."""

    label_id: LabelId
    at: datetime
    certainty: Certainty
    may_be_pruned: bool  # it is longer ago than the display log is kept
    reported: Reported | None = None
    told: Told | None = None  # how that was sent; None: pruned
    maybe: tuple[Told, ...] = ()  # sent since, and not reported by then
    following: Reported | None = None  # what it reported next
    following_told: Told | None = None
    prices: tuple[PriceThen, ...] = ()
    published: KeptPayload | None = None  # what told it to show it, as it was signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A record and its way to a checkpoint, as a stand-alone script follows it."""

    kind: RecordKind
    record_id: int
    record: str
    path: tuple[tuple[str, str], ...]
    block: int
    before: str  # hash of the block before it
    contents: tuple[str, ...]  # of its block, and of those up to the checkpoint
    checkpoint: Checkpoint | None  # None: it is sealed, and no checkpoint vouches for it yet


def shown_then(tx: Connection, label_id: LabelId, at: datetime, now: datetime) -> ShownThen:
    """Say what a label showed at a moment, as far as anybody can."""
    may_be_pruned = at < now - HISTORY_KEPT
    reported = shown_at.reported_by(tx, label_id, at)
    following = shown_at.reported_next(tx, label_id, at, after=reported)
    above = reported.rev + 1 if reported is not None else 0
    maybe = tuple(shown_at.told_since(tx, label_id, above, at))
    certainty = Certainty.BETWEEN if maybe else Certainty.REPORTED
    told = shown_at.told_as(tx, label_id, reported.rev) if reported is not None else None
    return ShownThen(
        label_id=label_id,
        at=at,
        certainty=certainty if reported is not None else Certainty.UNKNOWN,
        may_be_pruned=may_be_pruned,
        reported=reported,
        told=told,
        maybe=maybe,
        following=following,
        following_told=(
            shown_at.told_as(tx, label_id, following.rev) if following is not None else None
        ),
        prices=(
            tuple(shown_at.prices_then(tx, label_id, reported.rev)) if reported is not None else ()
        ),
        published=_published(tx, label_id, told, reported),
    )


def _published(
    tx: Connection, label_id: LabelId, told: Told | None, reported: Reported | None
) -> KeptPayload | None:
    """Find what told a label to show what it reported: sent between being issued and reported."""
    if told is None or reported is None or told.digest != reported.digest:
        return None
    return find_payload(
        tx,
        label_id,
        reported.rev,
        reported.digest,
        gateways=sorted({told.gateway_id, reported.gateway_id}),
        since=told.sent_at,
        until=reported.reported_at,
    )


def sealed_record(tx: Connection, kind: RecordKind, record_id: int) -> Sealed | None:
    """Find a record in the chain, with its way to the first checkpoint after it.

    None: it is not sealed yet, or it is gone.
    """
    for number in chain.numbers_around(tx, kind, record_id):
        [stored] = chain.blocks_after(tx, number - 1, most=1)
        block = read_block(stored.content)
        part = next(one for one in block.parts if one.kind is kind)
        if not in_runs(record_id, part.runs):
            continue
        beside = next(one for one in chain.parts_of(tx, number, number)[number] if one.kind is kind)
        ids = [one for first, last in part.runs for one in range(first, last + 1)]
        found = rows_between(tx, kind, part.version, record_id - 1, record_id, most=1)
        if not found:
            return None
        leaves = _leaves(tx, kind, part.version, beside, ids)
        checkpoint = next(iter(chain.checkpoints_from(tx, number, most=1)), None)
        last = checkpoint.number if checkpoint is not None else number
        blocks = chain.blocks_after(tx, number - 1, most=last - number + 1)
        return Sealed(
            kind=kind,
            record_id=record_id,
            record=record_bytes(found[0]).decode(),
            path=tuple(tree_path(leaves, ids.index(record_id))),
            block=number,
            before=chain.hash_before(tx, number),
            contents=tuple(one.content for one in blocks),
            checkpoint=checkpoint,
        )
    return None


def record_text(tx: Connection, kind: RecordKind, record_id: int) -> str:
    """Write a record as it is sealed, or will be."""
    [row] = rows_between(tx, kind, VERSION, record_id - 1, record_id, most=1)
    return record_bytes(row).decode()


def _leaves(
    tx: Connection, kind: RecordKind, version: int, beside: StoredPart, ids: list[int]
) -> list[bytes]:
    """Return the leaves of a block's part: kept whole, or made of its records again."""
    if beside.leaves is not None and beside.leaf_bytes == HASH_BYTES:
        return beside.each()
    wanted = frozenset(ids)
    rows = rows_between(tx, kind, version, ids[0] - 1, ids[-1], most=ids[-1] - ids[0] + 1)
    return [leaf_of(row) for row in rows if id_of(row) in wanted]
