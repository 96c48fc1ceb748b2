"""Sources, batches, what waits and what is held back; what prices are apart from promotions."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _add_columns()
    _create_sources()
    _create_batches()
    _create_prices()
    _create_jobs()


def _create_partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name,
        table,
        columns,
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def _add_columns() -> None:
    op.add_column("price", sa.Column("regular_minor", sa.Integer(), nullable=True))
    op.add_column("price", sa.Column("member_minor", sa.Integer(), nullable=True))
    op.add_column("price", sa.Column("multibuy_quantity", sa.SmallInteger(), nullable=True))
    op.add_column("price", sa.Column("multibuy_minor", sa.Integer(), nullable=True))
    op.add_column("price", sa.Column("changed_on", sa.Date(), nullable=True))
    op.add_column(
        "price",
        sa.Column("changes_that_day", sa.SmallInteger(), server_default="0", nullable=False),
    )
    op.add_column("price_event", sa.Column("batch_id", sa.BigInteger(), nullable=True))
    op.add_column("price_event", sa.Column("regular_minor", sa.Integer(), nullable=True))
    op.add_column("price_event", sa.Column("member_minor", sa.Integer(), nullable=True))
    op.add_column("price_event", sa.Column("multibuy_quantity", sa.SmallInteger(), nullable=True))
    op.add_column("price_event", sa.Column("multibuy_minor", sa.Integer(), nullable=True))
    op.add_column("price_event", sa.Column("reasons", sa.String(length=200), nullable=True))
    op.add_column("product", sa.Column("location", sa.String(length=80), nullable=True))
    op.add_column("product", sa.Column("tax_permille", sa.SmallInteger(), nullable=True))
    op.add_column("product", sa.Column("anchor_minor", sa.Integer(), nullable=True))
    op.add_column("product", sa.Column("lowest_30d_minor", sa.Integer(), nullable=True))
    op.add_column("product", sa.Column("lowest_30d_source", sa.String(length=64), nullable=True))
    op.add_column("product", sa.Column("lowest_30d_day", sa.Date(), nullable=True))
    op.add_column("product", sa.Column("owners", sa.Text(), nullable=True))
    op.add_column("store", sa.Column("guards", sa.Text(), nullable=True))
    op.add_column("store", sa.Column("frozen_at", UtcDateTime(), nullable=True))
    _create_partial_index(
        "ix_price_event_batch", "price_event", ["batch_id"], "batch_id IS NOT NULL"
    )


def _create_sources() -> None:
    op.create_table(
        "source",
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("mapping", sa.String(length=63), nullable=True),
        sa.Column("priority", sa.SmallInteger(), server_default="50", nullable=False),
        sa.Column("priorities", sa.Text(), server_default="{}", nullable=False),
        sa.Column("guards", sa.Text(), nullable=True),
        sa.Column("expected_by", sa.String(length=5), nullable=True),
        sa.Column("expected_every_s", sa.Integer(), nullable=True),
        sa.Column("expected_since", UtcDateTime(), nullable=True),
        sa.Column("heard_at", UtcDateTime(), nullable=True),
        sa.Column("accepts_full", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("settings", sa.Text(), server_default="{}", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_source_store_id")),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_source")),
    )
    op.create_index(op.f("ix_source_store_id"), "source", ["store_id"], unique=False)
    op.create_table(
        "source_secret",
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.source_id"], name=op.f("fk_source_secret_source_id")
        ),
        sa.PrimaryKeyConstraint("source_id", "number", name=op.f("pk_source_secret")),
    )
    op.create_table(
        "mapping_version",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("saved_by", sa.String(length=80), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_mapping_version")),
    )
    op.create_table(
        "seen_file",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=True),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "sha256", name=op.f("pk_seen_file")),
    )


def _create_batches() -> None:
    op.create_table(
        "batch",
        sa.Column("batch_id", _BIG_KEY, sa.Identity(always=False), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("accepted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("superseded", sa.Integer(), server_default="0", nullable=False),
        sa.Column("quarantined", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rejected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tripped_at", UtcDateTime(), nullable=True),
        sa.Column("rolled_back_at", UtcDateTime(), nullable=True),
        sa.Column("rolled_back_by", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batch")),
    )
    op.create_index(op.f("ix_batch_store_id"), "batch", ["store_id"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("quarantine_id", _BIG_KEY, sa.Identity(always=False), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("held_minor", sa.Integer(), nullable=True),
        sa.Column("reasons", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="open", nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("quarantine_id", name=op.f("pk_quarantine")),
    )
    op.create_index(op.f("ix_quarantine_batch_id"), "quarantine", ["batch_id"], unique=False)
    _create_partial_index("ix_quarantine_open", "quarantine", ["store_id", "sku"], "state = 'open'")
    op.create_table(
        "missing_product",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_missing_product")),
    )
    op.create_index(
        op.f("ix_missing_product_batch_id"), "missing_product", ["batch_id"], unique=False
    )
    op.create_table(
        "big_change",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "source", "minute", name=op.f("pk_big_change")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("entry_id", _BIG_KEY, sa.Identity(always=False), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=True),
        sa.Column("subject", sa.String(length=140), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_store", "audit_entry", ["store_id", "entry_id"], unique=False)


def _create_prices() -> None:
    op.create_table(
        "scheduled_price",
        sa.Column("schedule_id", _BIG_KEY, sa.Identity(always=False), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_to", UtcDateTime(), nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=12), server_default="waiting", nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("schedule_id", name=op.f("pk_scheduled_price")),
    )
    _create_partial_index(
        "ix_scheduled_price_due", "scheduled_price", ["due_at"], "due_at IS NOT NULL"
    )
    op.create_index(
        "ix_scheduled_price_product", "scheduled_price", ["store_id", "sku"], unique=False
    )
    op.create_table(
        "pos_promotion",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("promotion_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("club", sa.String(length=80), nullable=True),
        sa.Column("valid_from", UtcDateTime(), nullable=True),
        sa.Column("valid_to", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id", "sku"],
            ["product.store_id", "product.sku"],
            name=op.f("fk_pos_promotion_store_id_sku"),
        ),
        sa.PrimaryKeyConstraint(
            "store_id", "sku", "source", "promotion_id", name=op.f("pk_pos_promotion")
        ),
    )
    _create_partial_index("ix_pos_promotion_due", "pos_promotion", ["due_at"], "due_at IS NOT NULL")
    op.create_table(
        "product_gtin",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id", "sku"],
            ["product.store_id", "product.sku"],
            name=op.f("fk_product_gtin_store_id_sku"),
        ),
        sa.PrimaryKeyConstraint("store_id", "sku", "gtin", name=op.f("pk_product_gtin")),
    )
    op.create_index("ix_product_gtin_gtin", "product_gtin", ["store_id", "gtin"], unique=False)
    op.create_table(
        "price_day",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "sku", "day", name=op.f("pk_price_day")),
    )


def _create_jobs() -> None:
    op.create_table(
        "import_job",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("dry_run", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("path", sa.String(length=500), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("mapping", sa.String(length=63), nullable=True),
        sa.Column("mapping_version", sa.Integer(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("cursor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows_seen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("products", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("accepted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("superseded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("quarantined", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("retired", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("labels", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_import_job")),
    )
    op.create_index("ix_import_job_state", "import_job", ["state", "created_at"], unique=False)
    op.create_table(
        "import_row",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=True),
        sa.Column("sku", sa.String(length=64), nullable=True),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("field", sa.String(length=40), server_default="", nullable=False),
        sa.Column("reason", sa.String(length=300), server_default="", nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["import_job.job_id"], name=op.f("fk_import_row_job_id")
        ),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_import_row")),
    )
