"""QR codes: which mode and version, and the data codewords (ISO/IEC 18004).

One segment, alphanumeric if every character allows it (a Digital Link in upper case then fits
version 2 instead of 3) or else bytes in UTF-8; level M; the smallest version up to 10. The modules
themselves come from `renderer.codes.qr_table`.
"""

from bisect import bisect_left
from functools import lru_cache
from typing import NamedTuple

from qrcode.constants import ERROR_CORRECT_M
from qrcode.util import ALPHA_NUM, BIT_LIMIT_TABLE, PAD0, PAD1

from esl.domain.errors import CodeDoesNotFit
from renderer.codes.modules import Modules
from renderer.codes.qr_table import SymbolTable

MAX_VERSION = 10
SYMBOLS_KEPT = 256
"""Bound of `QrWriter`'s symbol cache: two labels of one product, on panels of two sizes."""

_ALPHANUMERIC = {chr(code): value for value, code in enumerate(ALPHA_NUM)}
_PAIRS = {
    a + b: 45 * first + second
    for a, first in _ALPHANUMERIC.items()
    for b, second in _ALPHANUMERIC.items()
}
_MODE_ALPHANUMERIC, _MODE_BYTES = 0b0010, 0b0100
_MODE_BITS = 4
_CAPACITY_BITS: list[int] = BIT_LIMIT_TABLE[ERROR_CORRECT_M]  # by version
_LONGER_COUNTS_FROM = 10  # the version from which the character count has more bits


class QrWriter:
    """Draws symbols of versions 1 to `MAX_VERSION`, level M.

    Caches: a `SymbolTable` per version, built when first needed, and the last `SYMBOLS_KEPT`
    symbols by text.
    """

    def __init__(self) -> None:
        self._table = lru_cache(maxsize=MAX_VERSION)(SymbolTable)
        self.draw = lru_cache(maxsize=SYMBOLS_KEPT)(self._draw)
        """Draw a text as modules, as many rows as columns.

        Raises:
            CodeDoesNotFit: Empty, not valid Unicode, or too long for version 10.
        """

    def _draw(self, text: str) -> Modules:
        segment = segment_of(text)
        version = smallest_version(segment)
        return self._table(version).draw(codewords(segment, version))


class Segment(NamedTuple):
    """A text in one QR mode, before header and padding."""

    mode: int
    characters: int  # bytes in byte mode
    payload: int
    payload_bits: int

    def count_bits(self, version: int) -> int:
        """Width of the character count (ISO/IEC 18004, table 3)."""
        short = version < _LONGER_COUNTS_FROM
        if self.mode == _MODE_ALPHANUMERIC:
            return 9 if short else 11
        return 8 if short else 16

    def bits(self, version: int) -> int:
        """Length with its header."""
        return _MODE_BITS + self.count_bits(version) + self.payload_bits


def segment_of(text: str) -> Segment:
    """Write a text in alphanumeric mode (5.5 bits a character) if that can, or else as UTF-8.

    Raises:
        CodeDoesNotFit: There is nothing to write, or a lone surrogate.
    """
    if not text:
        raise CodeDoesNotFit("a QR code needs at least one character")
    if text != text.upper():
        return _segment_of_bytes(text)
    pairs, single = divmod(len(text), 2)
    payload = 0
    try:
        for at in range(0, 2 * pairs, 2):
            payload = payload << 11 | _PAIRS[text[at : at + 2]]
        if single:
            payload = payload << 6 | _ALPHANUMERIC[text[-1]]
    except KeyError:
        return _segment_of_bytes(text)
    return Segment(_MODE_ALPHANUMERIC, len(text), payload, 11 * pairs + 6 * single)


def _segment_of_bytes(text: str) -> Segment:
    try:
        raw = text.encode()
    except UnicodeEncodeError as exc:
        raise CodeDoesNotFit("the QR code's text is not valid Unicode") from exc
    return Segment(_MODE_BYTES, len(raw), int.from_bytes(raw), 8 * len(raw))


def smallest_version(segment: Segment) -> int:
    """Find the lowest version that holds a segment at level M.

    Raises:
        CodeDoesNotFit: More than version 10 holds.
    """
    version = bisect_left(_CAPACITY_BITS, segment.bits(1), 1, _LONGER_COUNTS_FROM)
    for longer in range(version, MAX_VERSION + 1):
        if segment.bits(longer) <= _CAPACITY_BITS[longer]:
            return longer
    raise CodeDoesNotFit(
        f"a QR code of version {MAX_VERSION} holds {_CAPACITY_BITS[MAX_VERSION]} bits at level M, "
        f"and the text needs {segment.bits(MAX_VERSION)}"
    )


def codewords(segment: Segment, version: int) -> bytes:
    """Write header, segment, terminator and padding (ISO/IEC 18004, 7.4)."""
    capacity = _CAPACITY_BITS[version]
    header = segment.mode << segment.count_bits(version) | segment.characters
    length = segment.bits(version)
    zeros = min(4, capacity - length)
    zeros += -(length + zeros) % 8
    used = (header << segment.payload_bits | segment.payload) << zeros
    data = used.to_bytes((length + zeros) // 8)
    padding = bytes((PAD0, PAD1)) * (capacity // 16)
    return data + padding[: capacity // 8 - len(data)]
