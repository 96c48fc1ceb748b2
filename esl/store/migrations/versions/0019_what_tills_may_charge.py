"""How tills are told, what each may charge, and which labels may still show another price."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "till_setting",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("price_owner", sa.String(8), nullable=False, server_default="till"),
        sa.Column("channel", sa.String(8), nullable=False, server_default="none"),
        sa.Column("is_safe", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("url", sa.String(400), nullable=True),
        sa.Column("allow_private", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("within_s", sa.Integer(), nullable=False, server_default="300"),
        sa.Column("told_rev", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("failing_since", UtcDateTime(), nullable=True),
        sa.Column("error", sa.String(300), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_till_setting_store_id")
        ),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_till_setting")),
    )
    op.create_table(
        "till_price",
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("shelf", sa.Text(), nullable=False),
        sa.Column("shelf_rev", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.Text(), nullable=True),
        sa.Column("least", sa.Text(), nullable=True),
        sa.Column("granted", sa.Text(), nullable=False),
        sa.Column("granted_rev", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.Text(), nullable=True),
        sa.Column("acked_rev", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("acked_at", UtcDateTime(), nullable=True),
        sa.Column("truth", sa.Text(), nullable=False),
        sa.Column("waits", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("plan_at", UtcDateTime(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("plan_rev", sa.BigInteger(), nullable=True),
        sa.Column("plan_acked", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_till_price")),
    )
    op.create_index("ix_till_price_rev", "till_price", ["store_id", "rev"])
    for name, those in (("least", "least IS NOT NULL"), ("waits", "waits > 0")):
        op.create_index(
            f"ix_till_price_{name}",
            "till_price",
            ["store_id"],
            sqlite_where=sa.text(those),
            postgresql_where=sa.text(those),
        )
    op.create_table(
        "former_pairing",
        sa.Column("label_id", sa.String(64), nullable=False),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("label_id", "sku", name=op.f("pk_former_pairing")),
    )
    op.create_index("ix_former_pairing_product", "former_pairing", ["store_id", "sku"])
    op.create_table(
        "absent_label",
        sa.Column("label_id", sa.String(64), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("attested_at", UtcDateTime(), nullable=False),
        sa.Column("attested_by", sa.String(80), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("label_id", name=op.f("pk_absent_label")),
    )
