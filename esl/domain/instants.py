"""Instants as they are told to others: UTC, with a ``Z``, everywhere the same."""

from datetime import UTC, datetime


def instant_text(moment: datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC: ``2026-03-01T06:00:00Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def instant_or_none(moment: datetime | None) -> str | None:
    """Write an aware instant, where there is one."""
    return None if moment is None else instant_text(moment)
