"""What each kind of code may be: how large a module is, how much white it needs around it.

=========== ====================== ============ ====== =====================================
name        module mm              quiet zone   height content
=========== ====================== ============ ====== =====================================
qr          0.396 to 0.743         4            square any text, level M
data-matrix 0.396 to 0.743         1            square any text, or an element string
ean-13      0.264 to 0.660         11 and 7     18.28  GTIN-13
ean-8       0.264 to 0.660         7 and 7      14.58  GTIN-8
upc-a       0.264 to 0.660         9 and 9      18.28  GTIN-12
upc-e       0.264 to 0.660         9 and 7      18.28  GTIN-12 with zeros that can be left out
gs1-128     0.495 to 1.016         10 and 10    31.75  element string, "(01)…(10)…", or a GTIN
itf-14      0.495 to 1.016         10 and 10    31.75  GTIN-14
code-128    0.264 to 1.016         10 and 10           printable ASCII
=========== ====================== ============ ====== =====================================

Sizes and quiet zones (in modules; left and right of bars) are those of the GS1 General
Specifications (field notes, standards D.3). Code 128 outside GS1 has no limits of its own
(ISO/IEC 15417 leaves them to whoever uses it): we take the lowest and the highest of the others.

No label is as high as bars should be: they are cut short, and serve the shop's own handheld
scanners. ``staff`` codes may also have finer modules than a till must be able to read.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from esl.domain.panel import Panel

STAFF_BARS_MIN_MM = 0.125
"""5 mil, what handheld scanners are sold for; 1 px at 200 dpi (a judgement)."""

STAFF_MATRIX_MIN_MM = 0.25
"""What phones read (field notes, standards D.5)."""

_ROUNDING_MM = 1e-6
"""A limit that is a whole number of pixels must not be missed by a float."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbology:
    """The limits of one kind of code."""

    name: str
    module_min_mm: float
    module_max_mm: float
    staff_min_mm: float
    quiet: tuple[int, int, int, int]  # modules of white: left, top, right, bottom
    height_min_mm: float = 0.0  # of bars; what a till's scanner wants, and no label has
    bearer: int = 0  # modules of black along top and bottom of the bars

    def module_range_px(self, panel: Panel, *, staff: bool) -> tuple[int, int]:
        """Return the least and the most whole pixels a module may have; none fits if least > most.

        ``staff`` lowers the least, for codes that only the shop's own scanners read.
        """
        least_mm = self.staff_min_mm if staff else self.module_min_mm
        px_mm = panel.px_mm
        return (
            max(1, math.ceil((least_mm - _ROUNDING_MM) / px_mm)),
            math.floor((self.module_max_mm + _ROUNDING_MM) / px_mm),
        )


def _matrix(name: str, quiet: int) -> Symbology:
    return Symbology(
        name=name,
        module_min_mm=0.396,
        module_max_mm=0.743,
        staff_min_mm=STAFF_MATRIX_MIN_MM,
        quiet=(quiet, quiet, quiet, quiet),
    )


def _retail(name: str, left: int, right: int, height_min_mm: float) -> Symbology:
    return Symbology(
        name=name,
        module_min_mm=0.264,
        module_max_mm=0.660,
        staff_min_mm=STAFF_BARS_MIN_MM,
        quiet=(left, 0, right, 0),
        height_min_mm=height_min_mm,
    )


def _carton(name: str, *, module_min_mm: float, height_min_mm: float, bearer: int) -> Symbology:
    return Symbology(
        name=name,
        module_min_mm=module_min_mm,
        module_max_mm=1.016,
        staff_min_mm=STAFF_BARS_MIN_MM,
        quiet=(10, 0, 10, 0),
        height_min_mm=height_min_mm,
        bearer=bearer,
    )


QR = _matrix("qr", 4)

SYMBOLOGIES: Mapping[str, Symbology] = MappingProxyType(
    {
        symbology.name: symbology
        for symbology in (
            QR,
            _matrix("data-matrix", 1),
            _retail("ean-13", 11, 7, 18.28),
            _retail("ean-8", 7, 7, 14.58),
            _retail("upc-a", 9, 9, 18.28),
            _retail("upc-e", 9, 7, 18.28),
            _carton("gs1-128", module_min_mm=0.495, height_min_mm=31.75, bearer=0),
            # A scan that leaves ITF bars through top or bottom may read fewer digits and not
            # know it. Bars of two modules there prevent that; the box of the printed carton
            # would stand in our quiet zone, and is a matter of printing plates.
            _carton("itf-14", module_min_mm=0.495, height_min_mm=31.75, bearer=2),
            _carton("code-128", module_min_mm=0.264, height_min_mm=0.0, bearer=0),
        )
    }
)
