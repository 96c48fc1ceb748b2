"""Which labels hang a neutral face because the picture they should show was refused, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_REFUSED = "refused_rev = wanted_rev"

# What the controllers before this one wrote down of it. Failures of labels and gateways are
# among the entries, too: only where the last picture is a neutral face it was a refusal.
_TAKE_OVER = """
    UPDATE label SET refused_rev = wanted_rev,
        refused_code = (SELECT min(f.code) FROM failure_log AS f
            WHERE f.label_id = label.label_id AND f.rev = label.wanted_rev
                AND f.code <> 'timeout'),
        refused_detail = (SELECT min(f.detail) FROM failure_log AS f
            WHERE f.label_id = label.label_id AND f.rev = label.wanted_rev
                AND f.code <> 'timeout')
    WHERE problem IS NULL
        AND EXISTS (SELECT 1 FROM failure_log AS f
            WHERE f.label_id = label.label_id AND f.rev = label.wanted_rev
                AND f.code <> 'timeout')
        AND EXISTS (SELECT 1 FROM issued
            WHERE issued.label_id = label.label_id AND issued.rev = label.sent_rev
                AND issued.template = 'neutral')
"""


def upgrade() -> None:
    op.add_column("label", sa.Column("refused_rev", sa.BigInteger(), nullable=True))
    op.add_column("label", sa.Column("refused_code", sa.String(length=64), nullable=True))
    op.add_column("label", sa.Column("refused_detail", sa.String(length=300), nullable=True))
    op.create_index(
        "ix_label_refused",
        "label",
        ["store_id"],
        unique=False,
        sqlite_where=sa.text(_REFUSED),
        postgresql_where=sa.text(_REFUSED),
    )
    op.execute(_TAKE_OVER)
