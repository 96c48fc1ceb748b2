"""When each gateway was given its first enrolment file: one that is never heard is a problem.

And the id of the key that signs: a start with another is refused.
"""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gateway", sa.Column("enrolled_at", UtcDateTime(), nullable=True))
    op.add_column("installation", sa.Column("signing_key", sa.String(length=16), nullable=True))
