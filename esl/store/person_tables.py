"""The tables of people; `esl.store.tables` has them to import from."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from esl.store.columns import UtcDateTime
from esl.store.schema import metadata

people = Table(
    "person",
    metadata,
    Column("person_id", String(16), primary_key=True),
    Column("sign_in_name", String(80), nullable=False, unique=True),  # folded: one for one person
    Column("display_name", String(120), nullable=False),
    Column("mail", String(254)),
    Column("language", String(35)),
    Column("password_hash", String(200)),  # PHC string of Argon2id; none until a link was used
    Column("totp_sealed", LargeBinary),  # under the installation's box key
    Column("totp_is_on", Boolean, nullable=False),  # a first code was right
    Column("totp_step", BigInteger, nullable=False),  # of the last code taken: none counts twice
    Column("recovery_sha256", Text, nullable=False),  # of what is left, separated by blanks
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
)

person_roles = Table(
    "person_role",
    metadata,
    Column("person_id", String(16), ForeignKey("person.person_id"), primary_key=True),
    Column("store_id", String(64), primary_key=True, index=True),  # "*" is all
    Column("role", String(12), primary_key=True),
)

person_identities = Table(
    "person_identity",
    metadata,
    Column("key_sha256", String(64), primary_key=True),  # over issuer and subject
    # No foreign key: the row outlives a person that is erased, and keeps it out.
    Column("person_id", String(16), nullable=False, index=True),
    Column("linked_at", UtcDateTime, nullable=False),
)

sign_in_throttles = Table(
    "sign_in_throttle",
    metadata,
    Column("throttle", String(80), primary_key=True),  # of a name, hashed, or of a network
    Column("failures", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
)
