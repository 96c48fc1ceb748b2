"""The stock that labels are drawn with, where it may lag behind what is there."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("product", sa.Column("stock_shown", sa.Integer(), nullable=True))
