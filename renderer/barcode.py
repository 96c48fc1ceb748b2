"""EAN-13 and EAN-8 bars at whole pixels.

============ ===============================================================================
GTIN-13      EAN-13
GTIN-12      EAN-13 of "0" and the 12 digits: the same bars as UPC-A
GTIN-8       EAN-8
GTIN-14      EAN-13 of the last 13 if it starts with 0, else none: a case, not a consumer unit
============ ===============================================================================

A resized picture of bars was unreadable 25 times of 25, so a module is one or two whole pixels.
One pixel at 112 dpi is 0.226 mm, below the 0.264 mm of the GS1 General Specifications, and a
label is lower than the symbol should be tall: the bars serve the shop's own handheld scanners
(field notes, standards D.3 and D.5).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from esl.domain.errors import CodeDoesNotFit
from esl.domain.gtin import is_gtin

SYMBOLS_KEPT = 256
"""Bound of `BarcodeWriter`'s cache."""

_GTIN_8, _GTIN_12, _GTIN_14 = 8, 12, 14

EAN_13_QUIET_LEFT, EAN_13_QUIET_RIGHT = 11, 7
"""Modules of white; EAN-8 needs 7 on both sides, so it may stand wherever EAN-13 may."""

EAN_13_MODULES = EAN_13_QUIET_LEFT + 95 + EAN_13_QUIET_RIGHT


@dataclass(frozen=True, slots=True)
class Bars:
    """One line of modules without quiet zones: 95 for EAN-13, 67 for EAN-8."""

    modules: NDArray[np.bool_]  # True is dark
    digits: str  # what they say


class BarcodeWriter:
    """Draws GTINs; remembers the last `SYMBOLS_KEPT` by content."""

    def __init__(self) -> None:
        self.draw = lru_cache(maxsize=SYMBOLS_KEPT)(_draw)
        """Draw a GTIN; None if it has no EAN symbol.

        Raises:
            CodeDoesNotFit: Not a GTIN with a right check digit.
        """


def has_symbol(gtin: str) -> bool:
    """Say whether a GTIN has an EAN symbol: those of cartons (GTIN-14 from 1 up) have none."""
    return len(gtin) != _GTIN_14 or gtin.startswith("0")


def _draw(gtin: str) -> Bars | None:
    if not is_gtin(gtin):
        raise CodeDoesNotFit("the bar code's content is not a GTIN with a right check digit")
    if len(gtin) == _GTIN_8:
        return Bars(_modules(gtin, zxingcpp.BarcodeFormat.EAN8), gtin)
    if not has_symbol(gtin):
        return None
    if len(gtin) == _GTIN_14:
        gtin = gtin[1:]
    elif len(gtin) == _GTIN_12:
        gtin = "0" + gtin
    return Bars(_modules(gtin, zxingcpp.BarcodeFormat.EAN13), gtin)


def _modules(digits: str, form: zxingcpp.BarcodeFormat) -> NDArray[np.bool_]:
    picture = zxingcpp.create_barcode(digits, form).to_image(scale=1, add_quiet_zones=False)
    dark: NDArray[np.bool_] = np.asarray(picture)[0] == 0
    return dark
