"""Where labels hang, and prices from before our time with their kind and their end.

``past_price`` takes the place of ``price_day``, which could hold one price a day alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("label", sa.Column("place", sa.String(length=80), nullable=True))
    op.create_table(
        "past_price",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "sku", "kind", "day"),
    )
    op.execute(
        "INSERT INTO past_price (store_id, sku, kind, day, price_minor, source, batch_id)"
        " SELECT store_id, sku, 'regular', day, price_minor, source, batch_id FROM price_day"
    )
    op.drop_table("price_day")
