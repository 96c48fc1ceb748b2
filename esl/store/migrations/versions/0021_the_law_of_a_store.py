"""The law profile that a store names; none is that of its locale's country."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("store", sa.Column("law", sa.String(length=32), nullable=True))
