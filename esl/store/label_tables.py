"""The tables of labels: how each stands, and which products it speaks for."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    text,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import metadata, partial_index

STUCK = "due_at IS NULL AND (problem IS NOT NULL OR settled_rev < wanted_rev)"
"""A label that nobody looks at again by itself, and that may not show what it should."""

REFUSED = "refused_rev = wanted_rev"
"""A label whose picture was refused, so that it was told a neutral face in place of a price."""

labels = Table(
    "label",
    metadata,
    Column("label_id", String(64), primary_key=True),
    Column("store_id", ForeignKey("store.store_id"), nullable=False, index=True),
    Column("gateway_id", ForeignKey("gateway.gateway_id")),
    Column("panel_id", String(40), nullable=False),
    Column("epoch", Integer, nullable=False, server_default="1"),
    Column("wanted_rev", BigInteger, nullable=False, server_default="0"),
    Column("sent_rev", BigInteger, nullable=False, server_default="0"),
    Column("settled_rev", BigInteger, nullable=False, server_default="0"),
    Column("shown_rev", BigInteger, nullable=False, server_default="0"),
    Column("shown_digest", String(64), nullable=False, server_default=""),
    Column("incarnation", BigInteger, nullable=False, server_default="0"),
    Column("shown_session", String(64), nullable=False, server_default=""),
    Column("shown_seq", BigInteger, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", UtcDateTime),  # None settled, past now, future waiting for an answer
    Column("lane", SmallInteger, nullable=False, server_default="2"),
    Column("problem", String(40)),
    Column("problem_detail", String(300)),
    Column("battery_mv", Integer),
    Column("temperature_c", Integer),
    Column("rssi_dbm", Integer),
    Column("firmware", String(64)),
    Column("seen_at", UtcDateTime),
    Column("wanted_at", UtcDateTime),  # when ``wanted_rev`` was last raised: policy time runs
    Column("send_full", Boolean, nullable=False, server_default=text("false")),  # no delta next
    # Not 0: its id is used twice. 1, and the minutes for which one label alone was heard since.
    Column("quarantine", SmallInteger, nullable=False, server_default="0"),
    Column("slots", LargeBinary),  # its own word: msgpack [[rev, digest], …]
    Column("refresh_failures", SmallInteger, nullable=False, server_default="0"),  # in a row
    Column("retired_at", UtcDateTime),  # it is to leave the shop, or has left it
    Column("place", String(80)),  # where it hangs, as a person or another system said
    Column("refused_rev", BigInteger),  # whose picture was refused: a neutral face in its place
    Column("refused_code", String(64)),
    Column("refused_detail", String(300)),
    # The claim walks this: one gateway's due labels, most urgent lane and oldest first.
    partial_index("ix_label_due", "gateway_id", "lane", "due_at", where="due_at IS NOT NULL"),
    # With the index above, all that are not simply settled: a store is counted from the two.
    partial_index("ix_label_stuck", "store_id", where=STUCK),
    partial_index("ix_label_refused", "store_id", where=REFUSED),
)

pairings = Table(
    "pairing",
    metadata,
    Column("label_id", ForeignKey("label.label_id"), primary_key=True),
    Column("position", SmallInteger, primary_key=True),  # several products on one label
    Column("store_id", String(64), nullable=False),
    Column("sku", String(64), nullable=False),
    Column("paired_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["store_id", "sku"], ["product.store_id", "product.sku"]),
    Index("ix_pairing_product", "store_id", "sku"),
    partial_index(
        "ix_pairing_first",  # a store's paired labels are counted from it
        "store_id",
        where="position = 0",
    ),
)

neutral_orders = Table(
    "neutral_order",  # stores whose labels show no price, for as long as that is so
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("reason", String(300), nullable=False),
)
