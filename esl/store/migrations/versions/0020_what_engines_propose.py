"""Prices that engines propose, the bounds of each store, and what products cost."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proposal_rules",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_proposal_rules_store_id")
        ),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_proposal_rules")),
    )
    op.create_table(
        "proposal",
        sa.Column("proposal_id", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("held_minor", sa.Integer(), nullable=True),
        sa.Column("regular_minor", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("refusals", sa.Text(), nullable=True),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(80), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(300), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=True),
        sa.Column("quarantine_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_proposal")),
    )
    op.create_index("ix_proposal_store", "proposal", ["store_id", "proposal_id"])
    for name, columns, those in (
        ("waiting", ["store_id", "sku"], "state = 'waiting'"),
        ("rev", ["store_id", "sku", "rev"], "rev IS NOT NULL"),
    ):
        op.create_index(
            f"ix_proposal_{name}",
            "proposal",
            columns,
            sqlite_where=sa.text(those),
            postgresql_where=sa.text(those),
        )
    op.create_table(
        "product_cost",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("cost_minor", sa.Integer(), nullable=False),
        sa.Column("said_by", sa.String(80), nullable=False),
        sa.Column("said_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_product_cost")),
    )
