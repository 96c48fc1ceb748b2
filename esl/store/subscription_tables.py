"""The tables of subscriptions: who hears of events, what was sent, and what stock was told."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata, partial_index

subscriptions = Table(
    "subscription",
    metadata,
    Column("subscription_id", String(64), primary_key=True),
    Column("store_id", ForeignKey("store.store_id"), index=True),  # None: all stores
    Column("url", String(400), nullable=False),
    Column("events", Text, nullable=False),  # with a blank between them
    Column("description", String(200)),
    Column("is_enabled", Boolean, nullable=False, server_default=text("true")),
    Column("allow_private", Boolean, nullable=False, server_default=text("false")),
    Column("batch_most", Integer, nullable=False),
    Column("low_stock", Integer),
    Column("sealed", LargeBinary, nullable=False),  # `api.secret_box`: what messages are signed by
    Column("old_sealed", LargeBinary),  # the one before, and until when it signs as well
    Column("old_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(80), nullable=False),
    # How far it has heard: `esl.domain.subscription.Places`.
    Column("prices_after", BigInteger, nullable=False),
    Column("promotions_after", BigInteger, nullable=False),
    Column("problems_after", BigInteger, nullable=False),
    Column("shown_after", BigInteger, nullable=False),
    Column("happenings_after", BigInteger, nullable=False, server_default="0"),
    # Whose turn it is to speak, and what became of it last.
    Column("turn", BigInteger, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime),
    Column("failing_since", UtcDateTime),
    Column("stopped_at", UtcDateTime),
    Column("error", String(300)),
)

event_deliveries = Table(
    "event_delivery",
    metadata,
    Column("delivery_id", BIG_KEY, Identity(), primary_key=True),
    Column("subscription_id", ForeignKey("subscription.subscription_id"), nullable=False),
    Column("message_id", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("events", Integer, nullable=False),
    Column("zlib_body", LargeBinary, nullable=False),  # what was signed, to the byte
    Column("state", String(10), nullable=False),  # `esl.domain.subscription.DeliveryState`
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("status", SmallInteger),
    Column("error", String(300)),
    Column("sent_at", UtcDateTime),
    Column("delivered_at", UtcDateTime),
    Index("ix_event_delivery_subscription", "subscription_id", "delivery_id"),
    partial_index("ix_event_delivery_open", "subscription_id", where="state = 'open'"),
)

stock_told = Table(
    "stock_told",  # products that were told to be low or out
    metadata,
    Column("subscription_id", ForeignKey("subscription.subscription_id"), primary_key=True),
    Column("store_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("level", String(4), nullable=False),  # `esl.domain.subscription.StockLevel`
)
