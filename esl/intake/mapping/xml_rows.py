"""Items of an XML file, one at a time, from the standard library's expat.

A document type is refused, and with it every entity it could declare; nothing outside the file is
ever read. Names are compared without their prefixes. A path of items is the end of the path from
the root (``Proizvodi/Proizvod``), or all of it with a slash before it.

    NazivProizvoda        an element of the item        /Lista/Oznaka    outside of the items, and
    Cijena/MPC            within one                                     before them: of the whole
    Cijena/@valuta, @id   attributes                                     list, or of this store
"""

from collections import deque
from collections.abc import Iterator
from collections.abc import Mapping as Table
from typing import BinaryIO
from xml.parsers import expat

from esl.domain.entry import RowProblem
from esl.domain.errors import InvalidInput
from esl.intake.mapping.model import Mapping, Value
from esl.intake.mapping.opened import NULL, Cell, Cells, Opened, Unreadable
from esl.intake.mapping.text_source import check_head, codec_name

DEEPEST = 64
ITEM_LONGEST = 262_144
"""Characters of one item."""

_CHUNK = 65_536
_TOKEN_LONGEST = 1_048_576
_CHILD = "\0"  # which no XML text can hold
_FIX = "Send one whole, well-formed XML document; nothing of it was applied."
_NIL = frozenset({"xsi:nil", "nil"})


def open_xml(source: BinaryIO, mapping: Mapping, wanted: Table[str, Value]) -> Opened:
    """Begin an XML file.

    Raises:
        InvalidInput: The declared encoding is plainly wrong; reading rows raises it for what is
            not well-formed, cut off, too deep or too large, and for a document type.
    """
    if mapping.encoding is not None:
        start = source.tell()
        check_head(source.read(_CHUNK), codec_name(mapping.encoding))
        source.seek(start)
    places = {target: value.name for target, value in wanted.items() if value.name is not None}
    index = {target: at for at, target in enumerate(places)}
    return Opened(index=index, found=places, rows=_read_rows(source, mapping, places))


def _read_rows(
    source: BinaryIO, mapping: Mapping, places: Table[str, str]
) -> Iterator[tuple[int, Cells] | RowProblem]:
    encoding = codec_name(mapping.encoding).removesuffix("-sig") if mapping.encoding else None
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.buffer_size = _CHUNK
    items = _Items(parser, mapping.items or "", places)
    fed = 0
    while True:
        chunk = source.read(_CHUNK)
        try:
            parser.Parse(chunk, not chunk)
        except expat.ExpatError as exc:
            raise _explain(exc, parser, encoding) from None
        except ValueError as exc:  # an encoding of several bytes a letter
            raise InvalidInput.at("", f"the encoding cannot be read: {exc}", fix=_FIX) from None
        while items.ready:
            yield items.ready.popleft()
        fed += len(chunk)
        if fed - max(parser.CurrentByteIndex, 0) > _TOKEN_LONGEST + _CHUNK:
            raise InvalidInput.at("", "one tag of more than a megabyte", fix=_FIX)
        if not chunk:
            return


def _explain(
    exc: expat.ExpatError, parser: "expat.XMLParserType", encoding: str | None
) -> InvalidInput:
    words = expat.ErrorString(exc.code) or "not well-formed"
    where = f"row {exc.lineno}, byte {max(parser.ErrorByteIndex, 0) + 1} from the start"
    if "invalid token" in words:
        words = f"{words}: no XML, or not {encoding or 'in the encoding it declares'}"
    return InvalidInput.at("", f"{where}: {words}", fix=_FIX)


class _Items:
    """What the parser calls; finished items are put into ``ready``."""

    def __init__(self, parser: "expat.XMLParserType", items: str, places: Table[str, str]) -> None:
        self.ready: deque[tuple[int, Cells] | RowProblem] = deque()
        self._is_absolute = items.startswith("/")
        self._item_path = items.strip("/").split("/")
        self._cells: list[Cell] = [None] * len(places)
        self._outer: list[Cell] = [None] * len(places)
        self._inside: dict[str, list[int]] = {}  # path in the item -> places in the cells
        self._attributes: dict[str, list[tuple[str, int]]] = {}
        self._around: dict[str, list[int]] = {}  # path from the root -> places
        self._lists: set[int] = set()
        for at, (target, name) in enumerate(places.items()):
            if target == "gtin":
                self._lists.add(at)
            self._place(name, at)
        self._stack: list[str] = []
        self._path = ""  # within the item, or from the root outside of items
        self._paths: list[str] = []
        self._texts: list[list[str]] = []
        self._depth = 0  # of the item; 0 is outside
        self._count = 0
        self._size = 0
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.EntityDeclHandler = _refuse_doctype

    def _place(self, name: str, at: int) -> None:
        path, is_attribute, attribute = name.partition("@")
        path = path.rstrip("/")
        if path.startswith("/"):
            self._around.setdefault(path[1:], []).append(at)
        elif is_attribute:
            self._attributes.setdefault(path, []).append((attribute, at))
        else:
            self._inside.setdefault("" if path == "." else path, []).append(at)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self._stack.append(local)
        depth = len(self._stack)
        if depth > DEEPEST:
            raise InvalidInput.at("", f"nested deeper than {DEEPEST} elements", fix=_FIX)
        self._texts.append([])
        self._paths.append(self._path)
        if self._depth:
            self._texts[-2].append(_CHILD)
            self._path = f"{self._path}/{local}" if self._path else local
        elif self._is_item():
            self._depth = depth
            self._path = ""
            self._count += 1
            self._size = 0
            self._cells = self._outer.copy()
        else:
            self._path = f"{self._path}/{local}" if self._path else local
            self._forget_within()
            return
        if attributes:
            self._read_attributes(attributes)

    def _is_item(self) -> bool:
        path = self._item_path
        if self._stack[-1] != path[-1]:
            return False
        return self._stack == path if self._is_absolute else self._stack[-len(path) :] == path

    def _forget_within(self) -> None:
        """A new store begins: what the last one said of itself does not hold for it."""
        prefix = f"{self._path}/"
        for path, places in self._around.items():
            if path.startswith(prefix):
                for at in places:
                    self._outer[at] = None

    def _read_attributes(self, attributes: dict[str, str]) -> None:
        for value in attributes.values():
            self._size += len(value)
        self._check_size()
        for wanted, at in self._attributes.get(self._path, ()):
            for name, value in attributes.items():
                if name.rpartition(":")[2] == wanted or name == wanted:
                    self._put(at, value)
        if any(attributes.get(name) in ("true", "1") for name in _NIL):
            for at in self._inside.get(self._path, ()):
                self._cells[at] = NULL

    def _text(self, text: str) -> None:
        if self._depth or self._path in self._around:
            self._size += len(text)
            self._check_size()
            self._texts[-1].append(text)

    def _check_size(self) -> None:
        if self._size > ITEM_LONGEST:
            raise InvalidInput.at(
                "", f"item {self._count}: more than {ITEM_LONGEST} characters", fix=_FIX
            )

    def _end(self, _name: str) -> None:
        texts = self._texts.pop()
        if self._depth:
            places = self._inside.get(self._path)
            if places is not None:
                text = "".join(texts)
                for at in places:
                    if self._cells[at] is not NULL:
                        self._put(at, text if _CHILD not in text else _own_text(text))
            if len(self._stack) == self._depth:
                self.ready.append((self._count, self._cells))
                self._depth = 0
                self._size = 0
        elif (places := self._around.get(self._path)) is not None:
            text = "".join(texts)
            self._size = 0
            for at in places:
                known = self._outer[at]
                differs = known is not None and known != text
                self._outer[at] = Unreadable("different elements of this name") if differs else text
        self._stack.pop()
        self._path = self._paths.pop()

    def _put(self, at: int, text: str | Unreadable) -> None:
        """Put a value into its cell; a bar code may stand several times, others only once."""
        known = self._cells[at]
        if known is None:
            self._cells[at] = text
        elif at in self._lists and isinstance(text, str) and not isinstance(known, Unreadable):
            before = known if isinstance(known, tuple) else (known,)
            self._cells[at] = (*before, text)
        elif known != text:
            self._cells[at] = Unreadable("different elements of this name")


def _own_text(text: str) -> str | Unreadable:
    """Take the text of an element that has elements in it: blanks, or nothing we can read."""
    if text.replace(_CHILD, "").strip():
        return Unreadable("a text with elements in it")
    return ""


def _refuse_doctype(*_: object) -> None:
    raise InvalidInput.at("", "a document type or an entity", fix="Send XML without <!DOCTYPE>.")
