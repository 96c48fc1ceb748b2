"""The first items of an XML file: the element that repeats, and what is in it."""

from collections import Counter
from xml.parsers import expat

from esl.domain.errors import InvalidInput
from esl.intake.mapping.model import Format
from esl.intake.suggest.csv_sample import ROWS_MOST
from esl.intake.suggest.suggestion import Column, Sample, Setting, header_of
from esl.intake.suggest.words import target_of_header

_DEEPEST = 64
_COLUMNS_MOST = 400


def sample_xml(data: bytes) -> Sample:
    """Read the first items of an XML file; its end may be missing.

    Raises:
        InvalidInput: Not well-formed where it begins, a document type, or nothing that repeats.
    """
    items, total = _find_items(data)
    reader = _Reader(items)
    _parse(data, reader)
    rows = reader.rows
    names = list(dict.fromkeys(name for row in rows for name in row))[:_COLUMNS_MOST]
    columns = tuple(
        Column(
            header=header_of(name.replace("@", "").split("/")),
            path=name,
            values=[row.get(name, "") for row in rows],
        )
        for name in names
    )
    short = "/".join(items[-2:])
    path = short if _is_only(short, items, total) else "/" + "/".join(items)
    why = f"{total[tuple(items)]} times in what was read, with {len(names)} values in it"
    settings = [Setting(key="items", value=path, why=why)]
    if encoding := _declared(data):
        settings.insert(0, encoding)
    return Sample(format=Format.XML, columns=columns, rows=len(rows), settings=tuple(settings))


def _declared(data: bytes) -> Setting | None:
    """Leave the encoding to the file, which says it; this notes what it says."""
    head = data[:200]
    if b"encoding" not in head.split(b"?>")[0]:
        return None
    quoted = head.split(b"encoding", 1)[1].lstrip(b" =")
    name = quoted[1:].split(quoted[:1])[0].decode("ascii", "replace")
    return Setting(key="encoding", value=None, why=f"the file itself says {name}")


def _find_items(data: bytes) -> tuple[list[str], Counter[tuple[str, ...]]]:
    """Find the path of the elements that are products."""
    counter = _Counter()
    _parse(data, counter)
    best: tuple[float, tuple[str, ...]] | None = None
    for path, count in counter.count.items():
        children = counter.children.get(path, Counter())
        known = {target_of_header(name.lstrip("@")) for name in children} - {None}
        if len(children) < 2 or len(path) < 2:  # noqa: PLR2004
            continue
        score = (len(known) + 0.1 * min(len(children), 20)) * min(count, 50)
        if best is None or score > best[0]:
            best = (score, path)
    if best is None:
        raise InvalidInput.at(
            "",
            "no element that stands there several times with values in it",
            fix="Send the whole file, or write the mapping by hand.",
        )
    return list(best[1]), counter.count


def _is_only(short: str, items: list[str], total: Counter[tuple[str, ...]]) -> bool:
    """Say whether the end of a path means these items and no others."""
    ending = tuple(short.split("/"))
    return [path for path in total if path[-len(ending) :] == ending] == [tuple(items)]


def _parse(data: bytes, handler: "_Counter | _Reader") -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, False)  # noqa: FBT003  the head of a file has no end
    except expat.ExpatError as exc:
        raise InvalidInput.at(
            "",
            f"line {exc.lineno}: {expat.ErrorString(exc.code)}",
            fix="Send well-formed XML.",
        ) from None
    except _Enough:
        return


def _refuse(*_arguments: object) -> None:
    raise InvalidInput.at("", "a document type, which no price list needs", fix="Leave it out.")


class _Enough(Exception):
    """Enough items were read."""


def _bare(name: str) -> str:
    return name.rpartition(":")[2]


class _Counter:
    """Counts elements by path, and what children with a text or attributes each has."""

    def __init__(self) -> None:
        self.count: Counter[tuple[str, ...]] = Counter()
        self.children: dict[tuple[str, ...], Counter[str]] = {}
        self._stack: list[str] = []
        self._leaf = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._stack.append(_bare(name))
        if len(self._stack) > _DEEPEST:
            raise InvalidInput.at("", "too deep", fix="Send a plain list.")
        path = tuple(self._stack)
        self.count[path] += 1
        self._leaf = True
        for attribute in attributes:
            if not attribute.startswith("xmlns"):
                self._note(path, f"@{_bare(attribute)}")

    def end(self, _name: str) -> None:
        path = tuple(self._stack)
        if self._leaf and len(path) > 1:
            self._note(path[:-1], path[-1])
        self._leaf = False
        self._stack.pop()

    def text(self, _data: str) -> None:
        return

    def _note(self, path: tuple[str, ...], name: str) -> None:
        self.children.setdefault(path, Counter())[name] += 1


class _Reader:
    """Collects the values of items, each by its path within the item."""

    def __init__(self, items: list[str]) -> None:
        self.rows: list[dict[str, str]] = []
        self._items = items
        self._stack: list[str] = []
        self._row: dict[str, str] | None = None
        self._texts: list[list[str]] = []
        self._leaf = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._stack.append(_bare(name))
        self._texts.append([])
        self._leaf = True
        if self._stack == self._items:
            self._row = {}
        if self._row is not None:
            inside = "/".join(self._stack[len(self._items) :])
            for attribute, value in attributes.items():
                if not attribute.startswith("xmlns"):
                    place = f"{inside}/@{_bare(attribute)}" if inside else f"@{_bare(attribute)}"
                    self._row.setdefault(place, value.strip())

    def end(self, _name: str) -> None:
        words = "".join(self._texts.pop()).strip()
        if self._row is not None and len(self._stack) > len(self._items) and self._leaf:
            self._row.setdefault("/".join(self._stack[len(self._items) :]), words)
        self._leaf = False
        if self._stack == self._items and self._row is not None:
            self.rows.append(self._row)
            self._row = None
            if len(self.rows) >= ROWS_MOST:
                raise _Enough
        self._stack.pop()

    def text(self, data: str) -> None:
        if self._row is not None:
            self._texts[-1].append(data)
