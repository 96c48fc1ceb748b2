"""The tables of the audit chain: its blocks, what each sealed, checkpoints, and what was cut."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import metadata

audit_blocks = Table(
    "audit_block",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # from 1, without a gap
    Column("content", Text, nullable=False),  # as it is hashed: `esl.domain.chain.write_block`
    Column("hash", String(64), nullable=False),
    Column("sealed_at", UtcDateTime, nullable=False),
)

audit_parts = Table(
    "audit_part",  # where a record is sealed, and by which leaf
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("first_id", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("leaves", LargeBinary),  # hashes in their order; None: all of its records are pruned
    # 8 where only the first bytes are kept, of records from before those were pruned at all.
    Column("leaf_bytes", SmallInteger, nullable=False, server_default="32"),
    Index("ix_audit_part_last", "kind", "last_id"),
)

audit_gaps = Table(
    "audit_gap",  # numbers that were given to nobody when those after them were sealed
    metadata,
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("first_id", BigInteger, primary_key=True, autoincrement=False),
    Column("last_id", BigInteger, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)

audit_checkpoints = Table(
    "audit_checkpoint",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # of the block
    Column("hash", String(64), nullable=False),
    Column("at", String(32), nullable=False),  # as it is signed
    Column("public_key", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
)

audit_cuts = Table(
    "audit_cut",  # blocks that are gone, all of whose records were forgotten
    metadata,
    Column("first_number", BigInteger, primary_key=True, autoincrement=False),
    Column("last_number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash_before", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("at", String(32), nullable=False),  # as it is signed
    Column("public_key", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
)

forgotten_history = Table(
    "forgotten_history",  # up to when records were forgotten that are kept as the shop likes
    metadata,
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("before", UtcDateTime, nullable=False),
)
