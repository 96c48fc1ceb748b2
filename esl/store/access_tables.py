"""The tables of who may come in; `esl.store.tables` has them to import from."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, false

from esl.store.columns import UtcDateTime
from esl.store.schema import metadata

machine_tokens = Table(
    "machine_token",
    metadata,
    Column("token_id", String(16), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("scopes", String(300), nullable=False),  # separated by blanks
    Column("stores", String(2000), nullable=False),  # separated by blanks; "*" is all
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

sign_in_links = Table(
    "sign_in_link",
    metadata,
    Column("secret_sha256", String(64), primary_key=True),
    Column("person", String(80), nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("purpose", String(10), nullable=False, default="sign-in", server_default="sign-in"),
    Column("expires_at", UtcDateTime, nullable=False),
)

person_sessions = Table(
    "person_session",
    metadata,
    Column("secret_sha256", String(64), primary_key=True),
    Column("person", String(80), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),  # within a minute; none of the owner's by a link
    Column("about", String(120)),  # the browser, as it calls itself
    Column("by_provider", Boolean, nullable=False, server_default=false()),  # OpenID's word
)

machine_clients = Table(
    "machine_client",
    metadata,
    Column("client_id", String(16), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("scopes", String(300), nullable=False),  # separated by blanks
    Column("stores", String(2000), nullable=False),  # separated by blanks; "*" is all
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
)

client_secrets = Table(
    "client_secret",
    metadata,
    Column("secret_id", String(16), primary_key=True),
    Column(
        "client_id",
        String(16),
        ForeignKey("machine_client.client_id"),
        nullable=False,
        index=True,
    ),
    Column("sha256", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)
