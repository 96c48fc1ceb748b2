"""The tables of inspections: walks with a sample, and what was seen."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, String, Table

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata

inspections = Table(
    "inspection",
    metadata,
    Column("inspection_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", ForeignKey("store.store_id"), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("size", Integer, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("begun_by", String(80), nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_inspection_store", "store_id", "inspection_id"),
    Index("ix_inspection_begun", "begun_at"),
)

inspection_items = Table(
    "inspection_item",
    metadata,
    Column(
        "inspection_id",
        ForeignKey("inspection.inspection_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("label_id", String(64), nullable=False),
    Column("sku", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("place", String(80)),
    Column("shelf_minor", BigInteger),
    Column("till_minor", BigInteger),
    Column("seen", String(12)),
    Column("seen_minor", BigInteger),
    Column("note", String(200)),
    Column("seen_at", UtcDateTime),
    Column("seen_by", String(80)),
)
