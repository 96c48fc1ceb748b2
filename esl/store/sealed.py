"""Secrets that stand sealed in the database: whose they are, should the key to them be lost."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection, LargeBinary, select

from esl.store.schema import metadata

_ABOUT: Final = MappingProxyType(
    {
        "source_secret": (
            "secret of the source {0}",
            "give it a new one, there and here: POST /api/v1/sources/{0}/secrets",
        ),
        "subscription": (
            "what events to {0} are signed with",
            "make the subscription anew, and give its receiver the new secret",
        ),
        "till_setting": (
            "what prices for the tills of {0} are signed with",
            "set another secret, here and in the till",
        ),
        "broker_login": (
            "password of {0} at the broker",
            "register it again, and give it its new enrolment file or password",
        ),
        "notification_setting": (
            "mail password and addresses of {0}",
            "enter them again in the settings of its messages",
        ),
    }
)
"""Of a table with secrets: what they are, and what to do; ``{0}`` is the first of its key."""

_OTHER: Final = ("secret of {0} in {1}", "enter it again")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """A secret that only the lost key opens, and what to do about it."""

    what: str
    what_to_do: str


def sealed_secrets(tx: Connection) -> Iterator[SealedSecret]:
    """Name every sealed secret, one by one: any column named ``sealed`` holds some."""
    for table in metadata.sorted_tables:
        if "sealed" not in table.c or not isinstance(table.c.sealed.type, LargeBinary):
            continue
        what, what_to_do = _ABOUT.get(table.name, _OTHER)
        key = next(iter(table.primary_key))
        query = select(key).where(table.c.sealed.is_not(None)).distinct().order_by(key)
        for name in tx.execute(query).scalars():
            yield SealedSecret(
                what=what.format(name, table.name), what_to_do=what_to_do.format(name)
            )
