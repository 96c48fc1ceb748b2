"""Labels say what their faces mean, their codes scan, and a price is never cut."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esl.domain.errors import (
    CodeDoesNotFit,
    MissingGlyph,
    NameDoesNotFit,
    PriceDoesNotFit,
    UnknownPanel,
)
from esl.domain.face import Face, Unit
from esl.domain.gtin import check_digit, digital_link
from esl.domain.ids import PanelId
from esl.domain.money import PRICE_MAX_MINOR
from esl.domain.panel import PANELS, Ink, Panel
from renderer.canvas import Box, blank
from renderer.draw_details import draw_details
from renderer.fonts import Fonts
from renderer.packing import Canvas, unpack
from renderer.render import Renderer
from renderer.standard import Layout, Parts, lay_out
from tests.unit.renderer.pixels import scanned_frame
from tests.unit.renderer.sample_faces import FACES, GTIN

RENDERER = Renderer()
SMALL = PANELS[PanelId("bwry-250x122")]
EVERYDAY, PROMOTION = FACES["everyday"], FACES["promotion"]

on_every_panel = pytest.mark.parametrize("panel", PANELS.values(), ids=lambda p: p.panel_id)


def canvas_of(face: Face, panel: Panel) -> Canvas:
    return unpack(RENDERER.render(face, panel).pixels, panel)


def layout_of(face: Face, panel: Panel) -> Layout:
    return lay_out(
        panel,
        Parts(
            band=face.badge is not None,
            details=bool(face.net_content) or face.unit_price_minor is not None,
            qr=face.link is not None,
            bars=face.gtin is not None,
        ),
    )


def cut(canvas: Canvas, box: Box) -> Canvas:
    return canvas[box.top : box.bottom, box.left : box.right]


@on_every_panel
@pytest.mark.parametrize("name", FACES)
def test_every_code_scans_from_the_final_pixels(name: str, panel: Panel) -> None:
    face = FACES[name]
    found = scanned_frame(RENDERER.render(face, panel).pixels, panel)
    if face.link is None:
        assert "QRCode" not in found
    elif panel is SMALL and name == "long-name":  # the shop's address is too long there
        assert found.pop("QRCode") == digital_link(face.gtin or "")
    else:
        assert found.pop("QRCode") == face.link
    assert list(found.values()) == ([] if face.gtin is None else [face.gtin])


@settings(max_examples=60, deadline=None)
@given(body=st.from_regex(r"[1-9][0-9]{11}", fullmatch=True), panel=st.sampled_from([*PANELS]))
def test_the_codes_of_any_product_scan(body: str, panel: PanelId) -> None:
    gtin = body + str(check_digit(body))
    face = replace(PROMOTION, gtin=gtin, link=digital_link(gtin))
    found = scanned_frame(RENDERER.render(face, PANELS[panel]).pixels, PANELS[panel])
    assert found == {"QRCode": digital_link(gtin), "EAN13": gtin}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    price=st.integers(1, PRICE_MAX_MINOR),
    rise=st.one_of(st.none(), st.integers(1, 10**8)),
    money=st.sampled_from(
        [("hr_HR", "EUR"), ("de_CH", "CHF"), ("ja_JP", "JPY"), ("en_KW", "KWD"), ("fr_FR", "XAF")]
    ),
    priced_per=st.sampled_from([None, Unit.KILOGRAM, Unit.PIECE]),
    badge=st.sampled_from([None, "AKCIJA", "NUR NOCH DIESE WOCHE IM ANGEBOT"]),
    panel_id=st.sampled_from([*PANELS]),
)
def test_no_price_inks_outside_its_own_boxes(
    price: int,
    rise: int | None,
    money: tuple[str, str],
    priced_per: Unit | None,
    badge: str | None,
    panel_id: PanelId,
) -> None:
    """Against the same face at a low price, only price, details and band may differ."""
    panel = PANELS[panel_id]
    locale, currency = money
    face = replace(
        EVERYDAY,
        price_minor=price,
        was_minor=None if rise is None else price + rise,
        locale=locale,
        currency=currency,
        priced_per=priced_per,
        badge=badge,
    )
    low = replace(face, price_minor=1, was_minor=None, unit_price_minor=1)
    layout = layout_of(face, panel)
    try:
        drawn = canvas_of(face, panel)
    except PriceDoesNotFit:
        return
    other = canvas_of(low, panel)
    for box in filter(None, (layout.price, layout.old, layout.details, layout.band)):
        # Round digits reach 2 px above flat ones, the strike 2 px out at both sides, and details
        # hang a descender below their base line.
        reach = Box(max(box.left - 3, 0), max(box.top - 2, 0), box.width + 6, box.height + 6)
        cut(drawn, reach)[:] = cut(other, reach)[:] = Ink.WHITE
    assert (drawn == other).all()


@on_every_panel
def test_quiet_zones_are_white(panel: Panel) -> None:
    canvas = canvas_of(PROMOTION, panel)
    layout = layout_of(PROMOTION, panel)
    assert layout.qr is not None
    assert layout.bars is not None
    dark = np.argwhere(cut(canvas, layout.qr) == Ink.BLACK)
    corner = np.array([layout.qr.top, layout.qr.left])
    (top, left), (bottom, right) = dark.min(axis=0) + corner, dark.max(axis=0) + corner
    quiet = 4 * (bottom - top + 1) // 25
    around = canvas[top - quiet : bottom + quiet + 1, left - quiet : right + quiet + 1].copy()
    around[quiet:-quiet, quiet:-quiet] = Ink.WHITE
    assert top >= quiet
    assert (around == Ink.WHITE).all()
    line = cut(canvas, layout.bars)[0]
    module = layout.sizes.bar_module
    assert (line[: 11 * module] == Ink.WHITE).all()
    assert (line[-7 * module :] == Ink.WHITE).all()


@on_every_panel
def test_codes_are_black_on_white_only(panel: Panel) -> None:
    canvas = canvas_of(PROMOTION, panel)
    layout = layout_of(PROMOTION, panel)
    for box in filter(None, (layout.qr, layout.bars)):
        assert set(np.unique(cut(canvas, box))) == {Ink.BLACK, Ink.WHITE}


@on_every_panel
def test_a_promotion_is_red_and_an_everyday_price_black(panel: Panel) -> None:
    def red(face: Face) -> bool:
        return bool((cut(canvas_of(face, panel), layout_of(face, panel).price) == Ink.RED).any())

    assert not (canvas_of(EVERYDAY, panel) == Ink.RED).any()
    assert red(replace(EVERYDAY, badge="NOVO"))
    assert red(replace(EVERYDAY, was_minor=199))


@on_every_panel
def test_a_label_without_badge_gives_its_space_to_the_price(panel: Panel) -> None:
    with_badge = layout_of(replace(EVERYDAY, badge="NOVO"), panel)
    assert layout_of(EVERYDAY, panel).price.height > with_badge.price.height


@on_every_panel
def test_the_percentage_is_floored(panel: Panel) -> None:
    """1.69 to 1.29 is 23.67 % less: the label says 23, as it does for exactly 23 %."""
    floored = canvas_of(replace(PROMOTION, price_minor=129, was_minor=169), panel)
    exact = canvas_of(replace(PROMOTION, price_minor=77, was_minor=100), panel)
    band = layout_of(PROMOTION, panel).band
    assert band is not None
    assert (cut(floored, band) == cut(exact, band)).all()


@on_every_panel
def test_a_reduction_below_one_percent_claims_none(panel: Panel) -> None:
    tiny = canvas_of(replace(PROMOTION, price_minor=9999, was_minor=10000), panel)
    none = canvas_of(replace(PROMOTION, was_minor=None), panel)
    band = layout_of(PROMOTION, panel).band
    assert band is not None
    assert (cut(tiny, band) == cut(none, band)).all()


@on_every_panel
def test_the_unit_stands_beside_the_price_of_weighed_goods(panel: Panel) -> None:
    weighed = replace(EVERYDAY, priced_per=Unit.KILOGRAM)
    assert (canvas_of(weighed, panel) != canvas_of(EVERYDAY, panel)).any()
    same = replace(weighed, unit_price_minor=None, unit=None)
    assert (canvas_of(weighed, panel) == canvas_of(same, panel)).all()


def test_a_price_that_does_not_fit_is_refused_with_numbers() -> None:
    face = replace(
        EVERYDAY, price_minor=999_999_999, currency="JPY", locale="ja_JP", priced_per=Unit.PIECE
    )
    with pytest.raises(PriceDoesNotFit, match=r"needs \d+ px at its smallest size.*has \d+ px"):
        RENDERER.render(face, SMALL)


def test_a_unit_price_that_does_not_fit_is_refused_because_the_law_asks_for_it() -> None:
    layout = layout_of(EVERYDAY, SMALL)
    with pytest.raises(PriceDoesNotFit, match="the unit price is wider than 131 px at 13 px"):
        draw_details(
            blank(SMALL), layout, Fonts(), net_content="1 kg", unit_price="999.999.999,99 CHF/komad"
        )


def test_net_content_gives_way_to_the_unit_price() -> None:
    face = replace(EVERYDAY, net_content="0,4 kg, 12 čaša u kartonskoj kutiji")
    without = replace(EVERYDAY, net_content=None)
    assert (canvas_of(face, SMALL) == canvas_of(without, SMALL)).all()


@on_every_panel
@pytest.mark.parametrize(
    "face",
    [
        replace(EVERYDAY, name="緑茶"),
        replace(PROMOTION, badge="تخفيض"),
        replace(EVERYDAY, net_content="๕ กก."),
    ],
)
def test_a_character_without_a_picture_refuses_the_label(face: Face, panel: Panel) -> None:
    with pytest.raises(MissingGlyph, match=r"U\+"):
        RENDERER.render(face, panel)


def test_a_name_of_nothing_visible_is_refused() -> None:
    with pytest.raises(NameDoesNotFit):
        RENDERER.render(replace(EVERYDAY, name="\u200b", brand=None), SMALL)


def test_an_address_too_long_without_gtin_is_refused_with_numbers() -> None:
    face = replace(EVERYDAY, gtin=None, link="https://shop.example/" + "a" * 60)
    with pytest.raises(CodeDoesNotFit, match=r"modules in 113 px are 2 px each"):
        RENDERER.render(face, SMALL)


def test_an_address_too_long_gives_way_to_the_digital_link() -> None:
    face = replace(EVERYDAY, link="https://shop.example/" + "a" * 300)
    for panel in PANELS.values():
        found = scanned_frame(RENDERER.render(face, panel).pixels, panel)
        assert found["QRCode"] == digital_link(GTIN)


def test_a_case_has_no_bars_and_no_room_for_them() -> None:
    case = "13850139171584"
    drawn = canvas_of(replace(EVERYDAY, gtin=case), SMALL)
    assert (drawn == canvas_of(replace(EVERYDAY, gtin=None), SMALL)).all()


@on_every_panel
@pytest.mark.parametrize("name", FACES)
def test_two_renderers_draw_the_same_bytes(name: str, panel: Panel) -> None:
    """Also warm against cold: the first renderer has drawn much else before."""
    fresh = Renderer().render(FACES[name], panel)
    assert RENDERER.render(FACES[name], panel) == fresh
    assert RENDERER.render(FACES[name], panel) == fresh
    assert len(fresh.pixels) == panel.frame_bytes
    assert fresh.panel_id == panel.panel_id


def test_a_panel_without_layout_is_refused() -> None:
    strange = replace(SMALL, panel_id=PanelId("bwry-1x1"))
    with pytest.raises(UnknownPanel):
        RENDERER.render(EVERYDAY, strange)


def test_the_product_cache_never_shows_another_product() -> None:
    tiny = Renderer(products_kept=1)
    for face in (*FACES.values(), *FACES.values()):
        assert tiny.render(face, SMALL) == RENDERER.render(face, SMALL)


@settings(max_examples=100, deadline=None)
@given(name=st.text(min_size=1, max_size=80), panel_id=st.sampled_from([*PANELS]))
def test_any_name_is_drawn_or_refused(name: str, panel_id: PanelId) -> None:
    with suppress(MissingGlyph, NameDoesNotFit):
        RENDERER.render(replace(EVERYDAY, name=name), PANELS[panel_id])
