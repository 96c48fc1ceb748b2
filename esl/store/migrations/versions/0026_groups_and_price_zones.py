"""Groups of stores, price zones, what they say, and how far their stores were told."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "store_group",
        sa.Column("group_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_store_group")),
    )
    op.create_table(
        "group_store",
        sa.Column("group_id", sa.String(64), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["store_group.group_id"], name=op.f("fk_group_store_group_id")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_group_store_store_id")
        ),
        sa.PrimaryKeyConstraint("group_id", "store_id", name=op.f("pk_group_store")),
    )
    op.create_table(
        "price_zone",
        sa.Column("zone_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.PrimaryKeyConstraint("zone_id", name=op.f("pk_price_zone")),
    )
    op.create_table(
        "zone_store",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("zone_id", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_zone_store_store_id")
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["price_zone.zone_id"], name=op.f("fk_zone_store_zone_id")
        ),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_zone_store")),
    )
    op.create_index("ix_zone_store_zone_id", "zone_store", ["zone_id"])
    op.create_table(
        "zone_price",
        sa.Column("zone_id", sa.String(40), nullable=False),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("was_minor", sa.Integer(), nullable=True),
        sa.Column("unit_price_minor", sa.Integer(), nullable=True),
        sa.Column("badge", sa.String(40), nullable=True),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("said_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("zone_id", "sku", name=op.f("pk_zone_price")),
    )
    op.create_table(
        "zone_position",
        sa.Column("zone_id", sa.String(40), nullable=False),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("zone_id", "sku", "source", name=op.f("pk_zone_position")),
    )
    op.create_table(
        "zone_change",
        sa.Column("change_id", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("zone_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("products", sa.Integer(), nullable=False),
        sa.Column("stores", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("said_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_zone_change")),
    )
    op.create_table(
        "zone_task",
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("after_sku", sa.String(64), server_default="", nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("told", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("change_id", "store_id", name=op.f("pk_zone_task")),
    )
    those = "done_at IS NULL"
    op.create_index(
        "ix_zone_task_open",
        "zone_task",
        ["store_id", "change_id"],
        sqlite_where=sa.text(those),
        postgresql_where=sa.text(those),
    )
    zone = sa.table("price_zone", sa.column("zone_id"), sa.column("name"))
    op.bulk_insert(zone, [{"zone_id": "chain", "name": "All stores"}])
