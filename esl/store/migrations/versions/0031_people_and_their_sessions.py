"""People with passwords and roles, what they were last seen doing, and who guesses too often."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("sign_in_name", sa.String(80), nullable=False),
        sa.Column("display_name", sa.String(120), nullable=False),
        sa.Column("mail", sa.String(254), nullable=True),
        sa.Column("language", sa.String(35), nullable=True),
        sa.Column("password_hash", sa.String(200), nullable=True),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_is_on", sa.Boolean(), nullable=False),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("recovery_sha256", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person")),
        sa.UniqueConstraint("sign_in_name", name=op.f("uq_person_sign_in_name")),
    )
    op.create_table(
        "person_role",
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        sa.Column("role", sa.String(12), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.person_id"], name=op.f("fk_person_role_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "store_id", "role", name=op.f("pk_person_role")),
    )
    op.create_index(op.f("ix_person_role_store_id"), "person_role", ["store_id"])
    op.create_table(
        "sign_in_throttle",
        sa.Column("throttle", sa.String(80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("throttle", name=op.f("pk_sign_in_throttle")),
    )
    op.create_index(op.f("ix_sign_in_throttle_at"), "sign_in_throttle", ["at"])
    op.add_column("person_session", sa.Column("used_at", UtcDateTime(), nullable=True))
    op.add_column("person_session", sa.Column("about", sa.String(120), nullable=True))
    op.create_index(op.f("ix_person_session_person"), "person_session", ["person"])
    op.add_column(
        "sign_in_link",
        sa.Column("purpose", sa.String(10), nullable=False, server_default="sign-in"),
    )
