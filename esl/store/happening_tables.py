"""The tables of what happened and of people who are told: see `esl.store.happenings`."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
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
    UniqueConstraint,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata, partial_index

happenings = Table(
    "happening",  # events that no other book holds
    metadata,
    Column("happening_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", String(64)),  # None: the installation's
    Column("at", UtcDateTime, nullable=False),
    Column("type", String(40), nullable=False),  # `esl.domain.subscription.EventType`
    Column("once", String(140)),  # of two with the same word only the first is kept
    Column("data", Text, nullable=False),  # JSON, as it is sent
    UniqueConstraint("once"),
)

event_recorder = Table(
    "event_recorder",  # how far other books were looked through for what makes a happening
    metadata,
    Column("only_row", SmallInteger, CheckConstraint("only_row = 1", name="one"), primary_key=True),
    Column("quarantine_after", BigInteger, nullable=False),
    Column("audit_after", BigInteger, nullable=False),
)

notification_settings = Table(
    "notification_setting",
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("content", Text, nullable=False),  # JSON, as `esl.intake.notification_json` reads it
    Column("sealed", LargeBinary, nullable=False),  # `api.secret_box`: password and addresses
    Column("version", Integer, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(80), nullable=False),
)

notified_causes = Table(
    "notified_cause",  # what each recipient was told and has not heard the end of
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("recipient", String(64), primary_key=True),
    Column("cause", String(200), primary_key=True),
    Column("told_at", UtcDateTime, nullable=False),
    Column("told_count", Integer, nullable=False),
    Column("over_since", UtcDateTime),
)

notifications = Table(
    "notification",  # messages to people, and what became of each
    metadata,
    Column("notification_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", String(64), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("message_id", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("subject", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(10), nullable=False),  # `esl.domain.notification.MessageState`
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime),  # not before
    Column("error", String(300)),
    Column("sent_at", UtcDateTime),
    Index("ix_notification_store", "store_id", "notification_id"),
    partial_index("ix_notification_open", "store_id", "recipient", where="state = 'open'"),
)
