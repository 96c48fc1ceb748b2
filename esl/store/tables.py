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
    Date,
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
    touches,
    workers,
)
from esl.store.hook_tables import connector_wants, connectors, hook_events
from esl.store.intake_tables import (
    audit_entries,
    batches,
    big_changes,
    import_jobs,
    import_rows,
    import_stores,
    mapping_versions,
    missing_products,
    past_prices,
    pos_promotions,
    product_gtins,
    quarantine,
    scheduled_prices,
    seen_files,
    source_secrets,
    source_stores,
    sources,
)
from esl.store.label_tables import REFUSED, STUCK, labels, pairings
from esl.store.mqtt_tables import mqtt_refused, mqtt_sessions
from esl.store.schema import BIG_KEY, REVISION_SEQUENCE, metadata

__all__ = [
    "REFUSED",
    "REVISION_SEQUENCE",
    "STUCK",
    "answered_requests",
    "audit_entries",
    "batches",
    "battery_samples",
    "big_changes",
    "commands",
    "connector_wants",
    "connectors",
    "display_log",
    "failure_log",
    "flips",
    "frames",
    "gateways",
    "hook_events",
    "import_jobs",
    "import_rows",
    "import_stores",
    "installation",
    "issued",
    "label_heard",
    "labels",
    "machine_tokens",
    "mapping_versions",
    "metadata",
    "missing_products",
    "mqtt_refused",
    "mqtt_sessions",
    "pairings",
    "past_prices",
    "person_sessions",
    "pictures",
    "pos_promotions",
    "price_events",
    "prices",
    "problems",
    "product_gtins",
    "products",
    "quarantine",
    "remove_tasks",
    "revision_counter",
    "scheduled_prices",
    "seen_files",
    "sign_in_links",
    "source_positions",
    "source_secrets",
    "source_stores",
    "sources",
    "staged",
    "stores",
    "template_rules",
    "templates",
    "touches",
    "workers",
]

installation = Table(
    "installation",
    metadata,
    Column("only_row", SmallInteger, CheckConstraint("only_row = 1", name="one"), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("acted_until", UtcDateTime, nullable=False),  # high water of the effective clock
    Column("signing_key", String(16)),  # id of the key that a controller was started with last
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
    Column("guards", Text),  # JSON; None: the usual limits
    Column("frozen_at", UtcDateTime),  # nothing is sent to its labels since then
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
    Column("enrolled_at", UtcDateTime),  # when it got its first; None: before this was noted
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
    Column("location", String(80)),  # where the till believes it stands
    Column("tax_permille", SmallInteger),
    Column("anchor_minor", Integer),  # legal reference price of a fixed day
    Column("lowest_30d_minor", Integer),  # a source's own word for it, never ours
    Column("lowest_30d_source", String(64)),
    Column("lowest_30d_day", Date),  # when it said so
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
    Column("reasons", String(200)),  # why it was quarantined or rejected
    Index("ix_price_event_history", "store_id", "sku", "event_id"),
    Index(
        "ix_price_event_batch",
        "batch_id",
        sqlite_where=text("batch_id IS NOT NULL"),
        postgresql_where=text("batch_id IS NOT NULL"),
    ),
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
