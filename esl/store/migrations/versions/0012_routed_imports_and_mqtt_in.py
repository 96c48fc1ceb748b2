"""Imports that serve several stores; messages from MQTT, and those that could not be taken."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COUNTED = (
    *("products", "accepted", "unchanged", "superseded", "quarantined", "rejected", "retired"),
    "labels",
)


def upgrade() -> None:
    op.add_column("import_job", sa.Column("stores", sa.Text(), nullable=True))
    op.create_table(
        "import_store",
        sa.Column("job_id", sa.String(40), nullable=False),
        sa.Column("store_id", sa.String(64), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
            for name in _COUNTED
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["import_job.job_id"], name=op.f("fk_import_store_job_id_import_job")
        ),
        sa.PrimaryKeyConstraint("job_id", "store_id", name=op.f("pk_import_store")),
    )
    op.create_table(
        "mqtt_session",
        sa.Column("client_id", sa.String(80), nullable=False),
        sa.Column("holder", sa.String(80), server_default="", nullable=False),
        sa.Column("held_until", UtcDateTime(), nullable=False),
        sa.Column("taken", sa.Text(), server_default="[]", nullable=False),
        sa.Column("problem", sa.String(300), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_mqtt_session")),
    )
    op.create_table(
        "mqtt_refused",
        sa.Column("refused_id", _KEY, sa.Identity(), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("topic", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("detail", sa.String(500), server_default="", nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("refused_id", name=op.f("pk_mqtt_refused")),
        sa.UniqueConstraint("topic", "sha256", name=op.f("uq_mqtt_refused_topic_sha256")),
    )
    op.create_index("ix_mqtt_refused_source", "mqtt_refused", ["source", "last_at"], unique=False)
