"""Which fields of a face an element prints."""

from collections.abc import Iterator

from esl.domain.face import Face
from renderer.drawing import DrawnPart
from renderer.template.fields import FIELDS
from renderer.template.models import Element, Price, Text
from renderer.template.values import Source, Words, parse_value


def fields_named(element: Element, words: Words) -> frozenset[str]:
    """Find all fields that a text or price element could print, its fallbacks included."""
    if isinstance(element, Price):
        return frozenset(filter(None, (element.value, element.old)))
    placeholders = _placeholders(element, words)
    return frozenset(
        source.field.name
        for sources in placeholders
        for source in sources
        if source.field is not None
    )


def fields_printed(part: DrawnPart, words: Words, face: Face) -> frozenset[str]:
    """Find the fields that a part printed of a label's face: of `{was or price}` only one."""
    product = face if part.product == 0 else face.others[part.product - 1]
    if isinstance(part.element, Price):
        named = fields_named(part.element, words)
        return frozenset(name for name in named if FIELDS[name].read(product) is not None)
    return frozenset(
        found
        for sources in _placeholders(part.element, words)
        if (found := _first_present(sources, product)) is not None
    )


def _placeholders(element: Element, words: Words) -> Iterator[tuple[Source, ...]]:
    if not isinstance(element, Text):
        return
    for value in (element.value, *element.fallbacks):
        for piece in parse_value(value, words):
            if not isinstance(piece, str):
                yield piece


def _first_present(sources: tuple[Source, ...], face: Face) -> str | None:
    """Return the field that prints; None if none does, or a word of the template comes first."""
    for source in sources:
        if source.field is None:
            return None
        if source.field.read(face) is not None:
            return source.field.name
    return None
