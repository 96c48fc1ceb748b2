"""Parts of JSON objects that several formats share: objects inside, lists, and words of a kind.

Every problem is noted in the fields it was found in; nothing is raised.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeVar

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.ids import Sku, check_sku
from esl.domain.pricing import KEEP
from esl.intake.fields import Fields
from esl.intake.strict_json import pointer

TEXT_LONGEST: Final = 120
OBJECTS_MOST: Final = 120
SKUS_MOST: Final = 200_000
VALUES_MOST: Final = 1000
_PROBLEMS_MOST: Final = 50

Read = TypeVar("Read")
Kind = TypeVar("Kind", bound=StrEnum)


def inner_fields(fields: Fields, name: str, *, required: bool = False) -> Fields | None:
    """Open an object inside; None where it was left out or null."""
    value = fields.take(name)
    if value is KEEP or value is None:
        if required:
            fields.problem(name, "missing")
        return None
    return Fields(value, path=pointer(fields.path, name))


def close_inner(fields: Fields, inner: Fields) -> None:
    """Take over what was wrong inside."""
    try:
        inner.finish()
    except InvalidInput as exc:
        fields.problems.extend(exc.problems[:_PROBLEMS_MOST])


def objects(fields: Fields, name: str) -> list[Fields]:
    """Open the objects of a list."""
    value = fields.take(name)
    if value is KEEP or value is None:
        return []
    if not isinstance(value, list) or len(value) > OBJECTS_MOST:
        fields.problem(name, f"not a list of up to {OBJECTS_MOST} objects")
        return []
    at = pointer(fields.path, name)
    return [Fields(item, path=f"{at}/{place}") for place, item in enumerate(value)]


def texts_through(
    fields: Fields, name: str, parse: Callable[[str, str], Read], most: int
) -> list[Read]:
    """Read a list of texts through ``parse(text, path)``, which raises `InvalidInput`."""
    value = fields.take(name)
    if value is KEEP or value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        fields.problem(name, f"not a list of up to {most} texts")
        return []
    at = pointer(fields.path, name)
    found: list[Read] = []
    for place, item in enumerate(value):
        if not isinstance(item, str):
            fields.problems.append(FieldProblem(path=f"{at}/{place}", detail="not a string"))
        else:
            try:
                found.append(parse(item, f"{at}/{place}"))
            except InvalidInput as exc:
                fields.problems.extend(exc.problems)
        if len(fields.problems) >= _PROBLEMS_MOST:
            break
    return found


def skus(fields: Fields, name: str) -> list[Sku]:
    """Read a list of SKUs."""
    return texts_through(fields, name, lambda text, at: check_sku(text, path=at), SKUS_MOST)


def short_texts(fields: Fields, name: str) -> list[str]:
    """Read a list of short texts, as a person wrote them."""
    return texts_through(fields, name, _value, VALUES_MOST)


def _value(text: str, at: str) -> str:
    if not 1 <= len(text) <= TEXT_LONGEST or text != text.strip() or not text.isprintable():
        raise InvalidInput.at(at, f"not a text of 1 to {TEXT_LONGEST} printable characters")
    return text


def text_or_nothing(fields: Fields, name: str) -> str | None:
    """Read a text for people; None where it was left out or null."""
    value = fields.text(name, longest=TEXT_LONGEST)
    return value if isinstance(value, str) else None


def truth(fields: Fields, name: str) -> bool:
    """Read true or false; false where it was left out or null."""
    value = fields.take(name)
    if value is KEEP or value is None:
        return False
    if not isinstance(value, bool):
        fields.problem(name, "neither true nor false")
        return False
    return value


def kind_of(fields: Fields, name: str, kinds: type[Kind]) -> Kind | None:
    """Read one of the words of an enumeration; None where it was left out or null."""
    value = fields.take(name)
    if value is KEEP or value is None:
        return None
    known = [kind.value for kind in kinds]
    if not isinstance(value, str) or value not in known:
        fields.problem(name, "not one that is known", fix=f"Send {' or '.join(known)}.")
        return None
    return kinds(value)


def kinds_of(fields: Fields, name: str, kinds: type[Kind]) -> list[Kind]:
    """Read a list of words of an enumeration."""

    def parse(text: str, at: str) -> Kind:
        known = [kind.value for kind in kinds]
        if text not in known:
            raise InvalidInput.at(at, "not one that is known", fix=f"Send {' or '.join(known)}.")
        return kinds(text)

    return texts_through(fields, name, parse, len(kinds))
