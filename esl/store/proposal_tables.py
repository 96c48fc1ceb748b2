"""The tables of prices that engines propose; `esl.store.tables` has them to import from."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, String, Table, Text

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata, partial_index

proposal_rules = Table(
    "proposal_rules",
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("rules", Text, nullable=False),  # JSON, as `esl.intake.proposal_json` reads it
)

proposals = Table(
    "proposal",
    metadata,
    Column("proposal_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", String(64), nullable=False),
    Column("sku", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    Column("price_minor", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("held_minor", Integer),  # what held when it came
    Column("regular_minor", Integer),  # the percentages were of
    Column("reason", String(300), nullable=False),  # the engine's own words
    Column("state", String(16), nullable=False),
    Column("refusals", Text),  # JSON: the bounds that it breaks
    Column("actor", String(80), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("decided_by", String(80)),
    Column("decided_at", UtcDateTime),
    Column("note", String(300)),
    Column("rev", BigInteger),  # of the price event that it became
    Column("quarantine_id", BigInteger),  # where guards hold it back
    Index("ix_proposal_store", "store_id", "proposal_id"),
    partial_index("ix_proposal_waiting", "store_id", "sku", where="state = 'waiting'"),
    partial_index("ix_proposal_rev", "store_id", "sku", "rev", where="rev IS NOT NULL"),
    partial_index("ix_proposal_held", "store_id", "sku", where="quarantine_id IS NOT NULL"),
)

product_costs = Table(
    "product_cost",  # apart from the product: nobody who may read prices reads it
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("cost_minor", Integer, nullable=False),
    Column("said_by", String(80), nullable=False),
    Column("said_at", UtcDateTime, nullable=False),
)
