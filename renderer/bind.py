"""From an element with its box to the painter that knows nothing of templates any more."""

from collections.abc import Mapping
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from esl.domain.panel import Ink, Panel
from renderer.canvas import Box
from renderer.draw.codes import BarcodePainter, QrPainter
from renderer.draw.painter import Painter, Reader
from renderer.draw.price import PricePainter, PriceStyle
from renderer.draw.price_block import Cents
from renderer.draw.shapes import FixedPainter, draw_line, draw_rectangle
from renderer.draw.text import TextPainter, TextStyle
from renderer.ink_names import find_ink, find_opposite
from renderer.kit import Kit
from renderer.layout.arrange import HALF, Leaf
from renderer.layout.lengths import in_px, inside
from renderer.money_text import MoneyWriter
from renderer.needs import FaceNeeds, find_amount
from renderer.packing import Canvas
from renderer.part import Part
from renderer.pictures.picture import Picture
from renderer.template.fields import FIELDS, TENTHS, FieldKind
from renderer.template.formatters import Write, find_formatter
from renderer.template.models import Barcode, Icon, Image, Line, Price, Qr, Rect, Text
from renderer.template.values import CompiledValue
from renderer.text.fit import Fit

_NEVER_CUT = {FieldKind.MONEY, FieldKind.PERCENT, FieldKind.COUNT, FieldKind.DATE}

PRICE_LEAST_MM = 3.0
"""Lowest digits of a selling price, whatever a template says; the lint calls less an error."""

_SELLING = frozenset({"price", "member_price"})

PRICE_GAP_MM = 0.9
"""Least white between a price and the old price beside or above it."""


def bind_leaf(
    leaf: Leaf, panel: Panel, kit: Kit, needs: FaceNeeds, pictures: Mapping[str, Picture]
) -> Part:
    """Make the part that paints a leaf.

    Raises:
        LayoutDoesNotFit: The padding leaves nothing of the box.
    """
    element = leaf.node.element
    content = _content(leaf, panel)
    turned = leaf.turn % HALF
    width, height = (content.height, content.width) if turned else (content.width, content.height)
    ground = None if element.fill is None else find_ink(element.fill, panel)
    painter: Painter | None = None
    code: QrPainter | BarcodePainter | None = None
    match element:
        case Text():
            ink, ground = _inks(element, panel, ground)
            painter = _bind_text(element, width, height, ink=ink, panel=panel, kit=kit, needs=needs)
        case Price():
            ink, ground = _inks(element, panel, ground)
            painter = _bind_price(
                element,
                width,
                height,
                ink=ink,
                panel=panel,
                kit=kit,
            )
        case Rect():
            painter = draw_rectangle(
                width,
                height,
                fill=ground,
                border=None if element.border is None else find_ink(element.border, panel),
                border_px=in_px(element.border_width, min(width, height), panel),
                radius_px=in_px(element.radius, min(width, height), panel),
            )
            ground = None
        case Line():
            painter = draw_line(
                width,
                height,
                ink=find_ink(element.ink, panel),
                thickness_px=max(in_px(element.thickness, min(width, height), panel), 1),
                direction=element.direction,
            )
        case Icon():
            mask = kit.icons.mask(element.name, width, height)
            painter = _aligned(mask, find_ink(element.ink, panel), width, height, element)
        case Image():
            picture = pictures[element.name]
            inks, opaque = kit.pictures.find(picture, width, height, panel, dither=element.dither)
            painter = _aligned(opaque, inks, width, height, element)
        case Qr():
            code = _bind_qr(element, content, panel, kit, needs)
        case Barcode():
            code = _bind_barcode(element, content, leaf.turn, panel=panel, kit=kit, needs=needs)
        case _:
            pass  # a group's area
    return Part(leaf=leaf, content=content, ground=ground, painter=painter, code=code)


def _content(leaf: Leaf, panel: Panel) -> Box:
    """Take the padding off a leaf's box, in the leaf's own upright frame."""
    element, box = leaf.node.element, leaf.box
    if element.pad is None:
        return box
    upright = (
        Box(0, 0, box.height, box.width) if leaf.turn % HALF else Box(0, 0, box.width, box.height)
    )
    return leaf.on_panel(inside(upright, element.pad, panel))


def _inks(element: Text | Price, panel: Panel, ground: Ink | None) -> tuple[Ink, Ink | None]:
    ink = find_ink(element.ink, panel)
    return (find_opposite(ink), ink) if element.invert else (ink, ground)


def _bind_text(
    element: Text,
    width: int,
    height: int,
    *,
    ink: Ink,
    panel: Panel,
    kit: Kit,
    needs: FaceNeeds,
) -> TextPainter:
    values = [needs.value(text) for text in (element.value, *element.fallbacks)]
    size = min(max(in_px(element.size, height, panel), 1), 2 * height)  # x-heights are half
    smallest = size if element.min_size is None else in_px(element.min_size, height, panel)
    fit = Fit(element.fit)
    if fit is Fit.ELLIPSIS and any(
        FIELDS[name].kind in _NEVER_CUT for value in values for name in value.fields
    ):
        fit = Fit.WRAP  # half a number is another one
    style = TextStyle(
        width=width,
        height=height,
        size_px=size,
        min_px=max(min(smallest, size), 1),
        max_lines=element.max_lines,
        fit=fit,
        font=kit.fonts.bold if element.weight == "bold" else kit.fonts.regular,
        ink=ink,
        strike_ink=ink if ink == Ink.WHITE else find_ink("emphasis", panel),
        align=element.align,
        valign="top" if element.give else element.valign,
        strike=element.strike,
    )
    return TextPainter(
        style,
        values=tuple(value.render for value in values),
        reads=tuple(read for value in values for read in _reads(value)),
        stable=all(value.stable for value in values),
    )


def _bind_price(
    element: Price,
    width: int,
    height: int,
    *,
    ink: Ink,
    panel: Panel,
    kit: Kit,
) -> PricePainter:
    digits = min(max(in_px(element.size, height, panel), 1), height)
    old = min(max(in_px(element.old_size, height, panel), 1), height)
    style = PriceStyle(
        width=width,
        height=height,
        gap=max(in_px(f"{PRICE_GAP_MM}mm", height, panel), 2),
        digits_max=digits,
        digits_min=_least_digits(element, digits, height, panel),
        old_max=old,
        old_min=max(min(in_px(element.old_min_size, height, panel), old), 1),
        cents=Cents(element.cents),
        symbol=element.symbol,
        ink=ink,
        old_ink=Ink.BLACK if ink != Ink.WHITE else Ink.WHITE,
        strike_ink=find_ink("emphasis", panel) if ink != Ink.WHITE else Ink.WHITE,
        align=element.align,
        valign=element.valign,
        strike=element.strike,
    )
    return PricePainter(
        style,
        amount=find_amount(element.value),
        tenths=TENTHS.get(element.value),
        old=None if element.old is None else find_amount(element.old),
        unit=_words_of_unit(element.value, kit.money) if element.per else None,
        fonts=kit.fonts,
        money=kit.money,
    )


def _least_digits(element: Price, digits: int, height: int, panel: Panel) -> int:
    """Find the smallest digits: a box too low for them refuses the face, a size asked for not."""
    least = max(in_px(element.min_size, height, panel), 1)
    in_parts = isinstance(element.size, str) and element.size.endswith("%")
    if not in_parts:
        least = min(least, digits)
    if element.value in _SELLING:
        least = max(least, in_px(f"{PRICE_LEAST_MM}mm", height, panel))
    return least


def _bind_qr(element: Qr, box: Box, panel: Panel, kit: Kit, needs: FaceNeeds) -> QrPainter:
    values = [needs.value(text) for text in (element.value, *element.fallbacks)]
    return QrPainter(
        box=box,
        panel=panel,
        values=tuple(value.render for value in values),
        reads=tuple(read for value in values for read in _reads(value)),
        stable=all(value.stable for value in values),
        align=element.align,
        valign=element.valign,
        writer=kit.codes,
    )


def _bind_barcode(
    element: Barcode, box: Box, turn: int, *, panel: Panel, kit: Kit, needs: FaceNeeds
) -> BarcodePainter:
    value = needs.value(element.value)
    digits = kit.fonts.regular(in_px(element.digits_size, box.height, panel))
    return BarcodePainter(
        box=box,
        turn=turn,
        panel=panel,
        value=value.render,
        symbology=element.symbology,
        reads=_reads(value),
        stable=value.stable,
        align=element.align,
        valign=element.valign,
        staff=element.staff,
        digits=digits if element.digits else None,
        writer=kit.codes,
    )


_DECIDED_BY: Mapping[str, Reader] = {
    "title": attrgetter("name", "brand"),
    "digital_link": attrgetter("gtin"),
    "unit": attrgetter("unit", "unit_label"),
}
"""What fields that are computed from others are computed from: read per label, so made short."""


def _reads(value: CompiledValue) -> tuple[Reader, ...]:
    return tuple(_DECIDED_BY.get(name, FIELDS[name].read) for name in sorted(value.fields))


def _words_of_unit(value: str, money: MoneyWriter) -> Write:
    """Write what stands behind the slash: unit prices count ``unit``, all others priced_per."""
    field = FIELDS["unit" if value in TENTHS else "priced_per"]
    return find_formatter("unit", field, None).make(field, money, "")


def _aligned(
    opaque: NDArray[np.bool_], inks: Canvas | Ink, width: int, height: int, element: Icon | Image
) -> FixedPainter:
    """Stand a drawing that may be smaller than its box where the element wants it."""
    rows, columns = opaque.shape
    spare_x, spare_y = width - columns, height - rows
    left = {"center": spare_x // 2, "right": spare_x}.get(element.align, 0)
    top = {"middle": spare_y // 2, "bottom": spare_y}.get(element.valign, 0)
    where = np.zeros((height, width), np.bool_)
    where[top : top + rows, left : left + columns] = opaque
    whole = np.full((height, width), Ink.WHITE, np.uint8)
    whole[top : top + rows, left : left + columns] = inks
    return FixedPainter(whole, where, ink=inks if isinstance(inks, Ink) else None)
