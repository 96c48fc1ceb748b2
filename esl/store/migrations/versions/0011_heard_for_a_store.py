"""When a source was last heard for each store it serves: it may fall silent for one of them."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source_store",
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "store_id"),
    )
    op.execute(
        "INSERT INTO source_store (source_id, store_id, heard_at)"
        " SELECT source_id, store_id, heard_at FROM source"
        " WHERE store_id IS NOT NULL AND heard_at IS NOT NULL"
    )
