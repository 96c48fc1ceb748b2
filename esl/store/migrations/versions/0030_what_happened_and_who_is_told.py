"""What happened and is written down nowhere else; people who are told of problems."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "happening",
        sa.Column("happening_id", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("once", sa.String(140), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("happening_id", name=op.f("pk_happening")),
        sa.UniqueConstraint("once", name=op.f("uq_happening_once")),
    )
    op.create_table(
        "event_recorder",
        sa.Column("only_row", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("quarantine_after", sa.BigInteger(), nullable=False),
        sa.Column("audit_after", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("only_row = 1", name=op.f("ck_event_recorder_one")),
        sa.PrimaryKeyConstraint("only_row", name=op.f("pk_event_recorder")),
    )
    # What was before is no news.
    op.execute(
        "INSERT INTO event_recorder (only_row, quarantine_after, audit_after) SELECT 1,"
        " (SELECT coalesce(max(quarantine_id), 0) FROM quarantine),"
        " (SELECT coalesce(max(entry_id), 0) FROM audit_entry)"
    )
    op.add_column(
        "subscription",
        sa.Column("happenings_after", sa.BigInteger(), nullable=False, server_default="0"),
    )
    op.create_table(
        "notification_setting",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(80), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_notification_setting_store_id")
        ),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_notification_setting")),
    )
    op.create_table(
        "notified_cause",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("cause", sa.String(200), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("told_count", sa.Integer(), nullable=False),
        sa.Column("over_since", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "recipient", "cause", name=op.f("pk_notified_cause")),
    )
    op.create_table(
        "notification",
        sa.Column("notification_id", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("message_id", sa.String(80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.String(300), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_notification")),
    )
    op.create_index("ix_notification_store", "notification", ["store_id", "notification_id"])
    op.create_index(
        "ix_notification_open",
        "notification",
        ["store_id", "recipient"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
