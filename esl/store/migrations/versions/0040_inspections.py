"""Inspections: walks with a sample of labels, and what was seen."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inspection",
        sa.Column("inspection_id", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("begun_by", sa.String(80), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_inspection_store_id_store")
        ),
        sa.PrimaryKeyConstraint("inspection_id", name=op.f("pk_inspection")),
    )
    op.create_index("ix_inspection_store", "inspection", ["store_id", "inspection_id"])
    op.create_index("ix_inspection_begun", "inspection", ["begun_at"])
    op.create_table(
        "inspection_item",
        sa.Column("inspection_id", BIG_KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("label_id", sa.String(64), nullable=False),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("place", sa.String(80)),
        sa.Column("shelf_minor", sa.BigInteger()),
        sa.Column("till_minor", sa.BigInteger()),
        sa.Column("seen", sa.String(12)),
        sa.Column("seen_minor", sa.BigInteger()),
        sa.Column("note", sa.String(200)),
        sa.Column("seen_at", UtcDateTime()),
        sa.Column("seen_by", sa.String(80)),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspection.inspection_id"],
            name=op.f("fk_inspection_item_inspection_id_inspection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inspection_id", "number", name=op.f("pk_inspection_item")),
    )


def downgrade() -> None:
    op.drop_table("inspection_item")
    op.drop_table("inspection")
