"""The tables of what is told ahead of time: prices for a later moment, commands that wait."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY, metadata, partial_index

flips = Table(
    "flip",  # prices that begin to hold together, at a moment
    metadata,
    Column("flip_id", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", ForeignKey("store.store_id"), nullable=False, index=True),
    Column("show_at", UtcDateTime, nullable=False),
    # As a price change request says them; of an edge of promotions, the list of their ids.
    Column("changes", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),  # `esl.domain.staged.FlipState`
    Column("actor", String(80), nullable=False),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("rev", BigInteger),  # of the price changes it became
    Column("detail", String(300), nullable=False, server_default=""),  # why it failed
    Column("kind", SmallInteger, nullable=False, server_default="0"),  # `esl.domain.staged`
    partial_index("ix_flip_planned", "show_at", where="state = 0"),
)

commands = Table(
    "command",  # for gateways, beside pictures; kept for whoever asked
    metadata,
    Column("command_key", BIG_KEY, Identity(), primary_key=True),
    Column("store_id", ForeignKey("store.store_id"), nullable=False, index=True),
    Column("gateway_id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # "led", "report", …
    Column("body", LargeBinary, nullable=False),  # what only the wire understands
    Column("asked_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),  # None: it is over
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("state", String(16), nullable=False),  # `esl.domain.staged.CommandState`
    Column("detail", String(300), nullable=False, server_default=""),
    partial_index("ix_command_due", "due_at", where="due_at IS NOT NULL"),
)
