"""The logins that gateways and tills have at the broker, and the tokens gateways enrol with."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "broker_login",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_broker_login")),
    )
    op.create_table(
        "gateway_token",
        sa.Column("gateway_id", sa.String(64), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["gateway_id"], ["gateway.gateway_id"], name=op.f("fk_gateway_token_gateway_id")
        ),
        sa.PrimaryKeyConstraint("gateway_id", name=op.f("pk_gateway_token")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_gateway_token_secret_sha256")),
    )
