"""Paper tickets: what stands on the shelf in place of a label."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paper_ticket",
        sa.Column("ticket_id", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("sheet", sa.String(16), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("label_id", sa.String(64), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("was_settled", sa.Boolean(), nullable=False),
        sa.Column("skus", sa.Text(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("place", sa.String(80)),
        sa.Column("width_tenths_mm", sa.Integer(), nullable=False),
        sa.Column("height_tenths_mm", sa.Integer(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("printed_at", UtcDateTime(), nullable=False),
        sa.Column("printed_by", sa.String(80), nullable=False),
        sa.Column("gone_at", UtcDateTime()),
        sa.Column("gone_by", sa.String(80)),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_paper_ticket_store_id_store")
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_paper_ticket")),
    )
    op.create_index("ix_paper_ticket_store", "paper_ticket", ["store_id", "ticket_id"])
    op.create_index("ix_paper_ticket_sheet", "paper_ticket", ["sheet"])
    op.create_index("ix_paper_ticket_gone", "paper_ticket", ["gone_at"])
    op.create_index(
        "ix_paper_ticket_open",
        "paper_ticket",
        ["label_id"],
        sqlite_where=sa.text("gone_at IS NULL"),
        postgresql_where=sa.text("gone_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("paper_ticket")
