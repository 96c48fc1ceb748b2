"""How far history has aged: it is forgotten by this, so that a clock that leapt forgets nothing.

A database of before begins with the last time that its controller acted by.
"""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("installation", sa.Column("aged_until", UtcDateTime(), nullable=True))
    op.execute("UPDATE installation SET aged_until = acted_until")


def downgrade() -> None:
    op.drop_column("installation", "aged_until")
