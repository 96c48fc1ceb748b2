"""Labels as devices, and their batteries day by day."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, Select, literal, select

from esl.domain.fleet import REFRESH_FAILURES_MOST, BatterySample, Device
from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.store.columns import AnyRow
from esl.store.labels import LABEL_IS_PAIRED
from esl.store.tables import battery_samples, labels
from esl.store.upsert import in_batches, insert_selected_if_new

_DEVICE = (
    labels.c.label_id,
    labels.c.gateway_id,
    labels.c.panel_id,
    LABEL_IS_PAIRED.label("paired"),
    labels.c.wanted_rev,
    labels.c.sent_rev,
    labels.c.settled_rev,
    labels.c.shown_rev,
    labels.c.attempts,
    labels.c.due_at,
    labels.c.wanted_at,
    labels.c.problem,
    labels.c.problem_detail,
    labels.c.quarantine,
    labels.c.refresh_failures,
    labels.c.retired_at,
    labels.c.seen_at,
    labels.c.battery_mv,
    labels.c.temperature_c,
    labels.c.rssi_dbm,
    labels.c.firmware,
)


def devices_of(
    tx: Connection, store_id: StoreId, *, after: str = "", limit: int = 1_000_000
) -> list[Device]:
    """List a store's labels as devices, by id, those after ``after``."""
    return _devices(tx, _of_store(store_id).where(labels.c.label_id > after).limit(limit))


def troubled_devices(
    tx: Connection,
    store_id: StoreId,
    *,
    silent_before: datetime,
    late_before: datetime,
    battery_below_mv: int,
) -> list[Device]:
    """List the labels of a store that something may be wrong with: few, where all is well."""
    row = labels.c
    unsettled = row.settled_rev < row.wanted_rev
    signs: list[ColumnElement[bool]] = [
        row.quarantine != 0,
        row.problem.is_not(None),
        row.refresh_failures >= REFRESH_FAILURES_MOST,
        row.battery_mv < battery_below_mv,
        (row.wanted_rev > 0) & (row.seen_at < silent_before),
        unsettled & (row.wanted_at <= late_before),
    ]
    any_of = signs[0]
    for sign in signs[1:]:
        any_of |= sign
    return _devices(tx, _of_store(store_id).where(any_of))


def device_named(tx: Connection, label_id: LabelId) -> Device:
    """Load one label as a device; it must exist."""
    [found] = _devices(tx, select(*_DEVICE).where(labels.c.label_id == label_id))
    return found


def sample_batteries(tx: Connection, store_id: StoreId, on_day: date, *, since: datetime) -> None:
    """Note the voltages of a store's labels for a day, once, of those seen since a moment.

    Another worker may note the same at the same time.
    """
    held = (
        select(battery_samples.c.label_id)
        .where(battery_samples.c.label_id == labels.c.label_id, battery_samples.c.on_day == on_day)
        .correlate(labels)
    )
    heard = select(
        labels.c.label_id, literal(on_day, Date()), labels.c.battery_mv, labels.c.temperature_c
    ).where(
        labels.c.store_id == store_id,
        labels.c.battery_mv.is_not(None),
        labels.c.seen_at >= since,
        ~held.exists(),
    )
    names = ["label_id", "on_day", "millivolts", "temperature_c"]
    insert_selected_if_new(tx, battery_samples, names, heard)


def batteries_of(
    tx: Connection, label_ids: Sequence[LabelId], *, since: date
) -> dict[LabelId, list[BatterySample]]:
    """Load battery samples from a day on."""
    found: dict[LabelId, list[BatterySample]] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = (
            select(battery_samples)
            .where(battery_samples.c.label_id.in_(batch), battery_samples.c.on_day >= since)
            .order_by(battery_samples.c.label_id, battery_samples.c.on_day)
        )
        for row in tx.execute(query):
            found.setdefault(LabelId(row.label_id), []).append(
                BatterySample(
                    on_day=row.on_day, millivolts=row.millivolts, temperature_c=row.temperature_c
                )
            )
    return found


def _of_store(store_id: StoreId) -> Select[Any]:
    return select(*_DEVICE).where(labels.c.store_id == store_id).order_by(labels.c.label_id)


def _devices(tx: Connection, query: Select[Any]) -> list[Device]:
    return [_device(row) for row in tx.execute(query)]


def _device(row: AnyRow) -> Device:
    fields = row._asdict()
    gateway_id = fields["gateway_id"]
    fields["gateway_id"] = GatewayId(gateway_id) if gateway_id is not None else None
    fields["paired"] = bool(fields["paired"])
    fields["quarantine"] = bool(fields["quarantine"])
    return Device(**fields)
