"""The inbox of webhooks, and how far each connector has read."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "hook_event",
        sa.Column("hook_key", _KEY, sa.Identity(), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(200), nullable=False),
        sa.Column("system", sa.String(16), nullable=False),
        sa.Column("topic", sa.String(120), server_default="", nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("headers", sa.Text(), server_default="{}", nullable=False),
        sa.Column("sent_at", UtcDateTime()),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(8), server_default="new", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("due_at", UtcDateTime()),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("error", sa.String(300), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("hook_key", name=op.f("pk_hook_event")),
        sa.UniqueConstraint("source", "event_id", name=op.f("uq_hook_event_source_event_id")),
    )
    op.create_index(
        "ix_hook_event_open",
        "hook_event",
        ["source", "hook_key"],
        unique=False,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("ix_hook_event_received", "hook_event", ["received_at"], unique=False)
    op.create_table(
        "connector",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("cursor", sa.Text(), server_default="", nullable=False),
        sa.Column("progress", sa.Text(), server_default="", nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime()),
        sa.Column("whole_at", UtcDateTime()),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("problem", sa.String(500), server_default="", nullable=False),
        sa.Column("runs", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_connector")),
    )
    op.create_table(
        "connector_want",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("object_id", sa.String(140), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "object_id", name=op.f("pk_connector_want")),
    )
