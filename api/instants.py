"""Instants as the API answers them: UTC, with a ``Z``, everywhere the same."""

from datetime import UTC, datetime


def instant_text(moment: datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC: ``2026-03-01T06:00:00Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
