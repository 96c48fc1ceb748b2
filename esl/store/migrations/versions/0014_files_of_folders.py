"""Files that were found in folders, one by one: which was taken, and what its till was told."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.drop_table("seen_file")  # nothing was ever written to it
    op.create_table(
        "seen_file",
        sa.Column("number", _KEY, sa.Identity(), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("instance", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("outcome", sa.String(12), nullable=True),
        sa.Column("job_id", sa.String(40), nullable=True),
        sa.Column("is_repeat", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("problem", sa.String(500), server_default="", nullable=False),
        sa.Column("result", sa.String(12), nullable=False),
        sa.Column("result_due", UtcDateTime(), nullable=True),
        sa.Column("rev_before", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seen_file")),
        sa.UniqueConstraint("source", "instance", name=op.f("uq_seen_file_source_instance")),
    )
    op.create_index("ix_seen_file_source", "seen_file", ["source", "number"], unique=False)
    op.create_index("ix_seen_file_state", "seen_file", ["source", "state"], unique=False)
    op.create_index("ix_seen_file_result", "seen_file", ["source", "result"], unique=False)
    op.create_index("ix_seen_file_seen_at", "seen_file", ["seen_at"], unique=False)
    op.add_column("import_row", sa.Column("fix", sa.String(300), server_default="", nullable=False))
