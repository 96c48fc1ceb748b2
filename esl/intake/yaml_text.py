"""YAML as a file of ours may use it: plain data, with the line of everything in it.

    text ──▶ events (PyYAML) ──▶ nodes with size, depth and line ──▶ data, lines by path

Only what JSON has comes out: objects with text keys, lists, texts, integers, true, false, null,
and `JsonFraction` for other numbers, which no file of ours needs. Scalars are YAML 1.2's: ``no``,
``2026-12-31`` and ``12:30`` are texts, and so are digits with a zero before them, as GTINs have.
Anchors, aliases and ``<<`` work; their *expanded* size is bounded before anything is expanded,
so that a few lines of aliases cannot ask for gigabytes. Tags are refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Never

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from esl.domain.errors import InvalidInput
from esl.intake.strict_json import MAX_INTEGER, JsonFraction

BYTES_MOST = 65_536
DEEPEST = 24
NODES_MOST = 20_000
"""Bound of the values in a file, counted after aliases are expanded."""

_KEY_LONGEST = 64
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where it was built
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FRACTION = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MERGE = "<<"


Span = tuple[int, int]
"""First character, and first one behind; of the text without a mark of its byte order, its lines
ended by ``\\n``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlDocument:
    """A YAML text, read."""

    data: Any
    lines: Mapping[str, int]  # "variants/0/elements/3" -> 1-based line; "" is the whole
    spans: Mapping[str, Span]  # of what is no object and no list: where it stands, quotes included


@dataclass(frozen=True, slots=True)
class _Node:
    """One value; an alias stands for the same node again."""

    content: "dict[str, _Node] | list[_Node] | str | int | bool | JsonFraction | None"
    line: int
    size: int  # nodes in it, aliases expanded
    depth: int  # levels in it, 1 for a scalar
    span: Span | None = None  # of a scalar


def read_yaml(text: str, *, what: str = "template") -> YamlDocument:
    """Read one YAML document; ``what`` it is called in messages.

    Raises:
        InvalidInput: With line and column: not YAML, a key twice, a tag, too large or too deep.
    """
    if len(text) > BYTES_MOST or len(text.encode("utf-8", "replace")) > BYTES_MOST:
        raise InvalidInput.at(
            "", f"more than {BYTES_MOST // 1024} KiB", fix=f"Split it into several {what}s."
        )
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if found := _UNREADABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        _refuse(line, 0, "a character no text has", fix="Save it as UTF-8 text.")
    try:
        root = _Reader(yaml.parse(text, Loader=_LOADER), what).read_document()
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        words = " ".join((exc.problem or exc.context or "not YAML").split())[:120]
        _refuse(line, column, f"not YAML: {words}", fix=_advise(words))
    except yaml.YAMLError:
        raise InvalidInput.at("", "not YAML", fix="Save it as UTF-8 text.") from None
    lines: dict[str, int] = {}
    spans: dict[str, Span] = {}
    data = _expand(root, "", lines, spans)
    return YamlDocument(data=data, lines=lines, spans=spans)


def _advise(problem: str) -> str:
    if "cannot start any token" in problem:
        return "Indent with blanks, not with tabs; quote texts that begin with % @ or `."
    if "alias" in problem:
        return 'Quote texts that begin with "*", or write the anchor before its use.'
    return "Check indents, and quote texts that begin with { [ * & ! % @ or hold ': '."


def _refuse(line: int, column: int, detail: str, *, fix: str | None = None) -> Never:
    where = f"line {line}, column {column}" if column else f"line {line}"
    raise InvalidInput.at("", f"{where}: {detail}", fix=fix)


class _Reader:
    """Builds nodes from events, one document, bounded while it reads."""

    def __init__(self, events: Iterator[Event], what: str) -> None:
        self._events = events
        self._what = what
        self._anchors: dict[str, _Node] = {}
        self._nodes = 0  # nodes written, aliases not expanded

    def read_document(self) -> _Node:
        root: _Node | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    _refuse_at(event, "a second document", fix=f"Write one {self._what} a file.")
                if event.tags:
                    _refuse_at(event, "a %TAG directive", fix="Leave it out.")
                root = self._read(next(self._events), 1)
        if root is None:
            _refuse(1, 1, "nothing but blanks and comments")
        return root

    def _read(self, event: Event, level: int) -> _Node:
        self._nodes += 1
        if level > DEEPEST:
            _refuse_at(event, f"deeper than {DEEPEST} levels", fix="Flatten it.")
        if isinstance(event, AliasEvent):
            node = self._anchors.get(event.anchor or "")
            if node is None:
                _refuse_at(
                    event,
                    "an alias of an anchor that is not written before it",
                    fix='Quote texts that begin with "*", or write the anchor before its use.',
                )
            self._check(event, size=node.size, depth=level + node.depth - 1)
            return node
        if getattr(event, "tag", None) is not None:
            _refuse_at(event, "a tag", fix="Leave out what begins with '!', or quote the text.")
        match event:
            case ScalarEvent():
                node = _Node(_resolve(event), _line(event), 1, 1, _span(event))
            case SequenceStartEvent():
                node = self._read_list(event, level)
            case MappingStartEvent():
                node = self._read_object(event, level)
            case _:
                raise AssertionError("a value begins with one of four events")
        self._check(event, size=node.size, depth=level)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _check(self, event: Event, *, size: int, depth: int) -> None:
        if size > NODES_MOST or self._nodes > NODES_MOST:
            _refuse_at(event, f"more than {NODES_MOST} values, with aliases", fix="Shorten it.")
        if depth > DEEPEST:
            _refuse_at(event, f"deeper than {DEEPEST} levels", fix="Flatten it.")

    def _read_list(self, start: SequenceStartEvent, level: int) -> _Node:
        items: list[_Node] = []
        size = 1
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._read(event, level + 1))
            size += items[-1].size
            self._check(event, size=size, depth=level)
        depth = 1 + max((item.depth for item in items), default=0)
        return _Node(items, _line(start), size, depth)

    def _read_object(self, start: MappingStartEvent, level: int) -> _Node:
        fields: dict[str, _Node] = {}
        merged: dict[str, _Node] = {}
        merges, size = 0, 1
        while not isinstance(event := next(self._events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                _refuse_at(event, "a key that is no text", fix="Write 'key: value'.")
            key = event.value
            is_merge = key == _MERGE and event.implicit[0]
            self._check_key(event, key, known=merges > 0 if is_merge else key in fields)
            value = self._read(next(self._events), level + 1)
            if is_merge:
                merges += 1
                merged = self._merge(event, value)
            else:
                fields[key] = value
            size += value.size
            self._check(event, size=size, depth=level)
        whole = merged | fields  # a key of its own beats one that came along
        depth = 1 + max((node.depth for node in whole.values()), default=0)
        return _Node(whole, _line(start), size, depth)

    def _check_key(self, event: ScalarEvent, key: str, *, known: bool) -> None:
        if known:
            _refuse_at(event, "the same key twice", fix="Write each key once.")
        if len(key) > _KEY_LONGEST or _UNREADABLE.search(key):
            _refuse_at(event, f"a key that is no name of 1 to {_KEY_LONGEST} characters")

    def _merge(self, event: Event, value: _Node) -> dict[str, _Node]:
        sources = value.content if isinstance(value.content, list) else [value]
        merged: dict[str, _Node] = {}
        for source in reversed(sources):  # the first that has a key wins
            if not isinstance(source.content, dict):
                _refuse_at(event, "<< takes objects only", fix="Write '<<: *anchor'.")
            merged |= source.content
        return merged


def _refuse_at(event: Event, detail: str, *, fix: str | None = None) -> Never:
    column = event.start_mark.column + 1 if event.start_mark is not None else 0
    _refuse(_line(event), column, detail, fix=fix)


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _span(event: Event) -> Span | None:
    if event.start_mark is None or event.end_mark is None:
        return None
    return event.start_mark.index, event.end_mark.index


def _resolve(event: ScalarEvent) -> str | int | bool | JsonFraction | None:
    """Read a scalar by YAML 1.2's core rules, less octal, hexadecimal and infinite numbers."""
    text = event.value
    if not event.implicit[0]:  # quoted, or a block of text
        if _UNREADABLE.search(text):
            _refuse_at(event, "a character no text has", fix="Leave out the escape.")
        return text
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _LEADING_ZERO.fullmatch(text):
        return text
    if _INTEGER.fullmatch(text):
        number = int(text) if len(text) < len(str(MAX_INTEGER)) + 2 else MAX_INTEGER + 1
        if abs(number) > MAX_INTEGER:
            _refuse_at(event, "an integer beyond 2^53", fix="Put it in quotes if it is a text.")
        return number
    return JsonFraction(text) if _FRACTION.fullmatch(text) else text


def _expand(node: _Node, path: str, lines: dict[str, int], spans: dict[str, Span]) -> Any:
    lines[path] = node.line
    if node.span is not None:
        spans[path] = node.span
    prefix = f"{path}/" if path else ""
    match node.content:
        case dict():
            return {
                key: _expand(child, f"{prefix}{_escape(key)}", lines, spans)
                for key, child in node.content.items()
            }
        case list():
            return [
                _expand(child, f"{prefix}{index}", lines, spans)
                for index, child in enumerate(node.content)
            ]
        case _:
            return node.content


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
