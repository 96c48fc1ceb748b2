"""Codes that were proven once, under the very bytes that show them, need no second look.

    codes that are meant, bytes that show them ─▶ token ─▶ known? ──yes──▶ proven
                                                            └─no─▶ compared, pixel by pixel

A price change leaves the bytes of the codes as they were. So a token is taken of what is meant
and of every byte of the frame that holds a pixel of a code or its quiet zone: the same token is
the same proof. Tokens are 64 bits, keyed anew in each process.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from esl.domain.panel import Ink, Panel
from renderer.canvas import Box, blank, fill
from renderer.codes.modules import Modules
from renderer.codes.place import PlacedCode
from renderer.packing import pack

PROOFS_KEPT = 131_072
"""Bound of each of the two generations of tokens: 9 MB when full."""

_PLACES_KEPT = 4_096


class _Place(NamedTuple):
    """Where a code stands; what it says is not of it."""

    rows: int
    columns: int
    left: int
    top: int
    module_px: int
    height_px: int
    quiet: tuple[int, int, int, int]


class Proofs:
    """What was proven, the last `PROOFS_KEPT` of it at least; used by one thread at a time."""

    def __init__(self, *, kept: int = PROOFS_KEPT) -> None:
        self._kept = kept
        self._new: set[int] = set()
        self._old: set[int] = set()

    def has(self, token: int) -> bool:
        """Say whether this was proven before."""
        return token in self._new or token in self._old

    def add(self, token: int) -> None:
        """Note that this was proven just now."""
        if len(self._new) >= self._kept:
            self._old, self._new = self._new, set()
        self._new.add(token)


def token_of(pixels: bytes, panel: Panel, codes: Sequence[PlacedCode]) -> int:
    """Name what codes are meant and what bytes of a frame show them."""
    places = tuple(_place(code) for code in codes)
    shown = np.frombuffer(pixels, np.uint8).take(_bytes_of(panel, places), mode="clip")
    return hash((panel.panel_id, tuple(codes), shown.tobytes()))


def _place(code: PlacedCode) -> _Place:
    rows, columns, _ = code.modules
    return _Place(rows, columns, code.left, code.top, code.module_px, code.height_px, code.quiet)


@lru_cache(maxsize=_PLACES_KEPT)
def _bytes_of(panel: Panel, places: tuple[_Place, ...]) -> NDArray[np.intp]:
    """Find the bytes of a frame that hold pixels of codes or quiet zones.

    Whatever lies in them changes one of these bytes: they are those in which boxes of some ink
    differ from none.
    """
    without = blank(panel)
    none = np.frombuffer(pack(without, panel), np.uint8)
    differs = np.zeros(none.shape, np.bool_)
    for ink in panel.inks:
        if ink is Ink.WHITE:
            continue
        canvas = without.copy()
        for place in places:
            fill(canvas, _box(place), ink)
        differs |= np.frombuffer(pack(canvas, panel), np.uint8) != none
    return np.flatnonzero(differs)


def _box(place: _Place) -> Box:
    empty = Modules(place.rows, place.columns, b"")
    code = PlacedCode("", "", empty, *place[2:])
    return code.quiet_box
