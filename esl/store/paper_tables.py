"""The table of paper tickets; `esl.store.tables` has it to import from."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata, partial_index

paper_tickets = Table(
    "paper_ticket",
    metadata,
    Column("ticket_id", BIG_KEY, Identity(), primary_key=True),
    Column("sheet", String(16), nullable=False),
    Column("store_id", ForeignKey("store.store_id"), nullable=False),
    Column("label_id", String(64), nullable=False),
    Column("rev", BigInteger, nullable=False),
    Column("was_settled", Boolean, nullable=False),
    Column("skus", Text, nullable=False),  # separated by line ends
    Column("name", String(200), nullable=False),
    Column("place", String(80)),
    Column("width_tenths_mm", Integer, nullable=False),
    Column("height_tenths_mm", Integer, nullable=False),
    Column("picture", LargeBinary, nullable=False),  # PNG, in the colours of print
    Column("printed_at", UtcDateTime, nullable=False),
    Column("printed_by", String(80), nullable=False),
    Column("gone_at", UtcDateTime),
    Column("gone_by", String(80)),
    Index("ix_paper_ticket_store", "store_id", "ticket_id"),
    Index("ix_paper_ticket_sheet", "sheet"),
    Index("ix_paper_ticket_gone", "gone_at"),
    partial_index("ix_paper_ticket_open", "label_id", where="gone_at IS NULL"),
)
