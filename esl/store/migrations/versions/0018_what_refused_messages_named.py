"""What a refused message named beside its body: its idempotency key and its store.

Taken again without them it would be taken twice, or not at all.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mqtt_refused", sa.Column("key", sa.String(length=200), nullable=True))
    op.add_column("mqtt_refused", sa.Column("store", sa.String(length=200), nullable=True))
