"""When machines' tokens and secrets end, and were last used."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_time",
        sa.Column("access", sa.String(40), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("access", name=op.f("pk_access_time")),
    )


def downgrade() -> None:
    op.drop_table("access_time")
