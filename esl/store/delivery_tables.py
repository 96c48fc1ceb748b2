"""The tables of deliveries: what was sent, staged, shown, heard, and what a person must look at."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata, partial_index

label_heard = Table(
    "label_heard",  # how well each gateway hears a label
    metadata,
    Column("label_id", String(64), primary_key=True),
    Column("gateway_id", String(64), primary_key=True),
    Column("rssi_dbm", Integer),
    Column("heard_at", UtcDateTime, nullable=False),
)

battery_samples = Table(
    "battery_sample",  # one a day, for the trend
    metadata,
    Column("label_id", String(64), primary_key=True),
    Column("on_day", Date, primary_key=True),
    Column("millivolts", Integer, nullable=False),
    Column("temperature_c", Integer),
)

frames = Table(
    "frame",  # as it first travelled
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("panel_id", String(40), nullable=False),
    Column("zlib_pixels", LargeBinary, nullable=False),
    Column("encoding", String(16), nullable=False, server_default="zlib"),
    Column("base", String(64)),  # digest of the frame it is a delta to
    Column("depth", SmallInteger, nullable=False, server_default="0"),  # deltas below it
    Column("mark", Text, nullable=False, server_default=""),  # of its product layer, hexadecimal
    Column("kept_on", Date, nullable=False, server_default="2026-01-01"),  # last sent that day
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
    Column("encoding", String(16), nullable=False, server_default="zlib"),
    Column("bytes", Integer, nullable=False, server_default="0"),  # of picture data that travelled
    sqlite_with_rowid=False,  # the key is the table: an index less on the hottest insert
)

published_payloads = Table(
    "published_payload",  # what was signed of payloads that the broker took
    metadata,
    Column("payload_id", BIG_KEY, Identity(), primary_key=True),
    Column("gateway_id", String(64), nullable=False),
    Column("session", String(64), nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("key_id", String(8), nullable=False),
    Column("sha256", String(64), nullable=False),  # of the payload
    Column("root", String(64), nullable=False),  # of the tree over its leaves
    Column("commands", Integer, nullable=False),
    Column("signature", String(128), nullable=False),  # `esl.domain.published.published_bytes`
    Column("sent_at", UtcDateTime, nullable=False),
    Column("written_at", UtcDateTime, nullable=False),
    Column("leaves", LargeBinary, nullable=False),  # 32 bytes of each picture to show
    Index("ix_published_payload_gateway", "gateway_id", "sent_at"),
)

staged = Table(
    "staged",  # pictures put into slots ahead of time
    metadata,
    Column("label_id", String(64), primary_key=True),
    Column("slot", SmallInteger, primary_key=True),
    Column("rev", BigInteger, nullable=False),  # it was put as
    Column("digest", String(64), nullable=False),
    Column("show_at", UtcDateTime),
    Column("show_rev", BigInteger),  # it is shown as, taken when the timed show is armed
    Column("state", SmallInteger, nullable=False),  # `esl.domain.label.SlotState`
    Column("command_id", BigInteger),  # of the last attempt
    Column("flip_id", BigInteger),  # whose picture it is
    Column("due_at", UtcDateTime),  # when to look at it next; None: nothing to do
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("gateway_id", String(64)),  # through which it was put or armed, in which session
    Column("session", String(64), nullable=False, server_default=""),
    partial_index("ix_staged_due", "due_at", where="due_at IS NOT NULL"),
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

failure_log = Table(
    "failure_log",  # labels given up and policy times passed; never on the hot path
    metadata,
    Column("entry_id", BIG_KEY, Identity(), primary_key=True),
    Column("label_id", String(64), nullable=False),
    Column("rev", BigInteger, nullable=False),
    Column("code", String(64), nullable=False),
    Column("detail", String(300), nullable=False, server_default=""),
    Column("gateway_id", String(64)),
    Column("attempts", Integer, nullable=False),
    Column("failed_at", UtcDateTime, nullable=False),
    Index("ix_failure_log_label", "label_id", "rev"),
)

touches = Table(
    "touch",  # buttons pressed and tags read
    metadata,
    Column("touch_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", String(64), nullable=False),
    Column("label_id", String(64), nullable=False),
    Column("gateway_id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # `esl.domain.touch.TouchKind`
    Column("button", SmallInteger),
    Column("touched_at", UtcDateTime),  # by the gateway's clock
    Column("heard_at", UtcDateTime, nullable=False),
    Index("ix_touch_store", "store_id", "touch_id"),
    Index("ix_touch_label", "label_id", "heard_at"),
)

problems = Table(
    "problem",  # what a person should look at
    metadata,
    Column("problem_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", ForeignKey("store.store_id"), index=True),  # None: the installation's
    Column("kind", String(40), nullable=False),
    Column("subject", String(140), nullable=False),  # "label-7", "zagreb-1/sku-3", "gw-1"
    Column("reason", String(300), nullable=False),
    Column("what_to_do", String(300), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),  # None: it is still so
    partial_index("ix_problem_open", "kind", "subject", unique=True, where="until IS NULL"),
)

remove_tasks = Table(
    "remove_task",  # labels to be taken off the shelf by hand
    metadata,
    Column("task_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", ForeignKey("store.store_id"), nullable=False, index=True),
    Column("label_id", String(64), nullable=False),
    Column("reason", String(300), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("done_by", String(80)),
    partial_index("ix_remove_task_open", "label_id", unique=True, where="done_at IS NULL"),
    Index("ix_remove_task_label", "label_id", "done_at"),
)

workers = Table(
    "worker",  # processes that speak with gateways
    metadata,
    Column("worker_id", String(64), primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("alive_until", UtcDateTime, nullable=False),
)
