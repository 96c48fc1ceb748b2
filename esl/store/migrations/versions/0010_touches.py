"""What people did to labels: buttons pressed, tags read, tasks done."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "touch",
        sa.Column(
            "touch_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(),
            nullable=False,
        ),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("label_id", sa.String(length=64), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("button", sa.SmallInteger(), nullable=True),
        sa.Column("touched_at", UtcDateTime(), nullable=True),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("touch_id"),
    )
    op.create_index("ix_touch_store", "touch", ["store_id", "touch_id"])
    op.create_index("ix_touch_label", "touch", ["label_id", "heard_at"])
    op.create_index("ix_remove_task_label", "remove_task", ["label_id", "done_at"])
