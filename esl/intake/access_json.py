"""Requests for access as JSON: new machine tokens and sign-in links."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from esl.domain.access import ALL_STORES, Scope
from esl.domain.errors import InvalidInput
from esl.domain.ids import check_slug
from esl.domain.pricing import KEEP
from esl.intake.fields import Fields
from esl.intake.strict_json import pointer

TOKEN_NAME_LONGEST = 80
STORES_MOST = 1000
LINK_USES_MOST = 1000

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token to make: who uses it, what it may do, and in which stores."""

    name: str
    scopes: frozenset[Scope]
    stores: frozenset[str]  # store ids, or `ALL_STORES`
    ends_at: datetime | None = None


def parse_new_token(value: Any) -> NewToken:
    """Read ``{"name": …, "scopes": ["price:write", …], "stores": ["zagreb-1", …] or ["*"]}``.

    ``expires_at`` is an instant after which it, or a client's first secret, holds no longer.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    grant = _grant(fields)
    ends_at = fields.instant("expires_at")
    fields.finish()
    return replace(grant, ends_at=ends_at)


def parse_new_secret(value: Any) -> datetime | None:
    """Read ``{"expires_at": …}``, or ``{}`` for a secret that does not end by itself.

    Raises:
        InvalidInput: Not an instant.
    """
    fields = Fields(value)
    ends_at = fields.instant("expires_at")
    fields.finish()
    return ends_at


def parse_grant(value: Any) -> NewToken:
    """Read the same as `parse_new_token` for what is there already, without ``expires_at``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    grant = _grant(fields)
    fields.finish()
    return grant


def _grant(fields: Fields) -> NewToken:
    name = fields.text("name", longest=TOKEN_NAME_LONGEST, required=True)
    scopes = _each(fields, "scopes", _scope, most=len(Scope))
    stores = _each(fields, "stores", _store, most=STORES_MOST)
    return NewToken(name=str(name), scopes=scopes, stores=stores)


def parse_link_uses(value: Any) -> int:
    """Read how often a sign-in link may be used: ``{"uses": 5}``, or ``{}`` for once.

    Raises:
        InvalidInput: Not a number of times.
    """
    fields = Fields(value)
    uses = fields.integer("uses", low=1, high=LINK_USES_MOST) or 1
    fields.finish()
    return uses


def _each(
    fields: Fields, name: str, parse: Callable[[str, str], Item], *, most: int
) -> frozenset[Item]:
    """Read an array of 1 to ``most`` strings, each through ``parse(text, path)``."""
    value = fields.take(name)
    found: set[Item] = set()
    if value is KEEP:
        fields.problem(name, "missing")
    elif not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        fields.problem(name, "not an array of strings")
    elif not 1 <= len(value) <= most:
        fields.problem(name, f"{len(value)} items", fix=f"Send 1 to {most}.")
    else:
        for index, text in enumerate(value):
            try:
                found.add(parse(text, pointer(pointer(fields.path, name), index)))
            except InvalidInput as exc:
                fields.problems.extend(exc.problems)
    return frozenset(found)


def _scope(text: str, path: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise InvalidInput.at(path, "not a scope", fix=f"Choose from {', '.join(Scope)}.") from None


def _store(text: str, path: str) -> str:
    return text if text == ALL_STORES else check_slug(text, path=path, what="store")
