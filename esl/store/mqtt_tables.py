"""The tables of MQTT in: who listens, what was taken and not acknowledged yet, what was refused.

A session's ``taken`` is JSON: the last messages that were stored, each as its packet id and the
first digits of its digest. So many as may be on their way unacknowledged are kept, and no more:
one that comes again after a crash is known by them.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata

mqtt_sessions = Table(
    "mqtt_session",
    metadata,
    Column("client_id", String(80), primary_key=True),
    Column("holder", String(80), nullable=False, server_default=""),  # the process that listens
    Column("held_until", UtcDateTime, nullable=False),
    Column("taken", Text, nullable=False, server_default="[]"),
    Column("problem", String(300), nullable=False, server_default=""),  # in words; "" is none
)

mqtt_refused = Table(
    "mqtt_refused",  # messages that could not be taken, for a person to look at
    metadata,
    Column("refused_id", BIG_KEY, Identity(), primary_key=True),
    Column("source", String(64), nullable=False),  # as the topic names it, known or not
    Column("topic", String(200), nullable=False),
    Column("reason", String(20), nullable=False),  # `esl.domain.mqtt_in.Refusal`
    Column("detail", String(500), nullable=False, server_default=""),
    Column("payload", LargeBinary, nullable=False),  # its first bytes
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("key", String(200)),  # its idempotency key
    Column("store", String(200)),  # in its source's words
    UniqueConstraint("topic", "sha256"),
    Index("ix_mqtt_refused_source", "source", "last_at"),
)
