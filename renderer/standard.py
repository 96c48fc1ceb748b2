"""Where everything of the standard price label stands, per panel, in pixels.

Small panels have a column of codes on the right, large ones carry the bars below:

    +---------------+  +----+         +---------------------------+
    | AKCIJA   −25 %|  |    |  band   | AKCIJA              −25 % |
    +---------------+  | QR |         +---------------------------+
    | Name in up to    |    |         | Name in up to two lines   |
    | two lines        +----+         |    ²⁹              1,69   |
    |    ²⁹  1,69                     |  1,€              +----+  |
    |  1,€               ||||         |  0,4 kg · 3,23 €  | QR |  |
    |  0,4 kg · 3,23 €   ||||         |  |||||||||||||||  +----+  |
    +-----------------------+         +---------------------------+

What a face leaves out frees its space: a label without a badge has a taller price, one without
codes a wider name. Sizes come from looking at pictures; lower bounds from the x-height of 1.2 mm
that food information law asks for (field notes, standards C.4).
"""

from dataclasses import dataclass

from esl.domain.errors import UnknownPanel
from esl.domain.ids import PanelId
from esl.domain.panel import Panel
from renderer.barcode import EAN_13_MODULES, EAN_13_QUIET_LEFT, EAN_13_QUIET_RIGHT
from renderer.canvas import Box
from renderer.qr import QUIET_ZONE_MODULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The few numbers a panel's layouts are made from, all in pixels."""

    margin: int
    band: int  # height of the promotion band
    band_max: int  # its font sizes
    band_min: int
    name: int  # height of the name box with a band; without one it gets `name_extra` more
    name_extra: int
    name_max: int
    name_min: int
    price_max: int
    price_min: int
    old_max: int
    old_min: int
    details_max: int
    details_min: int
    bar_module: int
    bars: int  # height of the bars
    digits: int  # font size of the digits under the bars, 0 for none
    codes_below: bool  # bars below the price and the QR code in the lower right corner
    gap: int  # least white between two elements


SIZES = {
    PanelId("bwry-296x128"): Sizes(
        margin=7,
        band=21,
        band_max=16,
        band_min=12,
        name=32,
        name_extra=4,
        name_max=20,
        name_min=13,
        price_max=84,
        price_min=26,
        old_max=22,
        old_min=14,
        details_max=14,
        details_min=12,
        bar_module=1,
        bars=20,
        digits=0,
        codes_below=False,
        gap=4,
    ),
    PanelId("bwry-250x122"): Sizes(
        margin=6,
        band=20,
        band_max=15,
        band_min=12,
        name=31,
        name_extra=4,
        name_max=18,
        name_min=13,
        price_max=80,
        price_min=26,
        old_max=20,
        old_min=14,
        details_max=13,
        details_min=13,
        bar_module=1,
        bars=18,
        digits=0,
        codes_below=False,
        gap=4,
    ),
    PanelId("bwry-400x300"): Sizes(
        margin=22,  # the quiet zone left of the bars, so that text and bars are flush
        band=40,
        band_max=32,
        band_min=20,
        name=60,
        name_extra=8,
        name_max=40,
        name_min=22,
        price_max=180,
        price_min=40,
        old_max=36,
        old_min=22,
        details_max=20,
        details_min=16,
        bar_module=2,
        bars=28,
        digits=13,
        codes_below=True,
        gap=8,
    ),
}

QR_MAX_SIDE = 33 + 2 * QUIET_ZONE_MODULES
QR_MAX_PX = 3 * QR_MAX_SIDE
"""Version 4 at 3 px a module: room for the 62 bytes of a shop's own address."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Which optional parts a face has: what it leaves out frees its space."""

    band: bool
    details: bool
    qr: bool
    bars: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """Boxes of one panel for faces that have the same parts; compared by identity."""

    panel: Panel
    sizes: Sizes
    band: Box | None
    name: Box
    price: Box  # from the tops of the digits to the lowest ink; the old price may share it
    old: Box | None  # a place for the old price alone
    details: Box  # its bottom is the base line
    qr: Box | None
    bars: Box | None  # room for EAN-13 with its quiet zones; digits stand below it
    bars_flush_left: bool  # an EAN-8 stands at the left of that room, or else at the right


def lay_out(panel: Panel, parts: Parts) -> Layout:
    """Make the layout of a panel for faces with these parts.

    Raises:
        UnknownPanel: The standard template has no sizes for this panel.
    """
    sizes = SIZES.get(panel.panel_id)
    if sizes is None:
        raise UnknownPanel(f"the standard template is not laid out for {panel.panel_id!r}")
    make = _codes_below if sizes.codes_below else _codes_beside
    return make(panel, sizes, parts)


def _codes_beside(panel: Panel, sizes: Sizes, parts: Parts) -> Layout:
    width, height, margin, gap = panel.width_px, panel.height_px, sizes.margin, sizes.gap
    floor = height - margin + 2  # base line of the details and foot of the bars
    bars_px = EAN_13_MODULES * sizes.bar_module
    bars_top = floor - sizes.bars if parts.bars else height
    column_px = bars_px if parts.bars else min(height, bars_px)
    column_left = width - column_px if parts.qr else width
    text_right = column_left if parts.qr else width - margin
    band_px = sizes.band if parts.band else 0
    name_top = band_px + gap - 1
    name_px = sizes.name + (0 if parts.band else sizes.name_extra)
    details_right = width - bars_px if parts.bars else text_right
    details = Box(margin, floor - sizes.details_max, details_right - margin, sizes.details_max)
    price_top = name_top + name_px + gap + 2
    price_bottom = details.top - gap // 2 if parts.details else floor
    if not parts.qr:
        price_bottom = min(price_bottom, bars_top - gap)
    # The bars' quiet zone is wider on the left: a symbol in the middle of the rest stands in
    # the middle of the bars.
    lopsided = (EAN_13_QUIET_LEFT - EAN_13_QUIET_RIGHT) * sizes.bar_module if parts.bars else 0
    return Layout(
        panel=panel,
        sizes=sizes,
        band=Box(0, 0, column_left, band_px) if parts.band else None,
        name=Box(margin, name_top, text_right - margin, name_px),
        price=Box(margin, price_top, text_right - margin, price_bottom - price_top),
        old=None,
        details=details,
        qr=Box(column_left + lopsided, 0, column_px - lopsided, bars_top) if parts.qr else None,
        bars=Box(width - bars_px, bars_top, bars_px, sizes.bars) if parts.bars else None,
        bars_flush_left=False,
    )


def _codes_below(panel: Panel, sizes: Sizes, parts: Parts) -> Layout:
    width, height, margin, gap = panel.width_px, panel.height_px, sizes.margin, sizes.gap
    floor = height - 3 * gap // 2
    band_px = sizes.band if parts.band else 0
    name_top = band_px + gap
    name_px = sizes.name + (0 if parts.band else sizes.name_extra)
    price_top = name_top + name_px + gap + 2
    # The symbol's quiet zone may lie in the margins: its modules are flush with the text.
    quiet_px = QR_MAX_PX * QUIET_ZONE_MODULES // QR_MAX_SIDE
    qr = Box(
        width - margin + quiet_px - QR_MAX_PX, floor + quiet_px - QR_MAX_PX, QR_MAX_PX, QR_MAX_PX
    )
    text_right = qr.left if parts.qr else width - margin
    bars_px = EAN_13_MODULES * sizes.bar_module
    bars_top = floor - sizes.digits - sizes.bars if parts.bars else floor
    bars_left = (
        margin - EAN_13_QUIET_LEFT * sizes.bar_module
        if parts.qr
        else width - margin + EAN_13_QUIET_RIGHT * sizes.bar_module - bars_px
    )
    details_floor = bars_top - gap if parts.bars and parts.qr else floor
    details_right = bars_left if parts.bars and not parts.qr else text_right
    details = Box(
        margin, details_floor - sizes.details_max, details_right - margin, sizes.details_max
    )
    price_bottom = min(details.top - gap // 2 if parts.details else floor, bars_top - gap)
    return Layout(
        panel=panel,
        sizes=sizes,
        band=Box(0, 0, width, band_px) if parts.band else None,
        name=Box(margin, name_top, width - 2 * margin, name_px),
        price=Box(margin, price_top, text_right - gap - margin, price_bottom - price_top),
        old=Box(text_right, price_top, width - margin - text_right, qr.top - price_top)
        if parts.qr
        else None,
        details=details,
        qr=qr if parts.qr else None,
        bars=Box(bars_left, bars_top, bars_px, sizes.bars) if parts.bars else None,
        bars_flush_left=parts.qr,
    )
