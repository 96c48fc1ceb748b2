"""Sources of prices: who may say what, how far they are believed, and when they are expected.

A source that is registered has a mapping, limits and priorities of its own. One that is not (the
``api`` that price changes name by default) has the priority `USUAL_PRIORITY` and its store's
limits.

::

    field of a product ──▶ who said it last? ──▶ a source of lower priority does not overwrite it
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from esl.domain.guards import Guards
from esl.domain.ids import SourceId, StoreId

USUAL_PRIORITY = 50
"""Of a source, and of a field, that nobody gave another: 0 yields to all, 100 to none."""

PRIORITY_MOST = 100

COUNTS_BEFORE = timedelta(hours=12)
"""So long before its time a list may come and be that day's: one at 23:50 is, for 05:30."""

PRICE_FIELD = "price"
"""The price and what is said with it (old price, unit price, badge) have one owner."""

FIELDS = (
    *("name", "brand", "category", "gtins", "net_content", "priced_per", "origin", "location"),
    *("stock", "deposit", "tax", "link", "tags", "lowest_30d", "anchor", "promotion", PRICE_FIELD),
)
"""What a source may have a priority for, field by field."""


class SourceKind(StrEnum):
    """How a source's word comes to us."""

    HTTP = "http"  #: it posts price changes
    FILE = "file"  #: files that people or programs hand in: ``esl import``, upload
    HOT_FOLDER = "hot_folder"
    SFTP = "sftp"
    MQTT = "mqtt"
    WEBHOOK = "webhook"
    POLL = "poll"  #: we ask it
    COMPAT = "compat"  #: it speaks another maker's interface


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """When a source must have spoken: once a day by a time, or again and again.

    What comes from midnight on, or in the twelve hours before the time, is that day's word. A
    list that came hours late is yesterday's and does not speak for today.
    """

    by: time | None = None  # in the zone of the store
    every: timedelta | None = None

    def as_text(self) -> str:
        """Write it as people do: "by 05:30", "every 10 min"."""
        if self.by is not None:
            return f"by {self.by:%H:%M}"
        seconds = int((self.every or timedelta()).total_seconds())
        return f"every {seconds} s" if seconds % 60 else f"every {seconds // 60} min"

    def deadline_passed(
        self, now: datetime, last_heard: datetime | None, since: datetime, zone: ZoneInfo
    ) -> datetime | None:
        """Return the deadline that passed unheard; None as long as the source keeps its word.

        ``since`` is when it was first expected: what lay before is not held against it.
        """
        heard = max(last_heard, since) if last_heard is not None else since
        if self.every is not None:
            deadline = heard + self.every
            return deadline if now >= deadline else None
        deadline = self._last_by(now, zone)
        if deadline <= since:
            return None
        began = self._day_of(deadline, zone)
        return deadline if last_heard is None or last_heard < began else None

    def _last_by(self, now: datetime, zone: ZoneInfo) -> datetime:
        local = now.astimezone(zone)
        at = self._on(local.date(), zone)
        return at if at <= now else self._on(local.date() - timedelta(days=1), zone)

    def _on(self, day: date, zone: ZoneInfo) -> datetime:
        return datetime.combine(day, self.by or time(), zone).astimezone(ZoneInfo("UTC"))

    def _day_of(self, deadline: datetime, zone: ZoneInfo) -> datetime:
        """Return from when on a word counts for a deadline."""
        day = deadline.astimezone(zone).date()
        midnight = datetime.combine(day, time(), zone).astimezone(ZoneInfo("UTC"))
        return min(midnight, deadline - COUNTS_BEFORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A registered source. ``store_id`` is None where each entry names its store."""

    source_id: SourceId
    name: str
    store_id: StoreId | None = None
    kind: SourceKind = SourceKind.HTTP
    mapping: str | None = None  # the name of its mapping; None speaks our own format
    priority: int = USUAL_PRIORITY
    priorities: Mapping[str, int] = field(default_factory=dict)  # of single `FIELDS`
    guards: Guards | None = None  # None: those of the store
    expected: Expected | None = None
    accepts_full: bool = False  # its full files retire what they do not list
    disabled: bool = False  # nothing of it is taken
    settings: Mapping[str, str] = field(default_factory=dict)  # of its kind: folder, address, …

    def priority_of(self, field_name: str) -> int:
        """Return how far its word on a field of `FIELDS` goes."""
        return self.priorities.get(field_name, self.priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingSource:
    """A registered source, and when it was last heard."""

    source: Source
    heard_at: datetime | None
    expected_since: datetime | None
    created_at: datetime
    changed_at: datetime


def unregistered(source_id: SourceId, store_id: StoreId) -> Source:
    """Return what a source is that nobody registered."""
    return Source(source_id=source_id, name=source_id, store_id=store_id)
