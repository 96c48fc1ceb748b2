"""People who sign in by an OpenID provider, and which sessions it vouches for."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person_identity",
        sa.Column("key_sha256", sa.String(64), nullable=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("linked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_sha256", name=op.f("pk_person_identity")),
    )
    op.create_index(op.f("ix_person_identity_person_id"), "person_identity", ["person_id"])
    op.add_column(
        "person_session",
        sa.Column("by_provider", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_column("person_session", "by_provider")
    op.drop_index(op.f("ix_person_identity_person_id"), "person_identity")
    op.drop_table("person_identity")
