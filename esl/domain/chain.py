"""The audit chain: what was written down is sealed in blocks, each bound to the one before.

::

    records ─▶ leaf = SHA256(0x00 ‖ record)
               node = SHA256(0x01 ‖ left ‖ right)           a tree for each kind (RFC 6962, 2.1)
    block n ─▶ content = [n, time, [[kind, version, runs, count, oldest, newest, root], …]]
               hash n  = SHA256(0x01 ‖ hash n-1 ‖ content)
    sometimes ─▶ checkpoint = {n, hash n, time}, signed with the installation's Ed25519 key
    in time   ─▶ cut = {first, last, hash before, hash last, time}, signed: stands for blocks gone

Records and contents are compact JSON of whole numbers, texts and nulls, so that there is one way
to write each. ``runs`` are the ids of the records, first and last of each row of neighbours. One
record is proven by its path up the tree, the content of its block, and those up to a checkpoint.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Any, Final

HASH_BYTES: Final = 32
GENESIS: Final = bytes(HASH_BYTES)
"""What stands before the first block."""

CUT_TITLE: Final = "esl audit cut 1"
CHECKPOINT_TITLE: Final = "esl audit checkpoint 1"
"""First lines of what is signed: no payload for a gateway begins so, nor anything else we sign."""

PART_MOST: Final = 1_000_000
"""Records of a part: far more than are ever sealed at once; a forged block shall not hold us up."""

Run = tuple[int, int]


class RecordKind(IntEnum):
    """What is sealed. The numbers stand in the chain and never change."""

    AUDIT = 1  #: who did what, and why
    PRICE = 2  #: what every price was
    DISPLAY = 3  #: what labels said they show
    PUBLISHED = 4  #: what was signed of payloads that told labels to show it


NOTED_KINDS: Final = (RecordKind.AUDIT, RecordKind.PRICE)
"""Records that the shop keeps as long as it likes: how far they are forgotten is noted, and sealed.
The others are kept for one and the same time everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The records of one kind in a block. Instants are as the records have them, UTC."""

    kind: RecordKind
    version: int  # of the record's columns
    runs: tuple[Run, ...]
    count: int
    oldest: str
    newest: str
    root: str  # 64 hex digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block: its content as it is hashed, and what it says."""

    number: int
    at: str
    parts: tuple[Part, ...]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed word that the chain had come to this hash; instants and bytes as texts."""

    number: int
    hash: str
    at: str
    public_key: str  # 64 hex digits
    signature: str  # 128 hex digits

    def signed(self) -> bytes:
        """Return the bytes that the signature is over."""
        return checkpoint_bytes(self.number, self.hash, self.at)


def checkpoint_bytes(number: int, block_hash: str, at: str) -> bytes:
    """Write a checkpoint as it is signed: four lines."""
    return f"{CHECKPOINT_TITLE}\n{number}\n{block_hash}\n{at}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A signed word that blocks were here of which nothing is left; instants, bytes as texts."""

    first: int
    last: int  # which had a checkpoint, as had the block before the first
    hash_before: str  # of the block before the first; zeros: there was none
    hash: str  # of the last
    at: str
    public_key: str  # 64 hex digits
    signature: str  # 128 hex digits

    def signed(self) -> bytes:
        """Return the bytes that the signature is over."""
        return cut_bytes(self.first, self.last, self.hash_before, self.hash, self.at)


def cut_bytes(first: int, last: int, hash_before: str, block_hash: str, at: str) -> bytes:
    """Write a cut as it is signed: six lines."""
    return f"{CUT_TITLE}\n{first}\n{last}\n{hash_before}\n{block_hash}\n{at}\n".encode()


def leaf_hash(record: bytes) -> bytes:
    """Hash one record."""
    return sha256(b"\x00" + record).digest()


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Hash a tree over leaves, of which there is at least one."""
    if len(leaves) == 1:
        return leaves[0]
    # From the bottom up, an odd one is carried: the same tree as RFC 6962 splits from the top.
    level = list(leaves)
    while len(level) > 1:
        above = [
            sha256(b"\x01" + level[n] + level[n + 1]).digest() for n in range(0, len(level) - 1, 2)
        ]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def tree_path(leaves: Sequence[bytes], place: int) -> list[tuple[str, str]]:
    """Return what a leaf is hashed with on its way to the root: side ("L", "R") and hash."""
    path: list[tuple[str, str]] = []
    level = list(leaves)
    while len(level) > 1:
        other = place ^ 1
        if other < len(level):
            path.append(("L" if other < place else "R", level[other].hex()))
        above = [
            sha256(b"\x01" + level[n] + level[n + 1]).digest() for n in range(0, len(level) - 1, 2)
        ]
        if len(level) % 2:
            above.append(level[-1])
        level, place = above, place // 2
    return path


def root_by_path(leaf: bytes, path: Sequence[tuple[str, str]]) -> bytes:
    """Climb from a leaf to the root."""
    for side, other in path:
        both = bytes.fromhex(other) + leaf if side == "L" else leaf + bytes.fromhex(other)
        leaf = sha256(b"\x01" + both).digest()
    return leaf


def block_hash(before: bytes, content: str) -> bytes:
    """Hash a block's content onto the hash of the block before it."""
    return sha256(b"\x01" + before + content.encode()).digest()


def runs_of(ids: Sequence[int]) -> tuple[Run, ...]:
    """Write rising ids as runs of neighbours."""
    runs: list[Run] = []
    for one in ids:
        if runs and one == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], one)
        else:
            runs.append((one, one))
    return tuple(runs)


def gaps_between(runs: Sequence[Run], after: int) -> list[Run]:
    """Name the ids that rising runs leave out, from the one after ``after`` on."""
    gaps: list[Run] = []
    for first, last in runs:
        if first > after + 1:
            gaps.append((after + 1, first - 1))
        after = last
    return gaps


def write_block(number: int, at: str, parts: Sequence[Part]) -> Block:
    """Make a block and the one way to write its content."""
    listed = [
        [p.kind, p.version, [list(run) for run in p.runs], p.count, p.oldest, p.newest, p.root]
        for p in parts
    ]
    content = json.dumps([number, at, listed], separators=(",", ":"), ensure_ascii=False)
    return Block(number=number, at=at, parts=tuple(parts), content=content)


def read_block(content: str) -> Block:
    """Read a block's content.

    Raises:
        ValueError: It is none.
    """
    try:
        number, at, listed = json.loads(content)
        block = write_block(number, at, [_part(*one) for one in listed])
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as exc:
        raise ValueError(f"no block: {exc}") from exc
    if block.content != content:
        raise ValueError("a block, but not as blocks are written")
    return block


def _part(  # noqa: PLR0917
    kind: int, version: int, runs: Any, count: int, oldest: str, newest: str, root: str
) -> Part:
    pairs = tuple((int(first), int(last)) for first, last in runs)
    held = sum(last - first + 1 for first, last in pairs)
    if not 0 < held == count <= PART_MOST or any(last < first for first, last in pairs):
        raise ValueError("its ids are not as many as it says")
    return Part(
        kind=RecordKind(kind),
        version=int(version),
        runs=pairs,
        count=int(count),
        oldest=str(oldest),
        newest=str(newest),
        root=str(root),
    )
