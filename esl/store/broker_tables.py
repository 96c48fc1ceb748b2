"""The tables of who may use the broker; `esl.store.tables` has them to import from."""

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table

from esl.store.columns import UtcDateTime
from esl.store.schema import metadata

broker_logins = Table(
    "broker_login",
    metadata,
    Column("username", String(64), primary_key=True),  # of the gateway, or of the source
    Column("role", String(10), nullable=False),  # gateway or source
    Column("sealed", LargeBinary, nullable=False),  # the password, see `api.secret_box`
    Column("made_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime),  # since when a broker that must be told has this password
    Column("revoked_at", UtcDateTime),
)

gateway_tokens = Table(
    "gateway_token",
    metadata,
    Column("gateway_id", String(64), ForeignKey("gateway.gateway_id"), primary_key=True),
    Column("secret_sha256", String(64), nullable=False, unique=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String(80), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)
