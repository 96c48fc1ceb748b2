"""QR symbols in microseconds, equal to the `qrcode` library's bit for bit.

For one version, level and mask a symbol is an affine function of its data bits over GF(2):

    symbol = base  XOR  row of every data bit that is 1

because Reed-Solomon coding, interleaving and placement are all linear, and masking, finder
patterns and format bits are the constant. A `SymbolTable` holds base and rows as whole numbers,
a bit a module and each line of modules filled up to whole bytes, and the XOR of the rows of each
data byte it has met. It is learned from the library itself: where stream bit *i* lands is read
from about twelve of its own matrices (the k-th one has the k-th bit of ``i + 1`` at every place
*i*), and the error correction of each data byte comes from its own polynomials. 3-8 us a symbol
against 8,100.

The mask is fixed. Choosing it is 80 % of the cost elsewhere, any reader undoes any mask, and
mask 2 had the lowest mean and the lowest worst penalty (ISO/IEC 18004, 7.8.3) of all eight over
150 shop addresses in byte mode, and within 1 % of the lowest mean for 150 Digital Links.
"""

from functools import reduce
from operator import getitem, xor

import numpy as np
from numpy.typing import NDArray
from qrcode import QRCode
from qrcode.base import EXP_TABLE, LOG_TABLE, Polynomial, RSBlock, rs_blocks
from qrcode.constants import ERROR_CORRECT_M

from renderer.codes.modules import Modules, bytes_a_row

MASK = 2


class SymbolTable:
    """Everything needed to draw symbols of one version at level M with `MASK`.

    Building takes 10 to 60 ms. The rows are 45 KB for version 2, 90 KB for version 4, 800 KB for
    version 10. The cache of bytes (place and value -> XOR of its rows) fills as it is used, and
    is bounded by 256 values a place: 1 MB for version 2, 3 MB for version 4, 25 MB for 10.
    """

    def __init__(self, version: int) -> None:
        blocks = rs_blocks(version, ERROR_CORRECT_M)
        self.side = 17 + 4 * version
        self.data_bytes = sum(block.data_count for block in blocks)
        base, stream_bit_of = _learn_placement(version, sum(block.total_count for block in blocks))
        stream = np.unpackbits(_stream_of_each_data_bit(blocks), axis=1)
        # Column 0 belongs to no stream bit: fixed patterns and remainder bits.
        stream = np.concatenate([np.zeros((len(stream), 1), np.uint8), stream], axis=1)
        rows = _numbers(stream[:, stream_bit_of], self.side)
        self._base = _numbers(base[np.newaxis, :], self.side)[0]
        self._symbol_bytes = self.side * bytes_a_row(self.side)
        self._bytes = [_ByteRows(rows[at : at + 8]) for at in range(0, len(rows), 8)]

    def draw(self, data: bytes) -> Modules:
        """Draw data codewords, exactly ``data_bytes`` of them."""
        symbol = reduce(xor, map(getitem, self._bytes, data), self._base)
        return Modules(self.side, self.side, symbol.to_bytes(self._symbol_bytes))


class _ByteRows(dict[int, int]):
    """The XOR of the rows of one data byte's bits, by its value; computed when first asked."""

    def __init__(self, rows: list[int]) -> None:
        super().__init__({0: 0})
        self._row_of = {0x80 >> bit: row for bit, row in enumerate(rows)}  # the highest bit first

    def __missing__(self, value: int) -> int:
        lowest = value & -value
        rest = self[value ^ lowest] if value != lowest else 0
        self[value] = together = rest ^ self._row_of[lowest]
        return together


def _learn_placement(version: int, stream_bytes: int) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Return the symbol of an all-zero stream, and for each module 1 + its stream bit or 0."""
    numbers = np.arange(1, 8 * stream_bytes + 1)
    base = _library_matrix(version, bytes(stream_bytes))
    stream_bit_of = np.zeros(base.shape, np.intp)
    for k in range(int(numbers[-1]).bit_length()):
        stream = np.packbits((numbers >> k & 1).astype(np.uint8)).tobytes()
        stream_bit_of |= (_library_matrix(version, stream) ^ base).astype(np.intp) << k
    return base, stream_bit_of


def _library_matrix(version: int, stream: bytes) -> NDArray[np.uint8]:
    """Let the library place a finished stream of codewords; flat, 1 is dark."""
    symbol = QRCode(version=version, error_correction=ERROR_CORRECT_M, mask_pattern=MASK)
    symbol.data_cache = list(stream)
    symbol.makeImpl(test=False, mask_pattern=MASK)
    return np.array(symbol.modules, np.uint8).ravel()


def _stream_of_each_data_bit(blocks: list[RSBlock]) -> NDArray[np.uint8]:
    """Return (data bits, stream bytes): the whole interleaved stream each single data bit makes."""
    data_counts = [block.data_count for block in blocks]
    ec_count = blocks[0].total_count - blocks[0].data_count  # equal in all blocks of a version
    data_bytes = sum(data_counts)
    order = [
        (block, i)
        for i in range(max(data_counts))
        for block in range(len(blocks))
        if i < data_counts[block]
    ]
    place = {data_byte: at for at, data_byte in enumerate(order)}
    remainders = _remainders(max(data_counts), ec_count)
    streams = np.zeros((data_bytes, 8, sum(block.total_count for block in blocks)), np.uint8)
    row = 0
    for block, count in enumerate(data_counts):
        ec_at = data_bytes + block + len(blocks) * np.arange(ec_count)
        for i in range(count):
            for bit in range(8):
                value = 0x80 >> bit
                streams[row, bit, place[block, i]] = value
                streams[row, bit, ec_at] = _times(remainders[count - 1 - i], value)
            row += 1
    return streams.reshape(8 * data_bytes, -1)


def _remainders(powers: int, ec_count: int) -> NDArray[np.uint8]:
    """Return (powers, ec_count): x^(k + ec_count) modulo the generator polynomial, for each k."""
    generator = Polynomial([1], 0)
    for i in range(ec_count):
        generator = generator * Polynomial([1, EXP_TABLE[i]], 0)
    rows = np.zeros((powers, ec_count), np.uint8)
    for k in range(powers):
        remainder = list(Polynomial([1], k + ec_count) % generator)
        rows[k, ec_count - len(remainder) :] = remainder
    return rows


def _times(row: NDArray[np.uint8], value: int) -> NDArray[np.uint8]:
    """Multiply a row by a value in the library's GF(256)."""
    shift = LOG_TABLE[value]
    return np.array([EXP_TABLE[(LOG_TABLE[x] + shift) % 255] if x else 0 for x in row], np.uint8)


def _numbers(symbols: NDArray[np.uint8], side: int) -> list[int]:
    """Read each symbol as one number, its first bit highest, each line filled up with zeros."""
    packed = np.packbits(symbols.reshape(len(symbols), side, side), axis=2)
    return [int.from_bytes(symbol.tobytes()) for symbol in packed]
