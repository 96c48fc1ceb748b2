"""When machines' tokens and secrets end, and were last used."""

from sqlalchemy import Column, String, Table

from esl.store.columns import UtcDateTime
from esl.store.schema import metadata

access_times = Table(
    "access_time",
    metadata,
    Column("access", String(40), primary_key=True),  # token:ID, or secret:CLIENT:ID
    Column("ends_at", UtcDateTime),
    Column("used_at", UtcDateTime),
)
