"""The modules of a symbol, eight a byte, as tables write them and drawing reads them.

    dark, light, dark, light, dark, light, dark, dark, dark  ─▶  10101011 | 10000000

One bit a module, 1 is dark; each row is filled up to whole bytes with zeros.
"""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

_BITS = 8


class Modules(NamedTuple):
    """Rows of modules; bars have one row, or one column where they were turned onto their side."""

    rows: int
    columns: int
    bits: bytes

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and columns."""
        return self.rows, self.columns

    @classmethod
    def of(cls, dark: NDArray[np.bool_]) -> Self:
        """Pack modules of shape (rows, columns), True is dark."""
        rows, columns = dark.shape
        return cls(rows, columns, np.packbits(dark, axis=1).tobytes())

    def packed(self) -> NDArray[np.uint8]:
        """Return the bytes, one behind the other, row by row."""
        return np.frombuffer(self.bits, np.uint8)

    def dark(self) -> NDArray[np.bool_]:
        """Return them one by one, shape (rows, columns), True is dark."""
        bits = np.unpackbits(self.packed()).reshape(self.rows, -1)
        return bits[:, : self.columns].view(np.bool_)

    def turned(self) -> "Modules":
        """Return them a quarter further, clockwise."""
        return self.of(np.rot90(self.dark(), k=-1))

    def mirrored(self) -> "Modules":
        """Exchange rows and columns."""
        return self.of(self.dark().T)


def bytes_a_row(columns: int) -> int:
    """Count the bytes of a row."""
    return -(-columns // _BITS)
