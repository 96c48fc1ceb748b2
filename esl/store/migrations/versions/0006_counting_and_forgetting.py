"""Indexes that a store is counted from, and the day on which a frame was last sent."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STUCK = "due_at IS NULL AND (problem IS NOT NULL OR settled_rev < wanted_rev)"


def upgrade() -> None:
    op.add_column(
        "frame", sa.Column("kept_on", sa.Date(), server_default="2026-01-01", nullable=False)
    )
    _create_partial_index("ix_label_stuck", "label", "store_id", _STUCK)
    _create_partial_index("ix_pairing_first", "pairing", "store_id", "position = 0")


def _create_partial_index(name: str, table: str, column: str, where: str) -> None:
    op.create_index(
        name,
        table,
        [column],
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
