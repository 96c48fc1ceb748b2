"""Prices for a later moment, commands that wait for a gateway, labels that leave a shop."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _add_columns()
    _create_tables()


def _add_columns() -> None:
    op.add_column("label", sa.Column("retired_at", UtcDateTime(), nullable=True))
    op.add_column("gateway", sa.Column("enrolled_keys", sa.String(length=40), nullable=True))
    for column in (
        sa.Column("flip_id", sa.BigInteger(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=True),
        sa.Column("session", sa.String(length=64), server_default="", nullable=False),
    ):
        op.add_column("staged", column)
    _create_partial_index("ix_staged_due", "staged", ["due_at"], "due_at IS NOT NULL")
    _create_partial_index("ix_price_event_rev", "price_event", ["rev"], "rev IS NOT NULL")


def _create_tables() -> None:
    op.create_table(
        "flip",
        sa.Column("flip_id", _BIG_KEY, sa.Identity(always=False), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("show_at", UtcDateTime(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.String(length=300), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_flip_store_id")),
        sa.PrimaryKeyConstraint("flip_id", name=op.f("pk_flip")),
    )
    op.create_index(op.f("ix_flip_store_id"), "flip", ["store_id"], unique=False)
    _create_partial_index("ix_flip_planned", "flip", ["show_at"], "state = 0")
    op.create_table(
        "command",
        sa.Column("command_key", _BIG_KEY, sa.Identity(always=False), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.String(length=300), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_command_store_id")),
        sa.PrimaryKeyConstraint("command_key", name=op.f("pk_command")),
    )
    op.create_index(op.f("ix_command_store_id"), "command", ["store_id"], unique=False)
    _create_partial_index("ix_command_due", "command", ["due_at"], "due_at IS NOT NULL")


def _create_partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name,
        table,
        columns,
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
