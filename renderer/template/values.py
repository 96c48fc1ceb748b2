"""Values: texts with placeholders, compiled once to closures over a face.

======================== ======================================================================
``{price}``              a field, printed as its kind usually is
``{valid_to|date:day}``  a field through a formatter, with an argument for it
``{words.until}``        a text of the template, in the language of the face's locale, or English
``{was or price}``       the first of them that the face has; each may have its formatter
``{{`` and ``}}``        braces
======================== ======================================================================

Where a face lacks a field, the whole value is absent. A placeholder that prints nothing stable
makes the value unstable: it is drawn with each price.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

from esl.domain.errors import InvalidInput
from esl.domain.face import Face
from renderer.money_text import MoneyWriter
from renderer.template.fields import FIELDS, TENTHS, Field, FieldKind
from renderer.template.formatters import Formatter, Write, find_formatter
from renderer.template.spelling import advise_on
from renderer.text.fit import clean

Words = Mapping[str, Mapping[str, str]]
"""The template's own texts: key, then language ("de", "de_CH")."""

LOCALES_KEPT = 64
"""Bound of each word's cache of locales."""

WORDS = "words."
ENGLISH = "en"

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_SOURCE = re.compile(
    r" *(?P<name>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)"
    r"(?: *\| *(?P<formatter>[a-z_]+)(?: *: *(?P<argument>[a-z]+))?)? *"
)
_FIX = 'Write "{name}", "{name|formatter}" or "{words.key}", and "{{" for a brace.'


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One name in a placeholder with what prints it."""

    field: Field | None  # None for a word of the template
    word: str | None
    formatter: Formatter | None
    argument: str | None


Part = str | tuple[Source, ...]
"""Literal text, or the sources of a placeholder, tried in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledValue:
    """A value, ready to be printed."""

    fields: frozenset[str]
    words: frozenset[str]
    stable: bool  # prints nothing that changes with a price
    present: Callable[[Face], bool]  # says whether every placeholder has something to print
    render: Callable[[Face], str | None]  # cleaned; None if one has not, or all is empty


def parse_value(text: str, words: Words) -> tuple[Part, ...]:
    """Take a value apart and check every name in it.

    Raises:
        InvalidInput: A brace too many, an unknown name or word, or a formatter that does not fit.
    """
    parts: list[Part] = []
    literal: list[str] = []
    end = 0
    for match in _PIECE.finditer(text):
        literal.append(text[end : match.start()])
        end = match.end()
        inner, piece = match[1], match[0]
        if piece in ("{{", "}}"):
            literal.append(piece[0])
            continue
        if inner is None:
            raise InvalidInput.at(
                "", f"a lone brace at character {match.start() + 1} of the value", fix=_FIX
            )
        if written := "".join(literal):
            parts.append(written)
        literal = []
        parts.append(tuple(_read_source(each, words) for each in inner.split(" or ")))
    if written := "".join([*literal, text[end:]]):
        parts.append(written)
    return tuple(parts)


def compile_value(text: str, *, words: Words, money: MoneyWriter) -> CompiledValue:
    """Compile a value.

    Raises:
        InvalidInput: As `parse_value` says; its path is empty.
    """
    parts = parse_value(text, words)
    sources = [source for part in parts if not isinstance(part, str) for source in part]
    fields = {source.field for source in sources if source.field is not None}
    return CompiledValue(
        fields=frozenset(field.name for field in fields),
        words=frozenset(source.word for source in sources if source.word is not None),
        stable=all(field.stable for field in fields),
        present=_all_present(
            [
                [_has(source) for source in part]
                for part in parts
                if not isinstance(part, str) and all(s.field is not None for s in part)
            ]  # a word is always there
        ),
        render=_join([_compile_part(part, words, money) for part in _tidy(parts)]),
    )


def _read_source(text: str, words: Words) -> Source:
    match = _SOURCE.fullmatch(text)
    if match is None:
        raise InvalidInput.at("", "a placeholder that cannot be read", fix=_FIX)
    name, formatter, argument = match["name"], match["formatter"], match["argument"]
    if name.startswith(WORDS):
        key = name.removeprefix(WORDS)
        if key not in words:
            raise InvalidInput.at(
                "", f"the template has no word {key!r}", fix=advise_on(key, words)
            )
        found = find_formatter(formatter, _word_field(key, words), argument) if formatter else None
        return Source(field=None, word=key, formatter=found, argument=argument)
    field = FIELDS.get(name)
    if field is None:
        raise InvalidInput.at("", f"there is no field {name[:64]!r}", fix=advise_on(name, FIELDS))
    return Source(
        field=field,
        word=None,
        formatter=find_formatter(formatter, field, argument),
        argument=argument,
    )


def _word_field(key: str, words: Words) -> Field:
    """Treat a word as a text of the face, so that formatters can print it."""
    texts = words[key]

    def find(locale: str) -> str:
        language = re.split("[_-]", locale, maxsplit=1)[0]
        text = texts.get(locale) or texts.get(language) or texts.get(ENGLISH, "")
        return clean(text)

    kept = lru_cache(maxsize=LOCALES_KEPT)(find)
    return Field(
        name=WORDS + key,
        kind=FieldKind.TEXT,
        stable=True,
        clean=True,
        read=lambda face: kept(face.locale),
        about="",
    )


def _tidy(parts: Sequence[Part]) -> list[Part]:
    """Clean the literal texts, without losing the blanks at their edges inside the value."""
    tidied: list[Part] = []
    for index, part in enumerate(parts):
        if not isinstance(part, str):
            tidied.append(part)
            continue
        literal = clean(f"x{part}x")[1:-1]
        literal = literal.lstrip(" ") if index == 0 else literal
        literal = literal.rstrip(" ") if index == len(parts) - 1 else literal
        if literal:
            tidied.append(literal)
    return tidied


def _compile_part(part: Part, words: Words, money: MoneyWriter) -> str | Write:
    if isinstance(part, str):
        return part
    writers = [_compile_source(source, words, money) for source in part]
    if len(writers) == 1:
        return writers[0]

    def write_first(face: Face) -> str | None:
        for write in writers:
            text = write(face)
            if text is not None:
                return text
        return None

    return write_first


def _compile_source(source: Source, words: Words, money: MoneyWriter) -> Write:
    if source.word is None:
        if source.field is None or source.formatter is None:
            raise AssertionError("a source has a field and a formatter, or a word")
        return source.formatter.make(source.field, money, source.argument or "")
    field = _word_field(source.word, words)
    if source.formatter is not None:
        return source.formatter.make(field, money, source.argument or "")
    return field.read  # type: ignore[return-value]


def _has(source: Source) -> Callable[[Face], bool]:
    """Say whether a face has what a source prints, without printing it where that is the same."""
    field, formatter = source.field, source.formatter
    if field is None or formatter is None:
        return lambda _face: True
    read = field.read
    if field.name == "title":
        return lambda face: bool(face.name or face.brand)
    if formatter.name == "unit_price":
        read_unit = attrgetter("unit" if field.name in TENTHS else "priced_per")
        return lambda face: read(face) is not None and read_unit(face) is not None
    if field.kind in (FieldKind.TEXT, FieldKind.CODE):
        return lambda face: bool(read(face))
    return lambda face: read(face) is not None


def _all_present(placeholders: list[list[Callable[[Face], bool]]]) -> Callable[[Face], bool]:
    match placeholders:
        case []:
            return lambda _face: True
        case [[only]]:
            return only
        case [[first], [second]]:
            return lambda face: first(face) and second(face)
        case _:
            return lambda face: all(any(has(face) for has in each) for each in placeholders)


def _join(parts: Sequence[str | Write]) -> Write:
    """Join parts, with roads of their own for the frequent short ones."""
    match parts:
        case []:
            return lambda _face: None
        case [str(literal)]:
            return lambda _face: literal
        case [first] if not isinstance(first, str):
            return first
        case _:
            return _join_all(tuple(parts))


def _join_all(parts: tuple[str | Write, ...]) -> Write:
    template = list(parts)
    writers = [(place, part) for place, part in enumerate(parts) if not isinstance(part, str)]

    def write(face: Face) -> str | None:
        texts = template.copy()
        for place, writer in writers:
            text = writer(face)
            if text is None:
                return None
            texts[place] = text
        return "".join(texts) or None  # type: ignore[arg-type]

    return write
