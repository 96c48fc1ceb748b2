"""Promotions, the offers that hold by them, and flips that are their edges."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "promotion",
        sa.Column("promotion_id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_by", sa.String(80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("reached", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("promotion_id", name=op.f("pk_promotion")),
    )
    op.create_table(
        "promotion_version",
        sa.Column("promotion_id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("saved_by", sa.String(80), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["promotion.promotion_id"],
            name=op.f("fk_promotion_version_promotion_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("promotion_id", "version", name=op.f("pk_promotion_version")),
    )
    op.create_table(
        "promotion_store",
        sa.Column("promotion_id", sa.String(64), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("turned_at", UtcDateTime(), nullable=True),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["promotion.promotion_id"],
            name=op.f("fk_promotion_store_promotion_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_promotion_store_store_id")
        ),
        sa.PrimaryKeyConstraint("promotion_id", "store_id", name=op.f("pk_promotion_store")),
    )
    op.create_index(
        "ix_promotion_store_next",
        "promotion_store",
        ["next_at"],
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index("ix_promotion_store_store", "promotion_store", ["store_id"])
    op.create_table(
        "offer",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("was_minor", sa.Integer(), nullable=True),
        sa.Column("unit_price_minor", sa.Integer(), nullable=True),
        sa.Column("badge", sa.String(40), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("regular_minor", sa.Integer(), nullable=True),
        sa.Column("member_minor", sa.Integer(), nullable=True),
        sa.Column("multibuy_quantity", sa.SmallInteger(), nullable=True),
        sa.Column("multibuy_minor", sa.Integer(), nullable=True),
        sa.Column("lowest_30d_minor", sa.Integer(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("template", sa.String(63), nullable=True),
        sa.Column("promotions", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("trouble", sa.String(24), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_offer")),
    )
    op.create_index(
        "ix_offer_trouble",
        "offer",
        ["store_id"],
        sqlite_where=sa.text("trouble IS NOT NULL"),
        postgresql_where=sa.text("trouble IS NOT NULL"),
    )
    op.create_table(
        "waiting_label",
        sa.Column("label_id", sa.String(64), nullable=False),
        sa.Column("promotion_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("label_id", name=op.f("pk_waiting_label")),
    )
    op.create_index("ix_waiting_label_promotion_id", "waiting_label", ["promotion_id"])
    op.add_column("flip", sa.Column("kind", sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column(
        "price_event", sa.Column("layer", sa.SmallInteger(), nullable=False, server_default="0")
    )
    op.add_column("price_event", sa.Column("why", sa.Text(), nullable=True))
