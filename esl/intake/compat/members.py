"""Reading what drivers send: lenient about what is there beside, strict about what is used."""

import re
from typing import Any

from esl.domain.errors import InvalidInput
from esl.domain.ids import LabelId, Sku, check_sku, check_slug
from esl.domain.place import PRODUCTS_MOST
from esl.intake.strict_json import JsonFraction, pointer

_SECONDS = re.compile(r"([0-9]{1,5})\s*(s|sec|m|min|h)?", re.ASCII | re.IGNORECASE)
_FACTOR = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600}


def member(value: Any, *names: str) -> Any:
    """Return the first of these members that an object has and that is not null."""
    if isinstance(value, dict):
        for name in names:
            if value.get(name) is not None:
                return value[name]
    return None


def listed(value: Any, name: str, path: str, *, most: int) -> list[Any]:
    """Return the list that a body is, or has as a member; one object is a list of one.

    Raises:
        InvalidInput: It is none, is empty or too long.
    """
    found, at = value, path
    if isinstance(value, dict) and name in value:
        found, at = value[name], pointer(path, name)
    items = found if isinstance(found, list) else [found]
    if not isinstance(found, list | dict) or not items:
        raise InvalidInput.at(at, "no list", fix=f"Send 1 to {most} of them.")
    if len(items) > most:
        raise InvalidInput.at(at, f"{len(items)} items", fix=f"Send {most} at most.")
    return items


def as_id(value: Any) -> str:
    """Return an id as text, whether it was sent as a text or as a number; "" where it is none."""
    match value:
        case bool():
            return ""
        case str():
            return value.strip()
        case int():
            return str(value)
        case JsonFraction(text):
            return text
        case _:
            return ""


def read_label(value: Any, path: str) -> LabelId:
    """Read a label's code. Makers print capitals; our ids are the same in small letters.

    Raises:
        InvalidInput: It cannot be a label's.
    """
    return LabelId(check_slug(as_id(value).lower(), path=path, what="label"))


def read_article(value: Any, path: str) -> Sku:
    """Read the id of an article or item.

    Raises:
        InvalidInput: It cannot be one.
    """
    return check_sku(as_id(value), path=path)


def read_articles(value: Any, path: str) -> tuple[Sku, ...]:
    """Read the articles of one label, in their order on it: a list of ids, or one.

    Raises:
        InvalidInput: There is none, one cannot be, there are too many, or one stands there twice.
    """
    ids = value if isinstance(value, list) and value else [None if value == [] else value]
    if len(ids) > PRODUCTS_MOST:
        raise InvalidInput.at(
            path, f"{len(ids)} articles on one label", fix=f"Link {PRODUCTS_MOST} at most."
        )
    skus = tuple(read_article(one, path) for one in ids)
    if len(set(skus)) < len(skus):
        raise InvalidInput.at(path, "the same article twice", fix="Send it once.")
    return skus


def read_seconds(value: Any, path: str, *, usual: int, most: int) -> int:
    """Read a duration: ``"30s"``, ``"2m"``, ``30``; more than ``most`` seconds are ``most``.

    Raises:
        InvalidInput: It is none.
    """
    text = as_id(value)
    if value is None or not text:
        return usual
    found = _SECONDS.fullmatch(text)
    if found is None:
        raise InvalidInput.at(path, "not a duration", fix='Send it such as "30s".')
    return min(int(found[1]) * _FACTOR[(found[2] or "s").lower()], most)
