"""The tables of promotions: what was planned, where it runs, and the offers that hold by it.

``price`` is what the till says. A product under a promotion has an ``offer`` beside it, which its
labels show instead; one without has none.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import metadata, partial_index

promotions = Table(
    "promotion",
    metadata,
    Column("promotion_id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),  # the one in use; the first is 1
    Column("state", String(16), nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),  # or cancelled, or rolled back
    Column("reached", SmallInteger, nullable=False, server_default="0"),  # step of its roll-out
)

promotion_versions = Table(
    "promotion_version",
    metadata,
    Column(
        "promotion_id",
        ForeignKey("promotion.promotion_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("version", Integer, primary_key=True),
    Column("definition", Text, nullable=False),  # JSON, as `esl.intake.promotion_json` reads it
    Column("digest", String(64), nullable=False),  # of the definition
    Column("saved_by", String(80), nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
)

promotion_stores = Table(
    "promotion_store",  # where a promotion runs, and its next moment there
    metadata,
    Column(
        "promotion_id",
        ForeignKey("promotion.promotion_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("turned_at", UtcDateTime),  # up to which moment its edges were applied
    Column("next_at", UtcDateTime),  # of the next edge; None: there is none, or it is no plan yet
    partial_index("ix_promotion_store_next", "next_at", where="next_at IS NOT NULL"),
    Index("ix_promotion_store_store", "store_id"),
)

offers = Table(
    "offer",
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("price_minor", Integer, nullable=False),
    Column("was_minor", Integer),
    Column("unit_price_minor", Integer),
    Column("badge", String(40)),
    Column("rev", BigInteger, nullable=False),
    Column("regular_minor", Integer),
    Column("member_minor", Integer),
    Column("multibuy_quantity", SmallInteger),
    Column("multibuy_minor", Integer),
    Column("multibuy_pay_for", SmallInteger),  # "3 for 2": the 2; None: it is a total
    Column("member_condition", String(80)),  # whose price member_minor is
    Column("lowest_30d_minor", Integer),  # of the days before, where the law wants it shown
    Column("valid_to", Date),  # the last day, in the zone of the store
    Column("template", String(63)),  # instead of what the rules choose
    Column("promotions", Text, nullable=False),  # ids of those that apply, separated by blanks
    Column("reason", Text, nullable=False),  # JSON: why, in the terms of `esl.domain.promotion`
    Column("trouble", String(24)),  # why its price is shown plainly: `offer.Trouble`
    partial_index("ix_offer_trouble", "store_id", where="trouble IS NOT NULL"),
)

waiting_labels = Table(
    "waiting_label",  # in another area, or not in the step of a roll-out yet
    metadata,
    Column("label_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("promotion_id", String(64), nullable=False, index=True),
    Column("shows", Text),  # JSON, as `esl.store.truth` reads it; None: what the till says
)
