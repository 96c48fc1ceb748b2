"""When the installation was backed up last by itself, and why it was not."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("installation", sa.Column("backed_up_at", UtcDateTime(), nullable=True))
    op.add_column("installation", sa.Column("backup_problem", sa.String(300), nullable=True))


def downgrade() -> None:
    op.drop_column("installation", "backup_problem")
    op.drop_column("installation", "backed_up_at")
