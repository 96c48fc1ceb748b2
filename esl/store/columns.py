"""Column types that refuse what would be stored wrongly."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Row
from sqlalchemy.types import TypeDecorator

AnyRow = Row[*tuple[Any, ...]]
"""A row of a query whose columns the function that reads it knows by name."""


_WITHOUT_ZONE = len("2026-11-22 08:30:00.000000")


def instant_text(instant: datetime) -> str:
    """Write an instant as `UtcDateTime` stores it in SQLite, to the last digit.

    SQLite compares instants as text, so another form of the same moment is another moment.
    """
    if instant.tzinfo is None:
        raise ValueError("a naive datetime has no place in the database")
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return utc.isoformat(" ", "microseconds")[:_WITHOUT_ZONE]


def instant_from(value: str | datetime | None) -> datetime | None:
    """Read an instant as the driver gives it: text of `instant_text`, or an instant."""
    if value is None:
        return None
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.astimezone(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Takes only aware values, returns them in UTC.

    ``DateTime(timezone=True)`` on SQLite silently drops the zone and gives back naive values,
    after which comparisons go wrong [found by running it].
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant; SQLite gets it without the zone, always in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give every instant back in UTC."""
        if value is None:
            return None
        instant: datetime = value
        return instant.replace(tzinfo=UTC) if dialect.name == "sqlite" else instant.astimezone(UTC)
