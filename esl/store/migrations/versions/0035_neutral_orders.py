"""Stores whose labels show no prices by order."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "neutral_order",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_neutral_order_store_id")
        ),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_neutral_order")),
    )


def downgrade() -> None:
    op.drop_table("neutral_order")
