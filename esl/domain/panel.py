"""The display models of labels: size, inks and how a frame lies in their memory.

Pictures are drawn in *inks* (0 black, 1 white, 2 yellow, 3 red) as the shopper sees the label.
Only `renderer.packing` turns inks into the codes a model reads:

=========== =================================================================================
codes       two-bit code of each ink; two models of one size may have red and yellow swapped,
            and neither size nor controller name decides it (field notes, standards C.2)
encoding    packed: four pixels a byte. planes: all pixels' code bit 0, eight a byte, then all
            pixels' code bit 1, which is left out where every code is below 2
turn        degrees clockwise the picture is turned before packing, for panels that scan portrait
row_padding byte: each row (of each plane) fills whole bytes. none: a row begins in the byte in
            which the one before ended, and only the end of the frame (or plane) is filled
padding     the ink that fills; white as a rule, for a code of zero is often a black edge
=========== =================================================================================

The models are data: `esl.domain.panel_file` reads them.
"""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType

from esl.domain.errors import UnknownPanel
from esl.domain.ids import PanelId

MM_PER_INCH = 25.4

Rgb = tuple[int, int, int]


class Ink(IntEnum):
    """A colour the panel can print; the value is the pixel in a canvas."""

    BLACK = 0
    WHITE = 1
    YELLOW = 2
    RED = 3


ALL_INKS = tuple(Ink)

INK_SETS: Mapping[str, tuple[Ink, ...]] = MappingProxyType(
    {
        "bw": (Ink.BLACK, Ink.WHITE),
        "bwr": (Ink.BLACK, Ink.WHITE, Ink.RED),
        "bwy": (Ink.BLACK, Ink.WHITE, Ink.YELLOW),
        "bwry": ALL_INKS,
    }
)
"""What a panel id begins with, and the inks it stands for, in their order."""

MEASURED_RGB: tuple[Rgb, Rgb, Rgb, Rgb] = (
    (10, 7, 14),
    (173, 178, 174),
    (172, 128, 0),
    (85, 24, 14),
)
"""Black, white, yellow and red of the one four-colour panel that somebody measured in public, a
3.97" EP397YR; stands in for all others (field notes, standards C.3)."""

_NEAR = 0.5  # how alike an id must be to be proposed
_ID_SHOWN = 64  # characters of an unknown id that a message repeats


class Encoding(StrEnum):
    """How codes lie in bytes, the leftmost pixel in the highest bits."""

    PACKED = "packed"
    PLANES = "planes"


class RowPadding(StrEnum):
    """Where bits are filled up to whole bytes."""

    BYTE = "byte"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One label model's display, in pixels as it hangs on the shelf.

    ``codes`` has one for each of ``inks``, in that order. ``ink_rgb`` is indexed by `Ink`; entries
    of inks the panel lacks mean nothing. ``nominal`` names the fields that nobody has measured or
    read from a maker's sheet for this model: likely values, to be checked on the glass.
    """

    panel_id: PanelId
    name: str  # begins with the diagonal: '2.9" four-colour'
    width_px: int
    height_px: int
    dpi: int
    active_mm: tuple[float, float] | None = None  # width and height, where the maker tells
    inks: tuple[Ink, ...] = ALL_INKS  # black and white always, in the order of their values
    ink_rgb: tuple[Rgb, Rgb, Rgb, Rgb] = MEASURED_RGB  # as reflected, not as a screen shows it
    measured: bool = False  # ink_rgb was measured on this model
    codes: tuple[int, ...] = (0, 1, 2, 3)
    encoding: Encoding = Encoding.PACKED
    turn: int = 0  # degrees clockwise: 0, 90, 180 or 270
    row_padding: RowPadding = RowPadding.BYTE
    padding: Ink = Ink.WHITE
    refresh_s: float  # one full refresh in all inks at room temperature
    slots: int = 2  # picture memories
    zlib_window_bits: int = 12  # 4 KiB: what small label controllers can inflate
    maker: str = ""  # of the glass or the label
    controller: str = ""  # of the glass, or the type number or name that a firmware gives it
    source: str = ""  # where these facts are from
    nominal: frozenset[str] = frozenset()

    def __hash__(self) -> int:
        """Hash the id alone: panels are keys of caches that every label asks."""
        return hash(self.panel_id)

    @property
    def px_mm(self) -> float:
        """Edge of one pixel in millimetres."""
        return MM_PER_INCH / self.dpi

    @property
    def width_mm(self) -> float:
        """Width of the picture: the maker's figure, or else from pixels and dpi."""
        return self.active_mm[0] if self.active_mm else self.width_px * self.px_mm

    @property
    def height_mm(self) -> float:
        """Height of the picture: the maker's figure, or else from pixels and dpi."""
        return self.active_mm[1] if self.active_mm else self.height_px * self.px_mm

    @property
    def ink_set(self) -> str:
        """The inks as they are written in the id: ``bwry``, ``bwr``, ``bwy`` or ``bw``."""
        return next(letters for letters, inks in INK_SETS.items() if inks == self.inks)

    @property
    def lacks(self) -> tuple[Ink, ...]:
        """The inks that a frame for this panel must not contain."""
        return tuple(ink for ink in ALL_INKS if ink not in self.inks)

    @property
    def planes(self) -> int:
        """Planes of a frame of one bit a pixel; one of two bits, where it is packed, counts 1."""
        return 2 if self.encoding is Encoding.PLANES and max(self.codes) > 1 else 1

    @property
    def pixels_per_byte(self) -> int:
        """Pixels in a byte of a frame or plane."""
        return 8 if self.encoding is Encoding.PLANES else 4

    @property
    def scan_size_px(self) -> tuple[int, int]:
        """(width, height) in the order the panel scans, after the turn."""
        if self.turn in (90, 270):
            return self.height_px, self.width_px
        return self.width_px, self.height_px

    @property
    def frame_bytes(self) -> int:
        """Size of one frame."""
        width, height = self.scan_size_px
        if self.row_padding is RowPadding.NONE:
            return -(-width * height // self.pixels_per_byte) * self.planes
        return -(-width // self.pixels_per_byte) * height * self.planes


class Panels(Mapping[PanelId, Panel]):
    """The panel models an installation knows: a mapping from id to model, smallest glass first.

    Raises:
        ValueError: Two models have one id.
    """

    __slots__ = ("_by_id",)

    def __init__(self, panels: Iterable[Panel]) -> None:
        self._by_id: dict[PanelId, Panel] = {}
        for panel in sorted(panels, key=_diagonal_and_id):
            if panel.panel_id in self._by_id:
                raise ValueError(f"two panel models are called {panel.panel_id}")
            self._by_id[panel.panel_id] = panel

    def __getitem__(self, panel_id: PanelId) -> Panel:
        return self._by_id[panel_id]

    def __iter__(self) -> Iterator[PanelId]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def named(self, panel_id: str) -> Panel:
        """Look a model up.

        Raises:
            UnknownPanel: No model has this id; names those that are spelt like it.
        """
        panel = self._by_id.get(PanelId(panel_id))
        if panel is None:
            near = self.near(panel_id)
            hint = f"near it: {', '.join(near)}; " if near else ""
            raise UnknownPanel(
                f"no panel model {panel_id[:_ID_SHOWN]!r}; {hint}all of them: esl panels"
            )
        return panel

    def near(self, panel_id: str) -> list[str]:
        """List up to three ids that are spelt like this one, the likest first."""
        return difflib.get_close_matches(panel_id[:_ID_SHOWN], self._by_id, 3, _NEAR)


def _diagonal_and_id(panel: Panel) -> tuple[float, str]:
    """Sort by the diagonal to whole millimetres, then by id."""
    return round(math.hypot(panel.width_mm, panel.height_mm)), panel.panel_id
