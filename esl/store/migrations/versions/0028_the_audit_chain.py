"""The audit chain, and triggers that let nobody change what it seals by mistake.

What is pruned (the display log) may be deleted, and ``price_event.layer`` may change: the chain
does not seal it. Everything else that is sealed is neither changed nor deleted.
"""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_OF_PRICES = (
    "event_id, store_id, sku, source, source_seq, source_time, price_minor, currency, was_minor,"
    " unit_price_minor, badge, decision, rev, actor, received_at, batch_id, regular_minor,"
    " member_minor, multibuy_quantity, multibuy_minor, multibuy_pay_for, member_condition,"
    " reasons, why"
)
_GUARDS = (
    ("audit_entry", "UPDATE"),
    ("audit_entry", "DELETE"),
    ("price_event", f"UPDATE OF {_OF_PRICES}"),
    ("price_event", "DELETE"),
    ("display_log", "UPDATE"),
    ("audit_block", "UPDATE"),
    ("audit_block", "DELETE"),
    ("audit_checkpoint", "UPDATE"),
    ("audit_checkpoint", "DELETE"),
)


def upgrade() -> None:
    op.create_table(
        "audit_block",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("sealed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_block")),
    )
    op.create_table(
        "audit_part",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number", "kind", name=op.f("pk_audit_part")),
    )
    op.create_index("ix_audit_part_last", "audit_part", ["kind", "last_id"])
    op.create_table(
        "audit_gap",
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("first_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "first_id", name=op.f("pk_audit_gap")),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("public_key", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_checkpoint")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for table, event in _GUARDS:
            op.execute(
                f"CREATE TRIGGER {_name(table, event)} BEFORE {event} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION esl_append_only() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '% is append only', TG_TABLE_NAME; END $$"
    )
    for table, event in _GUARDS:
        op.execute(
            f"CREATE TRIGGER {_name(table, event)} BEFORE {event} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION esl_append_only()"
        )


def _name(table: str, event: str) -> str:
    return f"{table}_no_{event.split(maxsplit=1)[0].lower()}"
