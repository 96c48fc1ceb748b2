"""The tables, and nothing else.

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
    MetaData,
    Sequence,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from esl.store.columns import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

REVISION_SEQUENCE = Sequence("esl_rev")
"""PostgreSQL only. Left out of the metadata so that SQLite never hears of it."""

BIG_KEY = BigInteger().with_variant(Integer, "sqlite")
"""A growing key: SQLite numbers rows by itself only in a column of type INTEGER."""

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
    # The claim walks this: one gateway's due labels, most urgent lane and oldest first.
    Index(
        "ix_label_due",
        "gateway_id",
        "lane",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
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

frames = Table(
    "frame",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("panel_id", String(40), nullable=False),
    Column("zlib_pixels", LargeBinary, nullable=False),
)

issued = Table(
    "issued",
    metadata,
    Column("label_id", String(64), primary_key=True),
    Column("rev", BigInteger, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("gateway_id", String(64), nullable=False),
    Column("template", String(80), nullable=False, server_default=""),  # "promotion", "own@3"
    Column("issued_at", UtcDateTime, nullable=False),
)

display_log = Table(
    "display_log",
    metadata,
    Column("entry_id", BIG_KEY, Identity(), primary_key=True),
    Column("label_id", String(64), nullable=False),
    Column("rev", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("incarnation", BigInteger, nullable=False),
    Column("gateway_id", String(64), nullable=False),
    Column("session", String(64), nullable=False),
    Column("painted_at", UtcDateTime),  # by the gateway's clock; None from a beacon
    Column("recorded_at", UtcDateTime, nullable=False),
    Index("ix_display_log_label", "label_id", "entry_id"),
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
