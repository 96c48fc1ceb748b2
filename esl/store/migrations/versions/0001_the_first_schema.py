"""The first schema."""

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime
from esl.store.tables import REVISION_SEQUENCE

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answered_request",
        sa.Column("principal", sa.String(length=80), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("principal", "idempotency_key", name=op.f("pk_answered_request")),
    )
    op.create_index(
        op.f("ix_answered_request_answered_at"), "answered_request", ["answered_at"], unique=False
    )

    op.create_table(
        "display_log",
        sa.Column(
            "entry_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("label_id", sa.String(length=64), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("incarnation", sa.BigInteger(), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("painted_at", UtcDateTime(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_display_log")),
    )
    op.create_index("ix_display_log_label", "display_log", ["label_id", "entry_id"], unique=False)

    op.create_table(
        "frame",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("panel_id", sa.String(length=40), nullable=False),
        sa.Column("zlib_pixels", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_frame")),
    )
    op.create_table(
        "installation",
        sa.Column("only_row", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("acted_until", UtcDateTime(), nullable=False),
        sa.CheckConstraint("only_row = 1", name=op.f("ck_installation_one")),
        sa.PrimaryKeyConstraint("only_row", name=op.f("pk_installation")),
    )
    op.create_table(
        "issued",
        sa.Column("label_id", sa.String(length=64), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("template", sa.String(length=80), server_default="", nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("label_id", "rev", name=op.f("pk_issued")),
    )
    op.create_table(
        "machine_token",
        sa.Column("token_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.String(length=300), nullable=False),
        sa.Column("stores", sa.String(length=2000), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_machine_token")),
    )
    op.create_table(
        "person_session",
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("secret_sha256", name=op.f("pk_person_session")),
    )
    op.create_table(
        "price_event",
        sa.Column(
            "event_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("source_seq", sa.BigInteger(), nullable=True),
        sa.Column("source_time", UtcDateTime(), nullable=True),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("was_minor", sa.Integer(), nullable=True),
        sa.Column("unit_price_minor", sa.Integer(), nullable=True),
        sa.Column("badge", sa.String(length=40), nullable=True),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_price_event")),
    )
    op.create_index(
        "ix_price_event_history", "price_event", ["store_id", "sku", "event_id"], unique=False
    )

    op.create_table(
        "revision_counter",
        sa.Column("only_row", sa.SmallInteger(), nullable=False),
        sa.Column("last_rev", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("only_row = 1", name=op.f("ck_revision_counter_one")),
        sa.PrimaryKeyConstraint("only_row", name=op.f("pk_revision_counter")),
    )
    op.create_table(
        "sign_in_link",
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("secret_sha256", name=op.f("pk_sign_in_link")),
    )
    op.create_table(
        "source_position",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=True),
        sa.Column("last_time", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "sku", "source", name=op.f("pk_source_position")),
    )
    op.create_table(
        "store",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("link_base", sa.String(length=120), nullable=True),
        sa.Column("read_back_percent", sa.SmallInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_store")),
    )
    op.create_table(
        "gateway",
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=64), server_default="", nullable=False),
        sa.Column("online", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=True),
        sa.Column("level", sa.String(length=64), nullable=True),
        sa.Column("firmware", sa.String(length=64), nullable=True),
        sa.Column("capacity", sa.BigInteger(), nullable=True),
        sa.Column("counter", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("leased_by", sa.String(length=64), nullable=True),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_gateway_store_id")),
        sa.PrimaryKeyConstraint("gateway_id", name=op.f("pk_gateway")),
    )
    op.create_index(op.f("ix_gateway_store_id"), "gateway", ["store_id"], unique=False)

    op.create_table(
        "product",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("brand", sa.String(length=80), nullable=True),
        sa.Column("category", sa.String(length=120), nullable=True),
        sa.Column("gtin", sa.String(length=14), nullable=True),
        sa.Column("content_milli", sa.Integer(), nullable=True),
        sa.Column("content_unit", sa.String(length=8), nullable=True),
        sa.Column("priced_per", sa.String(length=8), nullable=True),
        sa.Column("link", sa.String(length=200), nullable=True),
        sa.Column("origin", sa.String(length=80), nullable=True),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.Column("deposit_minor", sa.Integer(), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_product_store_id")),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_product")),
    )
    op.create_table(
        "label",
        sa.Column("label_id", sa.String(length=64), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=True),
        sa.Column("panel_id", sa.String(length=40), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default="1", nullable=False),
        sa.Column("wanted_rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sent_rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("settled_rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shown_rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shown_digest", sa.String(length=64), server_default="", nullable=False),
        sa.Column("incarnation", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shown_session", sa.String(length=64), server_default="", nullable=False),
        sa.Column("shown_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("lane", sa.SmallInteger(), server_default="2", nullable=False),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.Column("problem_detail", sa.String(length=300), nullable=True),
        sa.Column("battery_mv", sa.Integer(), nullable=True),
        sa.Column("temperature_c", sa.Integer(), nullable=True),
        sa.Column("rssi_dbm", sa.Integer(), nullable=True),
        sa.Column("firmware", sa.String(length=64), nullable=True),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["gateway_id"], ["gateway.gateway_id"], name=op.f("fk_label_gateway_id")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_label_store_id")),
        sa.PrimaryKeyConstraint("label_id", name=op.f("pk_label")),
    )
    op.create_index(
        "ix_label_due",
        "label",
        ["gateway_id", "lane", "due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_label_store_id"), "label", ["store_id"], unique=False)

    op.create_table(
        "picture",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("saved_by", sa.String(length=80), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.store_id"], name=op.f("fk_picture_store_id")),
        sa.PrimaryKeyConstraint("store_id", "name", name=op.f("pk_picture")),
    )
    op.create_table(
        "template",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("pictures", sa.Text(), nullable=False),
        sa.Column("saved_by", sa.String(length=80), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_template_store_id")
        ),
        sa.PrimaryKeyConstraint("store_id", "name", "version", name=op.f("pk_template")),
    )
    op.create_table(
        "template_rule",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("template", sa.String(length=63), nullable=False),
        sa.Column("category", sa.String(length=120), nullable=True),
        sa.Column("brand", sa.String(length=80), nullable=True),
        sa.Column("panel", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("stock", sa.String(length=8), nullable=True),
        sa.Column("stock_most", sa.Integer(), nullable=True),
        sa.Column("weighed", sa.Boolean(), nullable=True),
        sa.Column("products", sa.SmallInteger(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.store_id"], name=op.f("fk_template_rule_store_id")
        ),
        sa.PrimaryKeyConstraint("store_id", "position", name=op.f("pk_template_rule")),
    )
    op.create_table(
        "price",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("was_minor", sa.Integer(), nullable=True),
        sa.Column("unit_price_minor", sa.Integer(), nullable=True),
        sa.Column("badge", sa.String(length=40), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id", "sku"],
            ["product.store_id", "product.sku"],
            name=op.f("fk_price_store_id_sku"),
        ),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_price")),
    )
    op.create_table(
        "pairing",
        sa.Column("label_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("paired_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["label_id"], ["label.label_id"], name=op.f("fk_pairing_label_id")),
        sa.ForeignKeyConstraint(
            ["store_id", "sku"],
            ["product.store_id", "product.sku"],
            name=op.f("fk_pairing_store_id_sku"),
        ),
        sa.PrimaryKeyConstraint("label_id", "position", name=op.f("pk_pairing")),
    )
    op.create_index("ix_pairing_product", "pairing", ["store_id", "sku"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.CreateSequence(REVISION_SEQUENCE))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.DropSequence(REVISION_SEQUENCE))
    op.drop_table("pairing")
    op.drop_table("price")
    op.drop_table("template_rule")
    op.drop_table("template")
    op.drop_table("picture")
    op.drop_table("label")
    op.drop_table("product")
    op.drop_table("gateway")
    op.drop_table("store")
    op.drop_table("source_position")
    op.drop_table("sign_in_link")
    op.drop_table("revision_counter")
    op.drop_table("price_event")
    op.drop_table("person_session")
    op.drop_table("machine_token")
    op.drop_table("issued")
    op.drop_table("installation")
    op.drop_table("frame")
    op.drop_table("display_log")
    op.drop_table("answered_request")
