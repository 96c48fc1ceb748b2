"""What deliveries need to know: deltas, staging, verdicts, workers, problems and tasks.

A label of an older version that still waits for its picture gets its policy time from the
upgrade on. Pictures sent so far travelled whole, as zlib.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _add_columns()
    _widen_issued()
    op.execute(
        "UPDATE label SET wanted_at = (SELECT acted_until FROM installation)"
        " WHERE wanted_rev > settled_rev"
    )
    _create_tables_of_labels()
    _create_tables_of_people()


def _add_columns() -> None:
    added: dict[str, tuple[sa.Column[Any], ...]] = {
        "store": (
            sa.Column("neutral_policy", sa.String(length=8), server_default="face", nullable=False),
            sa.Column(
                "unknown_labels", sa.String(length=8), server_default="ignore", nullable=False
            ),
            sa.Column("adopt_until", UtcDateTime(), nullable=True),
            sa.Column("policy_time_s", sa.Integer(), server_default="900", nullable=False),
        ),
        "gateway": (
            sa.Column("payload_bytes", sa.BigInteger(), nullable=True),
            sa.Column("features", sa.Text(), nullable=True),
            sa.Column("clock_trusted", sa.Boolean(), server_default=sa.true(), nullable=False),
            sa.Column("lease_epoch", sa.BigInteger(), server_default="0", nullable=False),
        ),
        "label": (
            sa.Column("wanted_at", UtcDateTime(), nullable=True),
            sa.Column("send_full", sa.Boolean(), server_default=sa.false(), nullable=False),
            sa.Column("quarantine", sa.SmallInteger(), server_default="0", nullable=False),
            sa.Column("slots", sa.LargeBinary(), nullable=True),
            sa.Column("refresh_failures", sa.SmallInteger(), server_default="0", nullable=False),
        ),
        "frame": (
            sa.Column("encoding", sa.String(length=16), server_default="zlib", nullable=False),
            sa.Column("base", sa.String(length=64), nullable=True),
            sa.Column("depth", sa.SmallInteger(), server_default="0", nullable=False),
        ),
    }
    for table, columns in added.items():
        for column in columns:
            op.add_column(table, column)


def _widen_issued() -> None:
    """Add how much travelled; on SQLite the key becomes the table, which spares an index."""
    encoding = sa.Column("encoding", sa.String(length=16), server_default="zlib", nullable=False)
    size = sa.Column("bytes", sa.Integer(), server_default="0", nullable=False)
    if op.get_context().dialect.name == "sqlite":
        op.create_table(
            "issued_by_key",
            sa.Column("label_id", sa.String(length=64), nullable=False),
            sa.Column("rev", sa.BigInteger(), nullable=False),
            sa.Column("digest", sa.String(length=64), nullable=False),
            sa.Column("gateway_id", sa.String(length=64), nullable=False),
            sa.Column("template", sa.String(length=80), server_default="", nullable=False),
            sa.Column("issued_at", UtcDateTime(), nullable=False),
            encoding,
            size,
            sa.PrimaryKeyConstraint("label_id", "rev", name=op.f("pk_issued")),
            sqlite_with_rowid=False,
        )
        names = "label_id, rev, digest, gateway_id, template, issued_at"
        op.execute(f"INSERT INTO issued_by_key ({names}) SELECT {names} FROM issued")  # noqa: S608  # nosec B608
        op.drop_table("issued")
        op.rename_table("issued_by_key", "issued")
    else:
        op.add_column("issued", encoding)
        op.add_column("issued", size)
    op.execute(
        "UPDATE issued SET bytes = coalesce((SELECT length(frame.zlib_pixels) FROM frame"
        " WHERE frame.digest = issued.digest), 0)"
    )


def _create_tables_of_labels() -> None:
    op.create_table(
        "battery_sample",
        sa.Column("label_id", sa.String(length=64), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("millivolts", sa.Integer(), nullable=False),
        sa.Column("temperature_c", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("label_id", "on_day", name=op.f("pk_battery_sample")),
    )
    op.create_table(
        "label_heard",
        sa.Column("label_id", sa.String(length=64), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("rssi_dbm", sa.Integer(), nullable=True),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("label_id", "gateway_id", name=op.f("pk_label_heard")),
    )
    op.create_table(
        "staged",
        sa.Column("label_id", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("show_at", UtcDateTime(), nullable=True),
        sa.Column("show_rev", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("command_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("label_id", "slot", name=op.f("pk_staged")),
    )
    op.create_table(
        "failure_log",
        sa.Column("entry_id", _BIG_KEY, sa.Identity(always=False), nullable=False),
        sa.Column("label_id", sa.String(length=64), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.String(length=300), server_default="", nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_failure_log")),
    )
    op.create_index("ix_failure_log_label", "failure_log", ["label_id", "rev"], unique=False)


def _create_tables_of_people() -> None:
    op.create_table(
        "problem",
        sa.Column("problem_id", _BIG_KEY, sa.Identity(always=False), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=140), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("what_to_do", sa.String(length=300), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_problem_store_id")),
        sa.PrimaryKeyConstraint("problem_id", name=op.f("pk_problem")),
    )
    op.create_index(op.f("ix_problem_store_id"), "problem", ["store_id"], unique=False)
    op.create_index(
        "ix_problem_open",
        "problem",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_table(
        "remove_task",
        sa.Column("task_id", _BIG_KEY, sa.Identity(always=False), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("label_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("done_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_remove_task_store_id")
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_remove_task")),
    )
    op.create_index(op.f("ix_remove_task_store_id"), "remove_task", ["store_id"], unique=False)
    op.create_index(
        "ix_remove_task_open",
        "remove_task",
        ["label_id"],
        unique=True,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "worker",
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("alive_until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("worker_id", name=op.f("pk_worker")),
    )
