"""The items of a JSON array, one at a time, however long the array is.

    {"data": {"products": [ {…}, {…}, …        path "data.products" leads to the array; what
                            └ one item ┘        stands before it is skipped, what follows is read

JSON is read as strictly as everywhere here (`esl.intake.strict_json`): UTF-8 or the declared
encoding, no key twice, numbers as they were written. A value that is skipped, and an item, must
fit into `ITEM_LONGEST`.
"""

import codecs
import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Never

from esl.domain.errors import InvalidInput
from esl.intake.mapping.opened import Unreadable
from esl.intake.mapping.text_source import check_head, codec_name
from esl.intake.strict_json import MAX_DEPTH, JsonFraction

ITEM_LONGEST = 1_048_576
"""Characters of one item, or of one value that is skipped."""

_CHUNK = 65_536
_BLANKS = " \t\r\n"
_INTEGER_LONGEST = 24
_FIX = "Send one whole JSON text; nothing of it was applied."


class _DuplicateKey(ValueError):
    """An object has a key twice."""


class JsonText:
    """A JSON text that is read from the front, and forgotten behind."""

    def __init__(
        self, source: BinaryIO, encoding: str | None, *, longest: int = ITEM_LONGEST
    ) -> None:
        """Begin where the source stands; a value has up to ``longest`` characters.

        Raises:
            InvalidInput: The text begins with the mark of another encoding.
        """
        start = source.tell()
        codec = codec_name(encoding)
        check_head(source.read(_CHUNK), codec)
        source.seek(start)
        self._source = source
        self._longest = longest
        self._decoder = codecs.getincrementaldecoder(codec)("strict")
        self._buffer = ""
        self._at = 0
        self._is_over = False
        self._passed = 0  # characters before the buffer
        self._json = json.JSONDecoder(
            object_pairs_hook=_object,
            parse_float=JsonFraction,
            parse_int=_integer,
            parse_constant=JsonFraction,
        )
        if self._peek() == "\ufeff":
            self._at += 1

    def refuse(self, detail: str) -> Never:
        """Raise what is wrong at the present place."""
        raise InvalidInput.at(
            "", f"character {self._passed + self._at + 1} of the text: {detail}", fix=_FIX
        )

    def _fill(self) -> bool:
        if self._is_over:
            return False
        self._passed += self._at
        self._buffer = self._buffer[self._at :]
        self._at = 0
        chunk = self._source.read(max(_CHUNK, len(self._buffer)))
        self._is_over = not chunk
        self._buffer += self._decoder.decode(chunk, final=not chunk)
        return True

    def _peek(self) -> str:
        """Return the next character; "" at the end."""
        while self._at >= len(self._buffer):
            if not self._fill():
                return ""
        return self._buffer[self._at]

    def skip_blanks(self) -> str:
        """Go to the next sign and return it; "" at the end."""
        while (sign := self._peek()) and sign in _BLANKS:
            self._at += 1
        return sign

    def take(self, sign: str) -> None:
        """Go past a sign that must stand here."""
        if self.skip_blanks() != sign:
            self.refuse(f"cut off, or {sign!r} is missing")
        self._at += 1

    def value(self) -> Any:
        """Read the value that stands here."""
        self.skip_blanks()
        while True:
            try:
                value, end = self._json.raw_decode(self._buffer, self._at)
            except _DuplicateKey as exc:
                self.refuse(str(exc))
            except RecursionError:
                self.refuse(f"nested deeper than {MAX_DEPTH} levels")
            except ValueError:
                if len(self._buffer) - self._at > self._longest or not self._fill():
                    self.refuse("no JSON, cut off, or a value that is too long")
            else:
                if end < len(self._buffer) or not self._fill():
                    if end - self._at > self._longest:
                        self.refuse("a value that is too long")
                    self._at = end
                    return value


def read_items(text: JsonText, path: Sequence[str]) -> Iterator[Any]:
    """Yield the items of the array at a path of keys; a single object is one item.

    Raises:
        InvalidInput: Not JSON, cut off, no such array, or something follows.
    """
    opened = 0
    for key in path:
        _go_into(text, key)
        opened += 1
    sign = text.skip_blanks()
    if sign == "[":
        yield from _read_array(text)
    elif sign == "{":
        yield text.value()
    else:
        text.refuse("neither an array nor an object")
    for _ in range(opened):
        _finish_object(text)
    if text.skip_blanks():
        text.refuse("something follows the text")


def _read_array(text: JsonText) -> Iterator[Any]:
    text.take("[")
    if text.skip_blanks() == "]":
        text.take("]")
        return
    while True:
        yield text.value()
        if text.skip_blanks() == "]":
            text.take("]")
            return
        text.take(",")


def _go_into(text: JsonText, wanted: str) -> None:
    """Go to the value of a key of the object that stands here."""
    if text.skip_blanks() != "{":
        text.refuse(f"no object, and {wanted!r} should be in it")
    text.take("{")
    while text.skip_blanks() != "}":
        key = text.value()
        if not isinstance(key, str):
            text.refuse("no key")
        text.take(":")
        if key == wanted:
            return
        text.value()
        if text.skip_blanks() != "}":
            text.take(",")
    text.refuse(f"the object has no {wanted!r}")


def _finish_object(text: JsonText) -> None:
    while text.skip_blanks() == ",":
        text.take(",")
        if not isinstance(text.value(), str):
            text.refuse("no key")
        text.take(":")
        text.value()
    text.take("}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _DuplicateKey("an object has a key twice")
    return result


def _integer(text: str) -> int | Unreadable:
    return int(text) if len(text) <= _INTEGER_LONGEST else Unreadable("a number of many digits")
