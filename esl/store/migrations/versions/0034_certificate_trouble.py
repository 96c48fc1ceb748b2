"""Why the HTTP server's certificate needs somebody."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("installation", sa.Column("certificate_problem", sa.String(300), nullable=True))


def downgrade() -> None:
    op.drop_column("installation", "certificate_problem")
