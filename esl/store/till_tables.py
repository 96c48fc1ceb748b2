"""The tables of tills: how they are told, what each may charge, and what may still hang for it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
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
from esl.store.schema import metadata, partial_index

till_settings = Table(
    "till_setting",
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("price_owner", String(8), nullable=False, server_default="till"),
    Column("channel", String(8), nullable=False, server_default="none"),
    Column("is_safe", Boolean, nullable=False, server_default=text("false")),
    Column("url", String(400)),
    Column("allow_private", Boolean, nullable=False, server_default=text("false")),
    Column("sealed", LargeBinary),  # `api.secret_box`: what messages are signed with
    Column("within_s", Integer, nullable=False, server_default="300"),
    # Of messages: up to which revision the till was told, and what became of the last attempt.
    Column("told_rev", BigInteger, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime),
    Column("failing_since", UtcDateTime),
    Column("error", String(300)),
)

till_prices = Table(
    "till_price",  # of stores whose tills are followed: `esl.domain.till.Standing`
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("rev", BigInteger, nullable=False),  # of the last change that a till hears of
    Column("shelf", Text, nullable=False),  # JSON: what labels are told, as ``offer`` has it
    Column("shelf_rev", BigInteger, nullable=False),
    Column("held", Text),  # the same, where labels may not show what holds
    Column("least", Text),  # JSON: a charge; None: all labels show ``shelf``
    Column("granted", Text, nullable=False),  # JSON: a charge
    Column("granted_rev", BigInteger, nullable=False),
    Column("most", Text),  # JSON: a charge; None: the grant
    Column("acked_rev", BigInteger, nullable=False, server_default="0"),
    Column("acked_at", UtcDateTime),
    Column("truth", Text, nullable=False),  # JSON: a charge
    Column("waits", SmallInteger, nullable=False, server_default="0"),  # `esl.store.tills.Waits`
    Column("since", UtcDateTime, nullable=False),  # when this came to wait, or was granted
    # What it will cost at a moment, which the till may take note of before.
    Column("plan_at", UtcDateTime),
    Column("plan", Text),  # JSON: a charge
    Column("plan_rev", BigInteger),
    Column("plan_acked", Boolean, nullable=False, server_default=text("false")),
    Index("ix_till_price_rev", "store_id", "rev"),
    partial_index("ix_till_price_least", "store_id", where="least IS NOT NULL"),
    partial_index("ix_till_price_waits", "store_id", where="waits > 0"),
)

former_pairings = Table(
    "former_pairing",  # a label that may go on showing a product that it no longer speaks for
    metadata,
    Column("label_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("store_id", String(64), nullable=False),
    Column("rev", BigInteger, nullable=False),  # what it shows above this is another thing
    Index("ix_former_pairing_product", "store_id", "sku"),
)

absent_labels = Table(
    "absent_label",  # of which a person has said that they hang no more
    metadata,
    Column("label_id", String(64), primary_key=True),
    Column("store_id", String(64), nullable=False),
    Column("attested_at", UtcDateTime, nullable=False),
    Column("attested_by", String(80), nullable=False),
    Column("reason", String(300), nullable=False),
)
