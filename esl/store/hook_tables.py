"""The tables of webhooks and connectors: what called, and how far we have read elsewhere.

An event is *due* from its arrival on; being worked on moves ``due_at`` ahead, which is lease and
retry in one; None is over. Events of one source are worked on in the order of their arrival.
"""

from sqlalchemy import (
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata, partial_index

hook_events = Table(
    "hook_event",
    metadata,
    Column("hook_key", BIG_KEY, Identity(), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("event_id", String(200), nullable=False),  # the sender's; ours where it has none
    Column("system", String(16), nullable=False),  # `esl.intake.hooks.verifiers.HookKind`
    Column("topic", String(120), nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False),  # as it came, byte for byte
    Column("headers", Text, nullable=False, server_default="{}"),  # JSON: those its reader needs
    Column("sent_at", UtcDateTime),  # the sender's word, where it is signed
    Column("received_at", UtcDateTime, nullable=False),
    Column("state", String(8), nullable=False, server_default="new"),  # done, noise, poisoned
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("due_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("error", String(300), nullable=False, server_default=""),
    UniqueConstraint("source", "event_id"),
    partial_index("ix_hook_event_open", "source", "hook_key", where="due_at IS NOT NULL"),
    Index("ix_hook_event_received", "received_at"),
)

connectors = Table(
    "connector",  # how far a system that we ask was read
    metadata,
    Column("source", String(64), primary_key=True),
    Column("cursor", Text, nullable=False, server_default=""),  # in its own words; "" is all
    Column("progress", Text, nullable=False, server_default=""),  # within a run: the next page
    Column("due_at", UtcDateTime, nullable=False),  # of the next step
    Column("read_at", UtcDateTime),  # when a run was last read to its end
    Column("whole_at", UtcDateTime),  # when everything was last read, whatever had changed
    Column("attempts", SmallInteger, nullable=False, server_default="0"),  # failures in a row
    Column("problem", String(500), nullable=False, server_default=""),  # in words; "" is none
    Column("runs", Integer, nullable=False, server_default="0"),
)

connector_wants = Table(
    "connector_want",  # single objects that events named: to be fetched beside what has changed
    metadata,
    Column("source", String(64), primary_key=True),
    Column("object_id", String(140), primary_key=True),
    Column("asked_at", UtcDateTime, nullable=False),
)
