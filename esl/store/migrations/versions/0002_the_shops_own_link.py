"""A store may say where the QR codes of its labels lead."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("store", sa.Column("shop_link", sa.String(length=200), nullable=True))
