"""The tables, and nothing else; those of deliveries come from `delivery_tables`.

Revisions (``rev``) are one sequence for the whole installation: PostgreSQL's ``esl_rev``, the
one row of ``revision_counter`` on SQLite. They order everything a label is told and never come
from a clock. Money is in minor units. Digests are 64 hex digits; "" is a label that shows
nothing of ours.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
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
from esl.store.command_tables import commands, flips
from esl.store.delivery_tables import (
    battery_samples,
    display_log,
    failure_log,
    frames,
    issued,
    label_heard,
    problems,
    remove_tasks,
    staged,
    workers,
)
from esl.store.schema import BIG_KEY, REVISION_SEQUENCE, metadata

__all__ = [
    "REVISION_SEQUENCE",
    "answered_requests",
    "battery_samples",
    "commands",
    "display_log",
    "failure_log",
    "flips",
    "frames",
    "gateways",
    "installation",
    "issued",
    "label_heard",
    "labels",
    "machine_tokens",
    "metadata",
    "pairings",
    "person_sessions",
    "pictures",
    "price_events",
    "prices",
    "problems",
    "products",
    "remove_tasks",
    "revision_counter",
    "sign_in_links",
    "source_positions",
    "staged",
    "stores",
    "template_rules",
    "templates",
    "workers",
]

installation = Table(
    "installation",
    metadata,
    Column("only_row", SmallInteger, CheckConstraint("only_row = 1", name="one"), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("acted_until", UtcDateTime, nullable=False),  # high water of the effective clock
)

revision_counter = Table(
    "revision_counter",
    metadata,
    Column("only_row", SmallInteger, CheckConstraint("only_row = 1", name="one"), primary_key=True),
    Column("last_rev", BigInteger, nullable=False),
)

stores = Table(
    "store",
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("locale", String(20), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("link_base", String(120)),  # host of the QR addresses; None is id.gs1.org
    # Of a hundred pictures, how many have their codes read back by a second decoder.
    Column("read_back_percent", SmallInteger, nullable=False, server_default="1"),
    Column("shop_link", String(200)),  # pattern of the QR addresses; None is the Digital Link
    # What becomes of a label that may show its price no longer, and of one that nobody knows.
    Column("neutral_policy", String(8), nullable=False, server_default="face"),  # or "task"
    Column("unknown_labels", String(8), nullable=False, server_default="ignore"),  # or "adopt"
    Column("adopt_until", UtcDateTime),  # unknown labels are taken in till then
    Column("policy_time_s", Integer, nullable=False, server_default="900"),  # till a verdict
)

gateways = Table(
    "gateway",
    metadata,
    Column("gateway_id", String(64), primary_key=True),
    Column("store_id", ForeignKey("store.store_id"), nullable=False, index=True),
    Column("session", String(64), nullable=False, server_default=""),
    Column("online", Boolean, nullable=False, server_default=text("false")),
    Column("heard_at", UtcDateTime),
    # As wide as the wire lets a gateway say them (`gateway.wire.fields`): a longer word would
    # fail on PostgreSQL, and with it every report of the batch it came in.
    Column("level", String(64)),
    Column("firmware", String(64)),
    Column("capacity", BigInteger),
    Column("counter", BigInteger, nullable=False, server_default="0"),  # of signed payloads
    Column("leased_by", String(64)),  # the worker that speaks with it
    Column("leased_until", UtcDateTime),
    Column("lease_epoch", BigInteger, nullable=False, server_default="0"),  # rises with each holder
    Column("payload_bytes", BigInteger),  # the largest it takes; None: as the wire's default
    Column("features", Text),  # what else it said it can: JSON, a number to each name
    Column("clock_trusted", Boolean, nullable=False, server_default=text("true")),
    Column("enrolled_keys", String(40)),  # ids of the keys in its last enrolment file
)

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
    Column("deposit_minor", Integer),
    Column("rev", BigInteger, nullable=False),
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
    Index("ix_price_event_history", "store_id", "sku", "event_id"),
    Index(
        "ix_price_event_rev",
        "rev",
        sqlite_where=text("rev IS NOT NULL"),
        postgresql_where=text("rev IS NOT NULL"),
    ),
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

STUCK = "due_at IS NULL AND (problem IS NOT NULL OR settled_rev < wanted_rev)"
"""A label that nobody looks at again by itself, and that may not show what it should."""

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
    Column("quarantine", SmallInteger, nullable=False, server_default="0"),  # 1: id used twice
    Column("slots", LargeBinary),  # its own word: msgpack [[rev, digest], …]
    Column("refresh_failures", SmallInteger, nullable=False, server_default="0"),  # in a row
    Column("retired_at", UtcDateTime),  # it is to leave the shop, or has left it
    # The claim walks this: one gateway's due labels, most urgent lane and oldest first.
    Index(
        "ix_label_due",
        "gateway_id",
        "lane",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    # With the index above, all that are not simply settled: a store is counted from the two.
    Index(
        "ix_label_stuck",
        "store_id",
        sqlite_where=text(STUCK),
        postgresql_where=text(STUCK),
    ),
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
    Index(
        "ix_pairing_first",  # a store's paired labels are counted from it
        "store_id",
        sqlite_where=text("position = 0"),
        postgresql_where=text("position = 0"),
    ),
)

templates = Table(
    "template",
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("version", Integer, primary_key=True),  # the highest is the one in use
    Column("title", String(80), nullable=False),
    Column("text", Text),  # None: deleted; its number is never used again
    Column("digest", String(64), nullable=False),  # of its meaning, pictures included
    Column("pictures", Text, nullable=False),  # names, separated by blanks
    Column("saved_by", String(80), nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
)

template_rules = Table(
    "template_rule",
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("template", String(63), nullable=False),
    Column("category", String(120)),
    Column("brand", String(80)),
    Column("panel", String(40)),
    Column("kind", String(16)),
    Column("stock", String(8)),
    Column("stock_most", Integer),
    Column("weighed", Boolean),
    Column("products", SmallInteger),
    Column("note", String(200)),
)

pictures = Table(
    "picture",
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("png", LargeBinary, nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("saved_by", String(80), nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
)

answered_requests = Table(
    "answered_request",
    metadata,
    Column("principal", String(80), primary_key=True),
    Column("idempotency_key", String(200), primary_key=True),
    Column("request_sha256", String(64), nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_at", UtcDateTime, nullable=False, index=True),
)

machine_tokens = Table(
    "machine_token",
    metadata,
    Column("token_id", String(16), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("scopes", String(300), nullable=False),  # separated by blanks
    Column("stores", String(2000), nullable=False),  # separated by blanks; "*" is all
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

sign_in_links = Table(
    "sign_in_link",
    metadata,
    Column("secret_sha256", String(64), primary_key=True),
    Column("person", String(80), nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

person_sessions = Table(
    "person_session",
    metadata,
    Column("secret_sha256", String(64), primary_key=True),
    Column("person", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
