"""What a kept frame's product layer is marked with, so that new prices can be painted over it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("frame", sa.Column("mark", sa.Text(), server_default="", nullable=False))
