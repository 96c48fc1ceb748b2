"""The tables of what hangs where and why: pairings' history, places, walks, short links."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata

pairing_events = Table(
    "pairing_event",  # what became of labels' pairings, by whom
    metadata,
    Column("event_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", String(64), nullable=False),
    Column("label_id", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(16), nullable=False),  # `esl.domain.pairing.Action`
    Column("before", Text, nullable=False),  # JSON: `esl.domain.pairing.Hanging`
    Column("after", Text, nullable=False),
    Column("rev", BigInteger, nullable=False),
    Column("beside", String(64)),  # the other label of a replacement
    Column("undone_by", BigInteger),  # the event that took this one back
    Index("ix_pairing_event_label", "label_id", "event_id"),
    Index("ix_pairing_event_store", "store_id", "event_id"),
)

place_codes = Table(
    "place_code",  # what a scanner reads off a shelf, and which place that is
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("code", String(80), primary_key=True),
    Column("place", String(80), nullable=False),
)

current_places = Table(
    "current_place",  # where somebody stands who pairs labels
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("actor", String(80), primary_key=True),
    Column("place", String(80), nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
)

store_walks = Table(
    "store_walk",
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("is_serpentine", Boolean, nullable=False),
    Column("first", Text, nullable=False),  # JSON: places, in the order of the walk
)

short_links = Table(
    "short_link",
    metadata,
    Column("code", String(8), primary_key=True),
    Column("store_id", String(64), nullable=False),
    Column("sku", String(64), nullable=False),
    Column("target", String(300)),  # None: by the store's rule
    Index("ix_short_link_product", "store_id", "sku", unique=True),
)

link_settings = Table(
    "link_setting",
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("base", String(80), nullable=False),  # https://go.shop.example
    Column("hosts", Text, nullable=False),  # JSON: those that targets may have
    Column("rule", String(300), nullable=False),  # pattern of the targets
    Column("prefix", String(84)),  # base + "/s/" while faces say short links; else None
)

link_visits = Table(
    "link_visit",  # how often a code was followed on a day; nothing of who did
    metadata,
    Column("code", String(8), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("visits", Integer, nullable=False),
)
