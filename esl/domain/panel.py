"""The display models of labels: size, inks and how a frame lies in their memory.

Pictures are drawn in *inks* (0 black, 1 white, 2 yellow, 3 red) as the shopper sees the label.
Only `renderer.packing` turns inks into the codes a model reads, four pixels a byte:

====== ======================================================================================
codes  2-bit code of each ink; two models of one size may have red and yellow swapped, and
       neither size nor controller name decides it (field notes, standards C.2)
turn   degrees clockwise the picture is turned before packing, for panels that scan portrait
rows   each row is padded to whole bytes with the code of white (0 would be a black edge)
====== ======================================================================================
"""

from dataclasses import dataclass
from enum import IntEnum

from esl.domain.errors import UnknownPanel
from esl.domain.ids import PanelId

MM_PER_INCH = 25.4


class Ink(IntEnum):
    """A colour the panel can print; the value is the pixel in a canvas."""

    BLACK = 0
    WHITE = 1
    YELLOW = 2
    RED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One label model's display, in pixels as it hangs on the shelf."""

    panel_id: PanelId
    name: str
    width_px: int
    height_px: int
    dpi: int
    inks: tuple[Ink, ...] = (Ink.BLACK, Ink.WHITE, Ink.YELLOW, Ink.RED)
    codes: tuple[int, int, int, int] = (0, 1, 2, 3)  # code of black, white, yellow, red
    turn: int = 0  # degrees clockwise: 0, 90, 180 or 270
    refresh_s: float  # one full four-colour refresh at room temperature
    slots: int = 2  # picture memories
    zlib_window_bits: int = 12  # 4 KiB: what small label controllers can inflate

    @property
    def px_mm(self) -> float:
        """Edge of one pixel in millimetres."""
        return MM_PER_INCH / self.dpi

    @property
    def scan_size_px(self) -> tuple[int, int]:
        """(width, height) in the order the panel scans, after the turn."""
        if self.turn in (90, 270):
            return self.height_px, self.width_px
        return self.width_px, self.height_px

    @property
    def frame_bytes(self) -> int:
        """Size of one packed frame."""
        width, height = self.scan_size_px
        return -(-width // 4) * height


PANELS: dict[PanelId, Panel] = {
    panel.panel_id: panel
    for panel in (
        # Sizes, dpi and refresh seconds: field notes, standards C.1.
        Panel(
            panel_id=PanelId("bwry-296x128"),
            name='2.9" four-colour',
            width_px=296,
            height_px=128,
            dpi=112,
            refresh_s=20.0,
        ),
        Panel(
            panel_id=PanelId("bwry-250x122"),
            name='2.13" four-colour',
            width_px=250,
            height_px=122,
            dpi=131,
            turn=90,
            refresh_s=21.4,
        ),
        Panel(
            panel_id=PanelId("bwry-400x300"),
            name='4.2" four-colour',
            width_px=400,
            height_px=300,
            dpi=120,
            refresh_s=27.7,
        ),
    )
}


def panel_named(panel_id: str) -> Panel:
    """Look a panel model up.

    Raises:
        UnknownPanel: No model has this id.
    """
    try:
        return PANELS[PanelId(panel_id)]
    except KeyError:
        raise UnknownPanel(f"no panel model {panel_id!r}; known: {', '.join(PANELS)}") from None
