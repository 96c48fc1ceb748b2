"""Subscriptions of other systems, the messages that were sent to them, and the stock they know."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "subscription",
        sa.Column("subscription_id", sa.String(64), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=True),
        sa.Column("url", sa.String(400), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("description", sa.String(200), nullable=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False, server_default=sa.text("true")),
        sa.Column("allow_private", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("batch_most", sa.Integer(), nullable=False),
        sa.Column("low_stock", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("old_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("old_until", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(80), nullable=False),
        sa.Column("prices_after", sa.BigInteger(), nullable=False),
        sa.Column("promotions_after", sa.BigInteger(), nullable=False),
        sa.Column("problems_after", sa.BigInteger(), nullable=False),
        sa.Column("shown_after", sa.BigInteger(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("failing_since", UtcDateTime(), nullable=True),
        sa.Column("stopped_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.String(300), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_subscription_store_id")
        ),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("pk_subscription")),
    )
    op.create_index(op.f("ix_subscription_store_id"), "subscription", ["store_id"])
    op.create_table(
        "event_delivery",
        sa.Column("delivery_id", big_key, sa.Identity(), nullable=False),
        sa.Column("subscription_id", sa.String(64), nullable=False),
        sa.Column("message_id", sa.String(80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("zlib_body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("error", sa.String(300), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.subscription_id"],
            name=op.f("fk_event_delivery_subscription_id"),
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_event_delivery")),
    )
    op.create_index(
        "ix_event_delivery_subscription", "event_delivery", ["subscription_id", "delivery_id"]
    )
    op.create_index(
        "ix_event_delivery_open",
        "event_delivery",
        ["subscription_id"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "stock_told",
        sa.Column("subscription_id", sa.String(64), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("level", sa.String(4), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.subscription_id"],
            name=op.f("fk_stock_told_subscription_id"),
        ),
        sa.PrimaryKeyConstraint("subscription_id", "store_id", "sku", name=op.f("pk_stock_told")),
    )
