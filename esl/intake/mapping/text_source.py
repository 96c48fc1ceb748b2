"""Bytes become text in the declared encoding, chunk by chunk, or an error that names the place.

    bytes ──▶ guard (length of lines, NUL) ──▶ decoder ──▶ lines

Nothing is replaced and nothing is skipped: a byte the encoding does not have means that another
encoding was meant, and then every letter is in doubt.
"""

import codecs
import io
from typing import BinaryIO

from esl.domain.errors import InvalidInput

LINE_LONGEST = 1_048_576
"""Bytes of one line; a file that is one endless line is no list, and must fit nowhere."""

_CHUNK = 65_536
_HEAD = 65_536
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARKS_OF_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MARK_OF = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
_WIDE = frozenset({"utf-16", "utf-16-le", "utf-16-be"})
_KNOWN = frozenset(
    """
ascii utf-8 utf-8-sig utf-16 utf-16-le utf-16-be
cp437 cp720 cp737 cp775 cp850 cp852 cp855 cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866
cp869 cp874 cp932 cp949 cp950 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258
iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9
iso8859-10 iso8859-11 iso8859-13 iso8859-14 iso8859-15 iso8859-16 koi8-r koi8-u mac-roman
mac-latin2 mac-cyrillic mac-greek mac-turkish tis-620 big5 gb2312 gbk gb18030 shift_jis euc_jp
euc_kr
""".split()
)
_EIGHT_BIT = frozenset(name for name in _KNOWN if name.startswith(("cp125", "iso8859", "cp85")))


def check_encoding(name: str) -> str | None:
    """Say what is wrong with the name of an encoding; None if it is one we read."""
    try:
        known = codecs.lookup(name).name in _KNOWN
    except (LookupError, ValueError):
        known = False
    return None if known else "not an encoding we know"


def codec_name(encoding: str | None) -> str:
    """Return Python's own name of a declared encoding; UTF-8 where none was declared."""
    return codecs.lookup(encoding or "utf-8").name


def open_text(source: BinaryIO, encoding: str | None) -> io.TextIOWrapper:
    """Read a source as lines of text, from where it stands; their ends stay as they are.

    Raises:
        InvalidInput: It begins with the mark of another encoding, or is plainly UTF-8. Reading
            raises it for a NUL byte and an endless line, and UnicodeDecodeError: see
            `explain_undecodable`.
    """
    codec = codec_name(encoding)
    start = source.tell()
    check_head(source.read(_HEAD), codec)
    source.seek(start)
    if codec in _MARK_OF and source.read(2) != _MARK_OF[codec]:
        source.seek(start)
    guard = _Guard(source, codec)
    if codec == "utf-8":
        codec = "utf-8-sig"  # a mark before a quote would make the quote a letter
    return io.TextIOWrapper(guard, codec, "strict", newline="")


def ends_a_line(source: BinaryIO) -> bool:
    """Say whether the last bytes are an end of line; the source stands where it stood."""
    start = source.tell()
    length = source.seek(0, io.SEEK_END)
    source.seek(max(start, length - 4))
    tail = source.read(4)
    source.seek(start)
    return tail.rstrip(b"\0").endswith((b"\n", b"\r"))


def explain_undecodable(source: BinaryIO, encoding: str | None, start: int) -> InvalidInput:
    """Find the first byte that is not of the encoding, from ``start`` on."""
    codec = codec_name(encoding)
    source.seek(start)
    decoder = codecs.getincrementaldecoder(codec)("strict")
    offset, row = 0, 1
    while True:
        chunk = source.read(_CHUNK)
        offset += len(chunk)
        try:
            row += decoder.decode(chunk, final=not chunk).count("\n")
        except UnicodeDecodeError as exc:
            at = offset - len(exc.object) + exc.start
            row += exc.object[: exc.start].count(b"\n")
            value = exc.object[exc.start]
            return InvalidInput.at(
                "",
                f"row {row}, byte {at + 1} from the start: 0x{value:02x} there is not "
                f"{encoding or codec}",
                fix="Declare the encoding that the file has, or save it in the declared one.",
            )
        if not chunk:
            raise AssertionError("a file that could not be decoded has a place where it fails")


def check_head(head: bytes, codec: str) -> None:
    """Refuse a file whose first bytes show that it is of another encoding.

    Raises:
        InvalidInput: They begin with a mark of UTF-8 or UTF-16, or are UTF-8 letters.
    """
    for mark, name in _MARKS:
        is_other = not codec.startswith(name) or _MARK_OF.get(codec, mark) != mark
        if head.startswith(mark) and is_other:
            raise InvalidInput.at(
                "",
                f"row 1, byte 1: begins with the mark of {name}, and {codec} is declared",
                fix=f"Declare encoding: {name}{'-sig' if name == 'utf-8' else ''}.",
            )
    if codec == "utf-16" and head and not head.startswith(_MARKS_OF_UTF16):
        raise InvalidInput.at(
            "",
            "row 1, byte 1: no mark of utf-16 says which byte of a letter is first",
            fix="Declare utf-16-le or utf-16-be; or the encoding that it has, if it is another.",
        )
    if codec not in _EIGHT_BIT or head.isascii():
        return
    try:
        text = codecs.getincrementaldecoder("utf-8")("strict").decode(head, final=False)
    except UnicodeDecodeError:
        return
    if sum(character > "\x7f" for character in text) > 1:
        at = next(index for index, byte in enumerate(head) if byte > 0x7F)  # noqa: PLR2004
        row = head.count(b"\n", 0, at) + 1
        raise InvalidInput.at(
            "",
            f"row {row}, byte {at + 1} from the start: this is utf-8, and {codec} is declared",
            fix="Declare encoding: utf-8.",
        )


class _Guard(io.RawIOBase):
    """Hands on chunks of a source and refuses what no list holds; never closes the source."""

    def __init__(self, source: BinaryIO, codec: str) -> None:
        self._source = source
        self._is_wide = codec in _WIDE
        self._run = 0  # bytes since the last end of a line
        self._rows = 1
        self._bytes = 0

    name = "list"

    def readable(self) -> bool:
        return True

    def read1(self, _size: int = -1) -> bytes:
        chunk = self._source.read(_CHUNK)
        if not self._is_wide and (at := chunk.find(b"\0")) >= 0:
            row = self._rows + chunk.count(b"\n", 0, at)
            raise InvalidInput.at(
                "",
                f"row {row}, byte {self._bytes + at + 1} from the start: a NUL byte",
                fix="Send text; if it is UTF-16, declare encoding: utf-16.",
            )
        first = _find_end(chunk)
        longest = self._run + (len(chunk) if first < 0 else first)
        last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        self._run = longest if last < 0 else len(chunk) - last - 1
        if longest > LINE_LONGEST:
            raise InvalidInput.at(
                "",
                f"row {self._rows}: a line of more than {LINE_LONGEST} bytes",
                fix="Send one product a line.",
            )
        self._rows += chunk.count(b"\n")
        self._bytes += len(chunk)
        return chunk

    read = read1


def _find_end(chunk: bytes) -> int:
    ends = [at for at in (chunk.find(b"\n"), chunk.find(b"\r")) if at >= 0]
    return min(ends, default=-1)
