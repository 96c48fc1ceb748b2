"""The tables of the intake: sources and what they said, batches, what waits, what is held back.

`esl.store.tables` has them all in one place to import from. JSON columns hold what
`esl.store.sources` writes and nobody queries.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    UniqueConstraint,
    text,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata, partial_index

sources = Table(
    "source",
    metadata,
    Column("source_id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("store_id", ForeignKey("store.store_id"), index=True),  # None: each entry names its own
    Column("kind", String(16), nullable=False),
    Column("mapping", String(63)),
    Column("priority", SmallInteger, nullable=False, server_default="50"),
    Column("priorities", Text, nullable=False, server_default="{}"),  # JSON, by field
    Column("guards", Text),  # JSON; None: those of the store
    Column("expected_by", String(5)),  # "05:30", in the zone of the store
    Column("expected_every_s", Integer),
    Column("expected_since", UtcDateTime),  # what lay before is not held against it
    Column("heard_at", UtcDateTime),  # when it last handed in something whole
    Column("accepts_full", Boolean, nullable=False, server_default=text("false")),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    Column("settings", Text, nullable=False, server_default="{}"),  # JSON: folder, address, cursor
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

source_secrets = Table(
    "source_secret",
    metadata,
    Column("source_id", ForeignKey("source.source_id"), primary_key=True),
    Column("number", Integer, primary_key=True),  # the highest is the newest; two are active
    Column("kind", String(16), nullable=False),  # "webhook", "password", "token", "key"
    Column("sealed", LargeBinary, nullable=False),  # `api.secret_box`; never the secret itself
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),  # of one that another has replaced
)

source_stores = Table(
    "source_store",  # for which stores a source was heard, and when last
    metadata,
    Column("source_id", String(64), primary_key=True),
    Column("store_id", String(64), primary_key=True),
    Column("heard_at", UtcDateTime, nullable=False),
)

mapping_versions = Table(
    "mapping_version",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("version", Integer, primary_key=True),  # the highest is the one in use
    Column("document", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("saved_by", String(80), nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
)

batches = Table(
    "batch",
    metadata,
    Column("batch_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", String(64), index=True),  # None: of several
    Column("source", String(64), nullable=False),
    Column("title", String(200), nullable=False, server_default=""),  # the name of a file
    Column("actor", String(80), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("unchanged", Integer, nullable=False, server_default="0"),
    Column("superseded", Integer, nullable=False, server_default="0"),
    Column("quarantined", Integer, nullable=False, server_default="0"),
    Column("rejected", Integer, nullable=False, server_default="0"),
    Column("tripped_at", UtcDateTime),  # when the circuit breaker began to hold the rest
    Column("rolled_back_at", UtcDateTime),
    Column("rolled_back_by", String(80)),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("quarantine_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", String(64), nullable=False),
    Column("sku", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    Column("batch_id", BigInteger, index=True),
    Column("said", Text, nullable=False),  # JSON: all that is applied once it is approved
    Column("price_minor", Integer, nullable=False),  # what a piece would cost
    Column("currency", String(3), nullable=False),
    Column("held_minor", Integer),  # what held then
    Column("reasons", String(200), nullable=False),  # separated by blanks
    Column("actor", String(80), nullable=False),  # who sent it, and may not approve it
    Column("received_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),  # from then on a problem is open
    Column("state", String(12), nullable=False, server_default="open"),
    Column("decided_by", String(80)),
    Column("decided_at", UtcDateTime),
    Column("note", String(300)),  # what the person who decided wrote
    Column("rev", BigInteger),  # of the change that approval made
    partial_index("ix_quarantine_open", "store_id", "sku", where="state = 'open'"),
)

scheduled_prices = Table(
    "scheduled_price",
    metadata,
    Column("schedule_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", String(64), nullable=False),
    Column("sku", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    Column("batch_id", BigInteger),
    Column("said", Text, nullable=False),  # JSON, as in ``quarantine``
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    Column("counts_from", UtcDateTime),  # above what began before; None: begun, and said
    Column("replaced_by", BigInteger),  # the batch with the word that took its place
    Column("state", String(12), nullable=False, server_default="waiting"),
    Column("due_at", UtcDateTime),  # the next instant at which it changes something
    Column("actor", String(80), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Index("ix_scheduled_price_product", "store_id", "sku"),
    partial_index("ix_scheduled_price_due", "due_at", where="due_at IS NOT NULL"),
    partial_index("ix_scheduled_price_live", "store_id", "due_at", where="due_at IS NOT NULL"),
)

pos_promotions = Table(
    "pos_promotion",
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("promotion_id", String(80), primary_key=True),  # "": the source's only one of a product
    Column("kind", String(8), nullable=False),
    Column("price_minor", Integer, nullable=False),
    Column("quantity", SmallInteger, nullable=False, server_default="1"),
    Column("club", String(80)),
    Column("valid_from", UtcDateTime),
    Column("valid_to", UtcDateTime),
    Column("due_at", UtcDateTime),  # its next edge
    Column("batch_id", BigInteger),
    Column("changed_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["store_id", "sku"], ["product.store_id", "product.sku"]),
    partial_index("ix_pos_promotion_due", "due_at", where="due_at IS NOT NULL"),
)

product_gtins = Table(
    "product_gtin",
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("gtin", String(14), primary_key=True),  # the first of a product stands in ``product``
    Column("position", SmallInteger, nullable=False),
    ForeignKeyConstraint(["store_id", "sku"], ["product.store_id", "product.sku"]),
    Index("ix_product_gtin_gtin", "store_id", "gtin"),
)

past_prices = Table(
    "past_price",  # from before our time, as another system knew them
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("kind", String(12), primary_key=True),
    Column("day", Date, primary_key=True),  # it held from the begin of this day
    Column("until", Date),  # the first day it held no longer
    Column("price_minor", Integer, nullable=False),
    Column("source", String(64), nullable=False),
    Column("batch_id", BigInteger),
)

missing_products = Table(
    "missing_product",
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),  # left out of a full list, and not retired yet
    Column("source", String(64), nullable=False),
    Column("batch_id", BigInteger, nullable=False, index=True),
    Column("noted_at", UtcDateTime, nullable=False),
)

big_changes = Table(
    "big_change",
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("minute", BigInteger, primary_key=True),  # since 1970
    Column("changes", Integer, nullable=False),
)

import_jobs = Table(
    "import_job",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("store_id", String(64)),
    Column("state", String(12), nullable=False),
    Column("mode", String(8), nullable=False),  # "delta", "full"
    Column("dry_run", Boolean, nullable=False, server_default=text("false")),
    Column("title", String(200), nullable=False, server_default=""),
    Column("path", String(500)),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False, server_default="0"),
    Column("mapping", String(63)),
    Column("mapping_version", Integer),
    Column("batch_id", BigInteger),
    Column("cursor", BigInteger, nullable=False, server_default="0"),  # entries taken for good
    Column("rows_seen", BigInteger, nullable=False, server_default="0"),
    Column("products", BigInteger, nullable=False, server_default="0"),
    Column("accepted", BigInteger, nullable=False, server_default="0"),
    Column("unchanged", BigInteger, nullable=False, server_default="0"),
    Column("superseded", BigInteger, nullable=False, server_default="0"),
    Column("quarantined", BigInteger, nullable=False, server_default="0"),
    Column("rejected", BigInteger, nullable=False, server_default="0"),
    Column("retired", BigInteger, nullable=False, server_default="0"),
    Column("labels", BigInteger, nullable=False, server_default="0"),
    Column("detail", String(500)),
    Column("actor", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("began_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("stores", Text),  # JSON: of several, those that who handed it in may change; None: all
    Index("ix_import_job_state", "state", "created_at"),
)

import_stores = Table(
    "import_store",  # what an import of several stores came to in each
    metadata,
    Column("job_id", ForeignKey("import_job.job_id"), primary_key=True),
    Column("store_id", String(64), primary_key=True),
    Column("products", BigInteger, nullable=False, server_default="0"),
    Column("accepted", BigInteger, nullable=False, server_default="0"),
    Column("unchanged", BigInteger, nullable=False, server_default="0"),
    Column("superseded", BigInteger, nullable=False, server_default="0"),
    Column("quarantined", BigInteger, nullable=False, server_default="0"),
    Column("rejected", BigInteger, nullable=False, server_default="0"),
    Column("retired", BigInteger, nullable=False, server_default="0"),
    Column("labels", BigInteger, nullable=False, server_default="0"),
)

import_rows = Table(
    "import_row",
    metadata,
    Column("job_id", ForeignKey("import_job.job_id"), primary_key=True),
    Column("number", BigInteger, primary_key=True),  # of the report's lines, from 1
    Column("row", BigInteger, nullable=False),  # of the file; 0 is the file as a whole
    Column("store_id", String(64)),
    Column("sku", String(64)),
    Column("decision", String(16), nullable=False),
    Column("field", String(40), nullable=False, server_default=""),
    Column("reason", String(300), nullable=False, server_default=""),
    Column("rev", BigInteger),
    Column("fix", String(300), nullable=False, server_default=""),
)

seen_files = Table(
    "seen_file",
    metadata,
    Column("number", BIG_KEY, Identity(), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("instance", String(64), nullable=False),  # sha256 of name, size, time and content
    Column("sha256", String(64), nullable=False),
    Column("name", Text, nullable=False),  # its bytes, percent-encoded
    Column("size_bytes", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),
    Column("outcome", String(12)),  # where it was moved, or was to be: "done" or "rejected"
    Column("job_id", String(40)),
    Column("is_repeat", Boolean, nullable=False, server_default=text("false")),
    Column("problem", String(500), nullable=False, server_default=""),
    Column("result", String(12), nullable=False),
    Column("result_due", UtcDateTime),
    Column("rev_before", BigInteger, nullable=False),  # the last one before it was taken
    Column("seen_at", UtcDateTime, nullable=False),
    UniqueConstraint("source", "instance"),
    Index("ix_seen_file_source", "source", "number"),
    Index("ix_seen_file_state", "source", "state"),
    Index("ix_seen_file_result", "source", "result"),
    Index("ix_seen_file_seen_at", "seen_at"),
)

audit_entries = Table(
    "audit_entry",
    metadata,
    Column("entry_id", BIG_KEY, Identity(), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(40), nullable=False),
    Column("store_id", String(64)),
    Column("subject", String(140), nullable=False),
    Column("reason", String(300)),
    Column("detail", Text),  # JSON: before and after, never a secret
    Index("ix_audit_entry_store", "store_id", "entry_id"),
)
