"""What every table is made with: the metadata, the revision sequence, the growing key."""

from sqlalchemy import BigInteger, Index, Integer, MetaData, Sequence, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

REVISION_SEQUENCE = Sequence("esl_rev")
"""PostgreSQL only. Left out of the metadata so that SQLite never hears of it."""

BIG_KEY = BigInteger().with_variant(Integer, "sqlite")
"""A growing key: SQLite numbers rows by itself only in a column of type INTEGER."""


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of only those rows for which ``where`` holds: SQL that both databases know."""
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
