"""Whose a members' price is, "3 for 2", tags of products, and what waiting labels show."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("price", "offer", "price_event"):
        op.add_column(table, sa.Column("multibuy_pay_for", sa.SmallInteger(), nullable=True))
        op.add_column(table, sa.Column("member_condition", sa.String(80), nullable=True))
    op.add_column("product", sa.Column("tags", sa.Text(), nullable=True))
    _make_waiting_anew()


def _make_waiting_anew() -> None:
    """A label may wait with one of its products and not with another: note each by itself."""
    rows = (
        op.get_bind()
        .execute(
            sa.text(
                "SELECT w.label_id, p.sku, w.promotion_id FROM waiting_label AS w"
                " JOIN pairing AS p ON p.label_id = w.label_id ORDER BY w.label_id, p.sku"
            )
        )
        .all()
    )
    op.drop_index("ix_waiting_label_promotion_id", "waiting_label")
    op.drop_table("waiting_label")
    waiting = op.create_table(
        "waiting_label",
        sa.Column("label_id", sa.String(64), nullable=False),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("promotion_id", sa.String(64), nullable=False),
        sa.Column("shows", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("label_id", "sku", name=op.f("pk_waiting_label")),
    )
    op.create_index("ix_waiting_label_promotion_id", "waiting_label", ["promotion_id"])
    if rows:
        op.bulk_insert(
            waiting,
            [
                {"label_id": label_id, "sku": sku, "promotion_id": promotion_id}
                for label_id, sku, promotion_id in rows
            ],
        )
