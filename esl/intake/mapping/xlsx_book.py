"""The parts of an .xlsx file beside its cells: which sheet, which formats, which texts.

An .xlsx file is a zip of XML files. Every part is read as a stream and bounded by what it unpacks
to, so that a small file cannot ask for gigabytes; a document type is refused in each of them.
"""

import re
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, BinaryIO, Never
from xml.parsers import expat

from esl.domain.errors import InvalidInput

PART_LONGEST = 4 * 1024 * 1024
"""Bytes of a part that is held whole: workbook, relations, formats."""
TEXTS_LONGEST = 128 * 1024 * 1024
"""Bytes of the shared texts, which are held, packed."""
SHEET_LONGEST = 2 * 1024 * 1024 * 1024
"""Bytes of a sheet, which is streamed."""

RATIO_MOST = 400
"""How far a part may unpack; spreadsheets do by 10 to 40, bombs by 1,000."""
_RATIO_FROM = 16 * 1024 * 1024

_CHUNK = 65_536
_FIX = "Save it again as .xlsx with a spreadsheet program."
_OLD = b"\xd0\xcf\x11\xe0"
_BUILT_IN_DATES = frozenset([*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)])
_BUILT_IN_PERCENTS = frozenset([9, 10])
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a number is shown, as far as it decides what it means."""

    is_date: bool = False
    is_percent: bool = False
    zeros: int = 0  # "000000" shows 10102 as 010102


@dataclass(slots=True, kw_only=True)
class Book:
    """What is needed to read the cells of one sheet."""

    archive: zipfile.ZipFile
    sheet: str  # name of the part
    formats: list[NumberFormat]
    texts: "Texts"
    is_from_1904: bool = False


class Texts:
    """Shared texts, packed: a million of them as a million objects would be 100 MB."""

    def __init__(self) -> None:
        self._packed = bytearray()
        self._ends = array("Q")

    def add(self, text: str) -> None:
        """Add the next text."""
        self._packed += text.encode("utf-8", "surrogatepass")
        if len(self._packed) > TEXTS_LONGEST:
            refuse("its texts are larger than we read")
        self._ends.append(len(self._packed))

    def get(self, number: int) -> str | None:
        """Return a text by its number; None where there is none."""
        if not 0 <= number < len(self._ends):
            return None
        start = self._ends[number - 1] if number else 0
        return self._packed[start : self._ends[number]].decode("utf-8", "surrogatepass")


def refuse(detail: str, *, fix: str = _FIX) -> Never:
    """Raise what is wrong with the file as a whole."""
    raise InvalidInput.at("", detail, fix=fix)


def open_book(source: BinaryIO, sheet: str | None) -> Book:
    """Open a workbook and find a sheet by name; the first where ``sheet`` is None.

    Raises:
        InvalidInput: No .xlsx file, no such sheet, or a part beyond its bound.
    """
    start = source.tell()
    head = source.read(4)
    source.seek(start)
    if head == _OLD:
        refuse("an old .xls file, or one with a password", fix="Save it as .xlsx, no password.")
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError):
        refuse("no .xlsx file, or cut off")
    sheets: list[tuple[str, str]] = []
    book = Book(archive=archive, sheet="", formats=[NumberFormat()], texts=Texts())

    def workbook(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            relation = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            sheets.append((attributes.get("name", ""), relation))
        elif name == "workbookPr":
            book.is_from_1904 = attributes.get("date1904") in ("1", "true")

    _parse_small(archive, "xl/workbook.xml", workbook)
    relation = _choose(sheets, sheet)
    targets: dict[str, str] = {}

    def relations(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _parse_small(archive, "xl/_rels/workbook.xml.rels", relations)
    target = targets.get(relation, "")
    book.sheet = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    names = set(archive.namelist())
    if book.sheet not in names:
        refuse("the sheet is not in the file")
    if "xl/styles.xml" in names:
        book.formats = _read_formats(archive)
    if "xl/sharedStrings.xml" in names:
        _read_texts(archive, book.texts)
    return book


def stream_part(archive: zipfile.ZipFile, name: str, longest: int) -> Iterator[bytes]:
    """Yield a part in chunks.

    Raises:
        InvalidInput: It is missing, broken, or unpacks to more than ``longest`` bytes.
    """
    try:
        info = archive.getinfo(name)
        with archive.open(info) as part:
            yield from _read_bounded(part, info, longest)
    except KeyError:
        refuse(f"{name} is missing in it")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError):
        refuse(f"{name} in it is broken, encrypted or cut off")


def _read_bounded(part: IO[bytes], info: zipfile.ZipInfo, longest: int) -> Iterator[bytes]:
    total = 0
    while chunk := part.read(_CHUNK):
        total += len(chunk)
        is_bomb = total > _RATIO_FROM and total > RATIO_MOST * max(info.compress_size, 1)
        if total > longest or is_bomb:
            refuse(f"{info.filename[:60]} in it unpacks to more than we read")
        yield chunk


def parse_part(chunks: Iterator[bytes], parser: "expat.XMLParserType", name: str) -> Iterator[None]:
    """Feed a part to a parser; yields after each chunk.

    Raises:
        InvalidInput: Not well-formed, or with a document type.
    """

    def refuse_doctype(*_: object) -> None:
        refuse(f"{name} in it has a document type", fix="Send XML without <!DOCTYPE>.")

    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.EntityDeclHandler = refuse_doctype
    parser.buffer_text = True
    fed = 0
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)  # noqa: FBT003  expat's own signature
            fed += len(chunk)
            if fed - max(parser.CurrentByteIndex, 0) > PART_LONGEST:
                refuse(f"{name} in it has a tag of megabytes")
            yield
        parser.Parse(b"", True)  # noqa: FBT003
        yield
    except (expat.ExpatError, ValueError):
        refuse(f"{name} in it is no well-formed XML, or cut off")


def local_name(name: str) -> str:
    """Return a name without its prefix."""
    return name.rpartition(":")[2]


def _parse_small(
    archive: zipfile.ZipFile, name: str, start: Callable[[str, dict[str, str]], None]
) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: start(local_name(tag), attributes)
    for _ in parse_part(stream_part(archive, name, PART_LONGEST), parser, name):
        pass


def _choose(sheets: list[tuple[str, str]], wanted: str | None) -> str:
    if not sheets:
        refuse("it has no sheets")
    if wanted is None:
        return sheets[0][1]
    for name, relation in sheets:
        if name == wanted:
            return relation
    shown = ", ".join(repr(name[:31]) for name, _ in sheets[:10])
    raise InvalidInput.at("/sheet", f"no sheet {wanted!r}", fix=f"It has {shown}.")


@dataclass(slots=True)
class _Styles:
    codes: dict[int, str] = field(default_factory=dict)
    cells: list[int] = field(default_factory=list)
    is_in_cells: bool = False


def _read_formats(archive: zipfile.ZipFile) -> list[NumberFormat]:
    styles = _Styles()

    def start(name: str, attributes: dict[str, str]) -> None:
        number = attributes.get("numFmtId", "0")
        code = int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 0  # noqa: PLR2004
        if name == "numFmt":
            styles.codes[code] = attributes.get("formatCode", "")
        elif name in ("cellXfs", "cellStyleXfs"):
            styles.is_in_cells = name == "cellXfs"
        elif name == "xf" and styles.is_in_cells:
            styles.cells.append(code)

    _parse_small(archive, "xl/styles.xml", start)
    known = {number: _format_of(number, styles.codes) for number in set(styles.cells)}
    return [known[number] for number in styles.cells] or [NumberFormat()]


def _format_of(number: int, codes: dict[int, str]) -> NumberFormat:
    if number not in codes:
        return NumberFormat(
            is_date=number in _BUILT_IN_DATES, is_percent=number in _BUILT_IN_PERCENTS
        )
    code = _QUOTED.sub("", codes[number]).partition(";")[0].lower()
    if code and not code.strip("0"):
        return NumberFormat(zeros=len(code))
    if "%" in code:
        return NumberFormat(is_percent=True)
    return NumberFormat(is_date=code != "general" and any(sign in code for sign in "ydhs"))


def _read_texts(archive: zipfile.ZipFile, texts: Texts) -> None:
    """Read the shared texts; what is written above a word to say how it sounds is left out."""
    parts: list[str] = []
    inside = {"t": False, "phonetic": False}

    def start(tag: str, _attributes: dict[str, str]) -> None:
        name = local_name(tag)
        if name == "si":
            parts.clear()
        elif name == "t":
            inside["t"] = not inside["phonetic"]
        elif name == "rPh":
            inside["phonetic"] = True

    def end(tag: str) -> None:
        name = local_name(tag)
        if name == "si":
            texts.add("".join(parts))
            parts.clear()
        elif name == "t":
            inside["t"] = False
        elif name == "rPh":
            inside["phonetic"] = False

    def text(characters: str) -> None:
        if inside["t"]:
            parts.append(characters)

    name = "xl/sharedStrings.xml"
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    for _ in parse_part(stream_part(archive, name, TEXTS_LONGEST), parser, name):
        if sum(map(len, parts)) > PART_LONGEST:
            refuse("one of its texts is larger than we read")
