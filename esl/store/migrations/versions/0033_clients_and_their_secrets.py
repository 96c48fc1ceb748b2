"""Clients: machines that fetch short-lived tokens, with two secrets each at most."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "machine_client",
        sa.Column("client_id", sa.String(16), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("scopes", sa.String(300), nullable=False),
        sa.Column("stores", sa.String(2000), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_machine_client")),
    )
    op.create_table(
        "client_secret",
        sa.Column("secret_id", sa.String(16), nullable=False),
        sa.Column("client_id", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["machine_client.client_id"],
            name=op.f("fk_client_secret_client_id"),
        ),
        sa.PrimaryKeyConstraint("secret_id", name=op.f("pk_client_secret")),
    )
    op.create_index(op.f("ix_client_secret_client_id"), "client_secret", ["client_id"])


def downgrade() -> None:
    op.drop_table("client_secret")
    op.drop_table("machine_client")
