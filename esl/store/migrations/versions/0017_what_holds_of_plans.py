"""What holds of prices with a begin or an end is computed from all of them, not from one before."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from esl.store.columns import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""From when on a price holds that held before the others: as `esl.store.schedule.EVER`."""

_ROWS: Final = sa.text(
    "SELECT store_id, sku, before, actor FROM scheduled_price"
    " WHERE state = 'holding' AND before IS NOT NULL ORDER BY schedule_id"
)
_TEXTS: Final = ("store_id", "sku", "source", "said", "state", "actor")
_INSTANTS: Final = ("valid_from", "counts_from", "received_at")
_TABLE: Final = sa.table(
    "scheduled_price",
    *(sa.column(name, sa.String()) for name in _TEXTS),
    *(sa.column(name, UtcDateTime()) for name in _INSTANTS),
)


def upgrade() -> None:
    op.add_column("scheduled_price", sa.Column("counts_from", UtcDateTime(), nullable=True))
    op.add_column("scheduled_price", sa.Column("replaced_by", sa.BigInteger(), nullable=True))
    tx = op.get_bind()
    based: dict[tuple[str, str], dict[str, Any]] = {}
    for row in tx.execute(_ROWS).all():
        base = {"store_id": row.store_id, "sku": row.sku, "source": "", "actor": row.actor}
        base |= {"said": _said(json.loads(row.before)), "state": "base"}
        based.setdefault((row.store_id, row.sku), base | dict.fromkeys(_INSTANTS, _EVER))
    if based:
        tx.execute(sa.insert(_TABLE), list(based.values()))
    op.create_index(
        "ix_scheduled_price_live",
        "scheduled_price",
        ["store_id", "due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.drop_column("scheduled_price", "before")
    op.drop_column("scheduled_price", "rev")


def _said(before: list[Any]) -> str:
    """Write the price from before as what its till said: apart from promotions."""
    price, was, unit, badge, regular = before[:5]
    if regular is not None:
        price, was, unit = regular, None, None
    return json.dumps({"price": price, "was": was, "unit": unit, "badge": badge})
