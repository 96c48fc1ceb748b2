"""The history of pairings, shelf codes and walks, and short links with their visits."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pairing_event",
        sa.Column("event_id", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("label_id", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("beside", sa.String(64), nullable=True),
        sa.Column("undone_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_pairing_event")),
    )
    op.create_index("ix_pairing_event_label", "pairing_event", ["label_id", "event_id"])
    op.create_index("ix_pairing_event_store", "pairing_event", ["store_id", "event_id"])
    op.create_table(
        "place_code",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("place", sa.String(80), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_place_code_store_id")
        ),
        sa.PrimaryKeyConstraint("store_id", "code", name=op.f("pk_place_code")),
    )
    op.create_table(
        "current_place",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("place", sa.String(80), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_current_place_store_id")
        ),
        sa.PrimaryKeyConstraint("store_id", "actor", name=op.f("pk_current_place")),
    )
    op.create_table(
        "store_walk",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("is_serpentine", sa.Boolean(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_store_walk_store_id")
        ),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_store_walk")),
    )
    op.create_table(
        "short_link",
        sa.Column("code", sa.String(8), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("target", sa.String(300), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_short_link")),
    )
    op.create_index("ix_short_link_product", "short_link", ["store_id", "sku"], unique=True)
    op.create_table(
        "link_setting",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("base", sa.String(80), nullable=False),
        sa.Column("hosts", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(300), nullable=False),
        sa.Column("prefix", sa.String(84), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_link_setting_store_id")
        ),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_link_setting")),
    )
    op.create_table(
        "link_visit",
        sa.Column("code", sa.String(8), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", "day", name=op.f("pk_link_visit")),
    )
