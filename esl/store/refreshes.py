"""How often labels were painted: counted from what they reported, by label and by day."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, func, select

from esl.domain.ids import LabelId, StoreId
from esl.store.tables import display_log, labels

_L: Final = display_log.c


@dataclass(frozen=True, slots=True, kw_only=True)
class OfStore:
    """A store's refreshes: by day, oldest first, and by label, the most first."""

    days: tuple[tuple[date, int], ...]
    labels: tuple[tuple[LabelId, int], ...]


def first_day(now: datetime, zone: ZoneInfo, days: int) -> tuple[date, datetime]:
    """Return the first of so many days up to today, and when it began."""
    day = now.astimezone(zone).date() - timedelta(days=days - 1)
    return day, datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def refreshes_of_label(
    tx: Connection, label_id: LabelId, now: datetime, *, zone: ZoneInfo, days: int
) -> list[tuple[date, int]]:
    """Count a label's refreshes of each of the last days, in the store's time, oldest first."""
    day, since = first_day(now, zone, days)
    query = select(_L.recorded_at).where(_L.label_id == label_id, _L.recorded_at >= since)
    counts = Counter(row.recorded_at.astimezone(zone).date() for row in tx.execute(query))
    return _each_day(day, days, counts)


def refreshes_of_store(
    tx: Connection, store_id: StoreId, now: datetime, *, zone: ZoneInfo, days: int
) -> OfStore:
    """Count the refreshes of a store's labels: each day (to the hour), and each label's."""
    day, since = first_day(now, zone, days)
    of_store = (
        labels.c.store_id == store_id,
        _L.entry_id >= _first_entry_since(tx, since),
        _L.recorded_at >= since,
    )
    joined = display_log.join(labels, labels.c.label_id == _L.label_id)
    many = func.count().label("many")
    hour: ColumnElement[str] = (
        func.strftime("%Y-%m-%d %H", _L.recorded_at)
        if tx.dialect.name == "sqlite"
        else func.to_char(func.timezone("UTC", _L.recorded_at), "YYYY-MM-DD HH24")
    )
    by_hour = select(hour.label("hour"), many).select_from(joined).where(*of_store).group_by("hour")
    by_label = select(_L.label_id, many).select_from(joined).where(*of_store)
    by_label = by_label.group_by(_L.label_id).order_by(many.desc(), _L.label_id)
    counts: Counter[date] = Counter()
    for row in tx.execute(by_hour):
        begun = datetime.strptime(row.hour, "%Y-%m-%d %H").replace(tzinfo=UTC)
        counts[(begun + timedelta(minutes=30)).astimezone(zone).date()] += int(row.many)
    found = tuple((LabelId(row.label_id), int(row.many)) for row in tx.execute(by_label))
    return OfStore(days=tuple(_each_day(day, days, counts)), labels=found)


def _each_day(first: date, days: int, counts: Counter[date]) -> list[tuple[date, int]]:
    each: Sequence[date] = [first + timedelta(days=n) for n in range(days)]
    return [(day, counts[day]) for day in each]


def _first_entry_since(tx: Connection, since: datetime) -> int:
    """Find about the first entry since a moment: entries are numbered as they come."""
    ends = tx.execute(select(func.min(_L.entry_id), func.max(_L.entry_id))).one()
    if ends[0] is None:
        return 0
    low, high = int(ends[0]), int(ends[1])
    while low < high:
        middle = (low + high) // 2
        query = select(_L.recorded_at).where(_L.entry_id >= middle).order_by(_L.entry_id).limit(1)
        if tx.execute(query).scalar_one() < since - timedelta(minutes=10):
            low = middle + 1
        else:
            high = middle
    return low
