"""Which of a store's categories its law names, and how far a new law has come."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("store", sa.Column("law_goods", sa.Text(), nullable=True))
    op.add_column("store", sa.Column("judged_after", sa.String(length=64), nullable=True))
    op.create_index(
        "ix_proposal_held",
        "proposal",
        ["store_id", "sku"],
        sqlite_where=sa.text("quarantine_id IS NOT NULL"),
        postgresql_where=sa.text("quarantine_id IS NOT NULL"),
    )
