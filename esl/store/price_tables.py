"""The tables of products and what they cost; `esl.store.tables` has them to import from."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata, partial_index

products = Table(
    "product",
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("brand", String(80)),
    Column("category", String(120)),
    Column("gtin", String(14)),
    Column("content_milli", Integer),
    Column("content_unit", String(8)),
    Column("priced_per", String(8)),
    Column("link", String(200)),
    Column("origin", String(80)),
    Column("stock", Integer),
    Column("stock_shown", Integer),  # `esl.domain.stock`: None, and labels go by the stock itself
    Column("deposit_minor", Integer),
    Column("rev", BigInteger, nullable=False),
    Column("location", String(80)),  # where the till believes it stands
    Column("tax_permille", SmallInteger),
    Column("anchor_minor", Integer),  # legal reference price of a fixed day
    Column("lowest_30d_minor", Integer),  # a source's own word for it, never ours
    Column("lowest_30d_source", String(64)),
    Column("lowest_30d_day", Date),  # when it said so
    Column("tags", Text),  # the shop's own words for it, a line each
    Column("owners", Text),  # JSON: the source that said a field, where one is registered
)

prices = Table(
    "price",
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("price_minor", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("was_minor", Integer),
    Column("unit_price_minor", Integer),
    Column("badge", String(40)),
    Column("rev", BigInteger, nullable=False),
    Column("regular_minor", Integer),  # apart from a promotion; None: the price is the regular one
    Column("member_minor", Integer),
    Column("multibuy_quantity", SmallInteger),  # so many pieces together …
    Column("multibuy_minor", Integer),  # … cost this
    Column("multibuy_pay_for", SmallInteger),  # "3 for 2": the 2; None: it is a total
    Column("member_condition", String(80)),  # whose price member_minor is
    Column("changed_on", Date),  # in the zone of the store, for …
    Column("changes_that_day", SmallInteger, nullable=False, server_default="0"),
    ForeignKeyConstraint(["store_id", "sku"], ["product.store_id", "product.sku"]),
)

price_events = Table(
    "price_event",
    metadata,
    Column("event_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", String(64), nullable=False),
    Column("sku", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    Column("source_seq", BigInteger),
    Column("source_time", UtcDateTime),
    Column("price_minor", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("was_minor", Integer),
    Column("unit_price_minor", Integer),
    Column("badge", String(40)),
    Column("decision", String(16), nullable=False),
    Column("rev", BigInteger),  # None where the event changed nothing
    Column("actor", String(80), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("batch_id", BigInteger),
    Column("regular_minor", Integer),
    Column("member_minor", Integer),
    Column("multibuy_quantity", SmallInteger),
    Column("multibuy_minor", Integer),
    Column("multibuy_pay_for", SmallInteger),
    Column("member_condition", String(80)),
    Column("reasons", String(200)),  # why it was quarantined or rejected
    # What labels show is of layer 0 or 2: `esl.store.offers.Layer`.
    Column("layer", SmallInteger, nullable=False, server_default="0"),
    Column("why", Text),  # JSON: of an offer, as in ``offer.reason``
    Index("ix_price_event_history", "store_id", "sku", "event_id"),
    partial_index("ix_price_event_batch", "batch_id", where="batch_id IS NOT NULL"),
    partial_index("ix_price_event_rev", "rev", where="rev IS NOT NULL"),
)

source_positions = Table(
    "source_position",
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("last_seq", BigInteger),
    Column("last_time", UtcDateTime),
)
