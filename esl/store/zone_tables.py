"""The tables of store groups and price zones; `esl.store.tables` has them to import from."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Integer,
    String,
    Table,
    Text,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata, partial_index

store_groups = Table(
    "store_group",
    metadata,
    Column("group_id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
)

group_stores = Table(
    "group_store",
    metadata,
    Column("group_id", ForeignKey("store_group.group_id"), primary_key=True),
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
)

price_zones = Table(
    "price_zone",
    metadata,
    Column("zone_id", String(40), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("currency", String(3)),  # None: the chain's
)

zone_stores = Table(
    "zone_store",  # never of the chain: it has them all
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("zone_id", ForeignKey("price_zone.zone_id"), nullable=False, index=True),
)

zone_prices = Table(
    "zone_price",
    metadata,
    Column("zone_id", String(40), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("price_minor", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("was_minor", Integer),
    Column("unit_price_minor", Integer),
    Column("badge", String(40)),
    Column("change_id", BigInteger, nullable=False),
    Column("source", String(64), nullable=False),  # whoever told the zone
    Column("actor", String(80), nullable=False),
    Column("said_at", UtcDateTime, nullable=False),
)

zone_positions = Table(
    "zone_position",
    metadata,
    Column("zone_id", String(40), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
    Column("price_minor", Integer, nullable=False),  # said under that number
)

zone_changes = Table(
    "zone_change",
    metadata,
    Column("change_id", BIG_KEY, Identity(), primary_key=True),
    Column("zone_id", String(40), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("words", Text, nullable=False),  # JSON: the products, and what was said of them
    Column("products", Integer, nullable=False),
    Column("stores", Integer, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("said_at", UtcDateTime, nullable=False),
)

zone_tasks = Table(
    "zone_task",
    metadata,
    Column("change_id", BigInteger, primary_key=True),
    Column("store_id", String(64), primary_key=True),
    Column("after_sku", String(64), nullable=False, server_default=""),  # told up to here
    Column("done_at", UtcDateTime),
    Column("told", Text),  # JSON: counts, labels, and what does not hold
    partial_index("ix_zone_task_open", "store_id", "change_id", where="done_at IS NULL"),
)
