"""What was signed of payloads that told labels to show pictures, for as long as that is proven."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime
from esl.store.schema import BIG_KEY

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_NO_UPDATE = "published_payload_no_update"


def upgrade() -> None:
    op.create_table(
        "published_payload",
        sa.Column("payload_id", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("gateway_id", sa.String(64), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.String(8), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("commands", sa.Integer(), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("payload_id", name=op.f("pk_published_payload")),
    )
    op.create_index("ix_published_payload_gateway", "published_payload", ["gateway_id", "sent_at"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {_NO_UPDATE} BEFORE UPDATE ON published_payload"
            " BEGIN SELECT RAISE(ABORT, 'published_payload is append only'); END"
        )
        return
    op.execute(
        f"CREATE TRIGGER {_NO_UPDATE} BEFORE UPDATE ON published_payload"
        " FOR EACH STATEMENT EXECUTE FUNCTION esl_append_only()"
    )


def downgrade() -> None:
    op.drop_table("published_payload")
