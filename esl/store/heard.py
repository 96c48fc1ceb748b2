"""How well each gateway hears a label: rows in and out, seldom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from esl.domain.ids import GatewayId, LabelId
from esl.store.bulk import Bulk
from esl.store.columns import instant_text
from esl.store.tables import label_heard


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardRow:
    """When and how loud a gateway heard a label; ``rssi_dbm`` None where it does not say."""

    label_id: LabelId
    gateway_id: GatewayId
    rssi_dbm: int | None
    heard_at: datetime


_NOTE: Final = Bulk(
    """
    INSERT INTO label_heard (label_id, gateway_id, rssi_dbm, heard_at)
    SELECT label.label_id, j.value->>1, CAST(j.value->>2 AS integer), {instant[3]}
    FROM {rows} CROSS JOIN label
    WHERE label.label_id = j.value->>0
    ON CONFLICT (label_id, gateway_id)
    DO UPDATE SET rssi_dbm = excluded.rssi_dbm, heard_at = excluded.heard_at
    """
)


def note_heard(tx: Connection, rows: Iterable[HeardRow]) -> None:
    """Note who hears which label; labels that are not registered are left out."""
    _NOTE.run(
        tx,
        sorted([r.label_id, r.gateway_id, r.rssi_dbm, instant_text(r.heard_at)] for r in rows),
    )


def heard_by(tx: Connection, label_id: LabelId) -> Mapping[GatewayId, HeardRow]:
    """Load how well each gateway heard a label."""
    query = select(label_heard).where(label_heard.c.label_id == label_id)
    return {
        GatewayId(row.gateway_id): HeardRow(
            label_id=label_id,
            gateway_id=GatewayId(row.gateway_id),
            rssi_dbm=row.rssi_dbm,
            heard_at=row.heard_at,
        )
        for row in tx.execute(query)
    }
