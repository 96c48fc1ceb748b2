"""History that is forgotten in time: how far, and signed cuts that stand for blocks of the chain.

A price event or an entry of the audit may be deleted once it is older than what was noted as
forgotten, a block or checkpoint once a cut stands for it, and a cut once a wider one does.
Hashes of prices and entries are kept whole from now on (32 bytes), so that what is left of a block
can be proven; those of before are made whole by the controller, in the background.
"""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_FORGOTTEN = "SELECT 1 FROM forgotten_history AS f WHERE f.kind = {kind} AND OLD.{at} < f.before"
_MAY_GO = (
    ("audit_entry", _FORGOTTEN.format(kind=1, at="at")),
    ("price_event", _FORGOTTEN.format(kind=2, at="received_at")),
    (
        "audit_block",
        (
            "SELECT 1 FROM audit_cut AS c"
            " WHERE c.first_number <= OLD.number AND c.last_number >= OLD.number"
        ),
    ),
    (
        "audit_checkpoint",
        (
            "SELECT 1 FROM audit_cut AS c"
            " WHERE c.first_number <= OLD.number AND c.last_number > OLD.number"
        ),
    ),
    (
        "audit_cut",
        (
            "SELECT 1 FROM audit_cut AS c"
            " WHERE c.first_number <= OLD.first_number AND c.last_number >= OLD.last_number"
            " AND c.last_number - c.first_number > OLD.last_number - OLD.first_number"
        ),
    ),
)
_ALWAYS_REFUSED = ("audit_entry", "price_event", "audit_block", "audit_checkpoint")


def upgrade() -> None:
    op.create_table(
        "forgotten_history",
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("before", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_forgotten_history")),
    )
    op.create_table(
        "audit_cut",
        sa.Column("first_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash_before", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("public_key", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("first_number", "last_number", name=op.f("pk_audit_cut")),
    )
    op.add_column(
        "audit_part",
        sa.Column("leaf_bytes", sa.SmallInteger(), nullable=False, server_default="32"),
    )
    op.execute("UPDATE audit_part SET leaf_bytes = 8 WHERE kind IN (1, 2)")
    for table in _ALWAYS_REFUSED:
        _drop_guard(table)
    if op.get_bind().dialect.name == "sqlite":
        for table, condition in _MAY_GO:
            op.execute(
                f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}"
                f" WHEN NOT EXISTS ({condition})"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append only'); END"
            )
        op.execute(
            "CREATE TRIGGER audit_cut_no_update BEFORE UPDATE ON audit_cut"
            " BEGIN SELECT RAISE(ABORT, 'audit_cut is append only'); END"
        )
        return
    for table, condition in _MAY_GO:
        op.execute(
            f"CREATE FUNCTION esl_{table}_may_go() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN IF NOT EXISTS ({condition}) THEN"
            " RAISE EXCEPTION '% is append only', TG_TABLE_NAME; END IF; RETURN OLD; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION esl_{table}_may_go()"
        )
    op.execute(
        "CREATE TRIGGER audit_cut_no_update BEFORE UPDATE ON audit_cut"
        " FOR EACH STATEMENT EXECUTE FUNCTION esl_append_only()"
    )


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in _ALWAYS_REFUSED:
        _drop_guard(table)
        if is_sqlite:
            op.execute(
                f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append only'); END"
            )
        else:
            op.execute(f"DROP FUNCTION esl_{table}_may_go()")
            op.execute(
                f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION esl_append_only()"
            )
    op.drop_column("audit_part", "leaf_bytes")
    op.drop_table("audit_cut")
    op.drop_table("forgotten_history")
    if not is_sqlite:
        op.execute("DROP FUNCTION esl_audit_cut_may_go()")


def _drop_guard(table: str) -> None:
    on = "" if op.get_bind().dialect.name == "sqlite" else f" ON {table}"
    op.execute(f"DROP TRIGGER {table}_no_delete{on}")
