"""How labels are, by their own beacons: written for many labels at once, and never in a hurry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from esl.domain.ids import LabelId
from esl.store.bulk import Bulk
from esl.store.columns import instant_text
from esl.store.tables import labels
from esl.store.upsert import in_batches


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What a label's beacons said of itself up to ``seen_at``; None where they said nothing."""

    label_id: LabelId
    seen_at: datetime
    battery_mv: int | None = None
    temperature_c: int | None = None
    rssi_dbm: int | None = None
    firmware: str | None = None
    slots: tuple[tuple[int, bytes], ...] | None = None  # revision and digest of each


_NOTE: Final = Bulk(
    """
    UPDATE label SET seen_at = {instant[1]},
        battery_mv = coalesce(CAST(j.value->>2 AS integer), label.battery_mv),
        temperature_c = coalesce(CAST(j.value->>3 AS integer), label.temperature_c),
        rssi_dbm = coalesce(CAST(j.value->>4 AS integer), label.rssi_dbm),
        firmware = coalesce(j.value->>5, label.firmware)
    FROM {rows} WHERE label.label_id = j.value->>0 AND label.seen_at <= {instant[1]}
    """
)
_SAMPLE: Final = Bulk(
    """
    INSERT INTO battery_sample (label_id, on_day, millivolts, temperature_c)
    SELECT j.value->>0, {day[1]}, CAST(j.value->>2 AS integer), CAST(j.value->>3 AS integer)
    FROM {rows} WHERE true ON CONFLICT DO NOTHING
    """
)


def write_vitals(tx: Connection, vitals: Iterable[Vitals]) -> None:
    """Write how labels are, and of each the first battery voltage of the day (in UTC).

    What a label's row knows of a later moment stays.
    """
    in_order = sorted(vitals, key=lambda v: v.label_id)
    _NOTE.run(
        tx,
        [
            (
                v.label_id,
                instant_text(v.seen_at),
                v.battery_mv,
                v.temperature_c,
                v.rssi_dbm,
                v.firmware,
            )
            for v in in_order
        ],
    )
    _SAMPLE.run(
        tx,
        [
            (
                v.label_id,
                v.seen_at.astimezone(UTC).date().isoformat(),
                v.battery_mv,
                v.temperature_c,
            )
            for v in in_order
            if v.battery_mv is not None
        ],
    )


def write_slots(tx: Connection, slots: Mapping[LabelId, tuple[tuple[int, bytes], ...]]) -> None:
    """Write what labels' slots hold, by their own word: revision and digest of each."""
    rows = [
        {"the_label": label, "said": msgspec.msgpack.encode(slots[label])}
        for label in sorted(slots)
    ]
    if rows:
        told = bindparam("said", type_=labels.c.slots.type)
        tx.execute(
            update(labels).where(labels.c.label_id == bindparam("the_label")).values(slots=told),
            rows,
        )


def count_slots(tx: Connection, label_ids: Iterable[LabelId]) -> dict[LabelId, int]:
    """Count the slots of those of these labels that said what theirs hold."""
    found: dict[LabelId, int] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = select(labels.c.label_id, labels.c.slots).where(
            labels.c.label_id.in_(batch), labels.c.slots.is_not(None)
        )
        for row in tx.execute(query):
            held = msgspec.msgpack.decode(row.slots, type=list[tuple[int, bytes]])
            found[LabelId(row.label_id)] = len(held)
    return found
