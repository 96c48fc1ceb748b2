"""The renderer: a face becomes a frame for a panel, in layers.

======= ==========================================================================
layout  boxes for the parts a face has (cached, a handful per panel)
product white, red band, name, codes: what changes with the product (cached, packed)
price   badge, prices, unit price: drawn each time
frame   packed for the panel and named by its digest
======= ==========================================================================
"""

from dataclasses import replace
from functools import lru_cache

from esl.domain.errors import CodeDoesNotFit
from esl.domain.face import Face
from esl.domain.money import percent_off
from esl.domain.panel import Ink, Panel
from renderer.barcode import BarcodeWriter, has_symbol
from renderer.canvas import blank, fill
from renderer.draw_band import draw_band
from renderer.draw_codes import draw_bars, draw_qr
from renderer.draw_details import draw_details
from renderer.draw_name import draw_name, full_name
from renderer.draw_price import PriceDrawer
from renderer.fonts import Fonts
from renderer.frame import Frame
from renderer.money_text import MoneyWriter
from renderer.packing import Canvas, expand, pack, squeeze
from renderer.qr import QrWriter
from renderer.standard import Layout, Parts, lay_out
from renderer.text import clean

PRODUCTS_KEPT = 10_240
"""Default bound of the product cache: 100 MB when full at 296x128, 310 MB at 400x300.

A shop with more products than that draws them anew at each change of all prices: the cache then
forgets each before its turn comes again.
"""

LAYOUTS_KEPT = 64
"""Sixteen layouts per panel model."""


class Renderer:
    """Draws faces; owns all fonts, tables and caches, so that two renderers share nothing.

    A renderer may be used from several threads. Making one takes a few milliseconds, and it
    learns glyphs and QR tables as it meets them: keep one per process.

    Cache: the last ``products_kept`` product layers (packed, two bits a pixel), by layout, name,
    brand, GTIN and link.
    """

    def __init__(self, *, products_kept: int = PRODUCTS_KEPT) -> None:
        self._fonts = Fonts()
        self._money = MoneyWriter(self._fonts.can_draw)
        self._qr = QrWriter()
        self._barcodes = BarcodeWriter()
        self._prices = PriceDrawer(self._fonts)
        self._layout = lru_cache(maxsize=LAYOUTS_KEPT)(lay_out)
        self._product = lru_cache(maxsize=products_kept)(self._draw_product)

    def render(self, face: Face, panel: Panel) -> Frame:
        """Draw a face for a panel with the standard template.

        A link that may be left out is, where its QR code would be too fine to scan.

        Raises:
            PriceDoesNotFit: A price would have to be cut.
            NameDoesNotFit: Nothing of the name's first word fits.
            MissingGlyph: The fonts lack a character.
            CodeDoesNotFit: The QR code would fall below its module limits, or has wrong content.
            UnknownPanel: The template is not laid out for this panel.
        """
        try:
            return self._draw(face, panel)
        except CodeDoesNotFit:
            if not face.link_may_be_left_out or face.link is None:
                raise
            return self._draw(replace(face, link=None), panel)

    def _draw(self, face: Face, panel: Panel) -> Frame:
        gtin = face.gtin
        parts = Parts(
            band=face.badge is not None,
            details=bool(face.net_content) or _shows_unit_price(face),
            qr=face.link is not None,
            bars=gtin is not None and has_symbol(gtin),
        )
        layout = self._layout(panel, parts)
        packed = self._product(layout, face.name, face.brand, gtin, face.link)
        size = panel.width_px * panel.height_px
        canvas = expand(packed)[:size].reshape(panel.height_px, panel.width_px)
        self._draw_price_layer(canvas, layout, face)
        return Frame.of(panel.panel_id, pack(canvas, panel))

    def _draw_product(
        self, layout: Layout, name: str, brand: str | None, gtin: str | None, link: str | None
    ) -> bytes:
        canvas = blank(layout.panel)
        if layout.band is not None:
            fill(canvas, layout.band, Ink.RED)
        draw_name(canvas, layout, self._fonts, full_name(name, brand))
        if layout.qr is not None and link is not None:
            draw_qr(canvas, layout, layout.qr, self._qr, link=link, gtin=gtin)
        if layout.bars is not None and gtin is not None:
            bars = self._barcodes.draw(gtin)
            if bars is not None:
                draw_bars(canvas, layout, layout.bars, bars, self._fonts)
        return squeeze(canvas)

    def _draw_price_layer(self, canvas: Canvas, layout: Layout, face: Face) -> None:
        money = self._money
        style = money.style(face.locale, face.currency)
        percent = old = unit = unit_price = ""
        if face.was_minor is not None:
            old = style.text(face.was_minor)
            if (off := percent_off(face.was_minor, face.price_minor)) > 0:
                percent = money.percent_less(off, face.locale)
        if face.priced_per is not None:
            unit = money.unit_text(face.priced_per, face.locale)
        elif face.unit_price_minor is not None and face.unit is not None:
            amount = style.text(face.unit_price_minor)
            unit_price = f"{amount}/{money.unit_text(face.unit, face.locale)}"
        if layout.band is not None and face.badge is not None:
            draw_band(canvas, layout, layout.band, self._fonts, badge=face.badge, percent=percent)
        promoted = face.badge is not None or face.was_minor is not None
        self._prices.draw(
            canvas,
            layout,
            style.parts(face.price_minor),
            unit=unit,
            old=old,
            ink=Ink.RED if promoted else Ink.BLACK,
        )
        net_content = clean(face.net_content or "")
        if net_content or unit_price:
            draw_details(
                canvas, layout, self._fonts, net_content=net_content, unit_price=unit_price
            )


def _shows_unit_price(face: Face) -> bool:
    """Say whether a unit price stands apart: of goods by weight the price itself is one."""
    return face.priced_per is None and face.unit_price_minor is not None and face.unit is not None
