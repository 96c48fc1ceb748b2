"""Codes stand inside their boxes, whole pixels a module, within the standard's limits."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from esl.domain.digital_link import digital_link
from esl.domain.errors import CodeDoesNotFit
from esl.domain.ids import PanelId
from esl.domain.panel import Ink, Panel
from renderer.canvas import Box, blank
from renderer.codes.place import draw_code
from renderer.codes.read_back import check_codes, decode_codes
from renderer.codes.symbology import QR, SYMBOLOGIES
from renderer.packing import pack
from tests.panels import PANELS
from tests.unit.renderer.codes.codes import (
    CONTENTS,
    WRITER,
    draw_on,
    frame_of,
    place_bars,
    place_qr,
    whole_box,
)

SMALL = PANELS[PanelId("bwry-296x128")]
BY_DPI = {panel.dpi: panel for panel in PANELS.values()}
WIDE = {"gs1-128", "code-128", "itf-14", "ean-13", "upc-a"}
LINK = digital_link("09520123456788")


@pytest.mark.parametrize("panel", BY_DPI.values(), ids=lambda p: f"{p.dpi}dpi")
@pytest.mark.parametrize("symbology", CONTENTS)
def test_every_symbology_decodes_on_every_resolution(symbology: str, panel: Panel) -> None:
    box = whole_box(panel)
    try:
        code = place_bars(CONTENTS[symbology], symbology, box, panel)
    except CodeDoesNotFit as refused:
        reason = str(refused)
        # The widest symbols are wider than the smallest panels, and nothing else is refused.
        assert symbology in WIDE
        assert "modules wide" in reason
        assert panel.width_px < 260
        return
    decode_codes(frame_of(panel, code), panel, [code])


@pytest.mark.parametrize("panel", BY_DPI.values(), ids=lambda p: f"{p.dpi}dpi")
def test_a_digital_link_fits_and_decodes_on_every_resolution(panel: Panel) -> None:
    code = place_qr(LINK, box=whole_box(panel), panel=panel)
    assert 0.396 <= code.module_px * panel.px_mm <= 0.743
    decode_codes(frame_of(panel, code), panel, [code])


@st.composite
def boxes(draw: st.DrawFn, panel: Panel) -> Box:
    left = draw(st.integers(0, panel.width_px - 1))
    top = draw(st.integers(0, panel.height_px - 1))
    width = draw(st.integers(1, panel.width_px - left))
    height = draw(st.integers(1, panel.height_px - top))
    return Box(left, top, width, height)


ALIGN = st.sampled_from(["start", "left", "center", "right"])
VALIGN = st.sampled_from(["top", "middle", "bottom"])
ADDRESSES = st.text(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/?=&.-_%",
    min_size=1,
    max_size=70,
)


@settings(max_examples=120, deadline=None)
@given(data=st.data(), panel=st.sampled_from(list(BY_DPI.values())), align=ALIGN, valign=VALIGN)
def test_a_qr_code_is_inside_its_box_and_decodes_or_is_refused_with_numbers(
    data: st.DataObject, panel: Panel, align: str, valign: str
) -> None:
    content = data.draw(ADDRESSES)
    box = data.draw(boxes(panel))
    try:
        code = place_qr(content, box=box, panel=panel, align=align, valign=valign)
    except CodeDoesNotFit as refused:
        reason = str(refused)
        assert f"the box has {box.width}x{box.height} px" in reason
        return
    _check_place(code.quiet_box, box, align, valign)
    assert QR.module_min_mm <= code.module_px * panel.px_mm <= QR.module_max_mm
    side = code.modules.rows + 8
    larger = code.module_px + 1
    assert side * larger > min(box.width, box.height) or larger * panel.px_mm > QR.module_max_mm
    _check_drawing(draw_on(panel, code), code.quiet_box)
    decode_codes(frame_of(panel, code), panel, [code])


@settings(max_examples=120, deadline=None)
@given(
    data=st.data(),
    panel=st.sampled_from(list(BY_DPI.values())),
    symbology=st.sampled_from(list(CONTENTS)),
    align=ALIGN,
    valign=VALIGN,
    staff=st.booleans(),
    digits_px=st.sampled_from([0, 11]),
)
def test_bars_are_inside_their_box_and_decode_or_are_refused_with_numbers(
    *,
    data: st.DataObject,
    panel: Panel,
    symbology: str,
    align: str,
    valign: str,
    staff: bool,
    digits_px: int,
) -> None:
    box = data.draw(boxes(panel))
    try:
        code = place_bars(
            CONTENTS[symbology],
            symbology,
            box,
            panel,
            align=align,
            valign=valign,
            staff=staff,
            digits_px=digits_px,
        )
    except CodeDoesNotFit as refused:
        reason = str(refused)
        assert f"the box has {box.width}x{box.height} px" in reason or "px high" in reason
        return
    is_matrix = symbology == "data-matrix"
    _check_place(code.quiet_box, box, align, valign if is_matrix else "top")
    if not is_matrix:
        assert code.symbol_box.bottom == box.bottom - digits_px
    limits = SYMBOLOGIES[symbology]
    module_mm = code.module_px * panel.px_mm
    assert (limits.staff_min_mm if staff else limits.module_min_mm) <= module_mm + 1e-6
    assert module_mm <= limits.module_max_mm + 1e-6
    wanted = tuple(modules * code.module_px for modules in limits.quiet)
    assert code.quiet == wanted
    _check_drawing(draw_on(panel, code), code.quiet_box)
    decode_codes(frame_of(panel, code), panel, [code])


def _check_place(outer: Box, box: Box, align: str, valign: str) -> None:
    assert outer.left >= box.left
    assert outer.top >= box.top
    assert outer.right <= box.right
    assert outer.bottom <= box.bottom
    before, behind = outer.left - box.left, box.right - outer.right
    assert {"center": abs(before - behind) <= 1, "right": behind == 0}.get(align, before == 0)
    above, below = outer.top - box.top, box.bottom - outer.bottom
    assert {"middle": abs(above - below) <= 1, "bottom": below == 0}.get(valign, above == 0)


def _check_drawing(canvas: np.ndarray, outer: Box) -> None:
    """Around the code nothing was touched; its quiet zone was made white."""
    untouched = np.ones(canvas.shape, np.bool_)
    untouched[outer.top : outer.bottom, outer.left : outer.right] = False
    assert (canvas[untouched] == Ink.BLACK).all()
    corner = canvas[outer.top, outer.left]
    assert corner == Ink.WHITE
    assert set(np.unique(canvas)) <= {Ink.BLACK, Ink.WHITE}


@pytest.mark.parametrize(
    ("panel_id", "content", "space_px", "pixels"),
    [
        ("bwry-296x128", LINK, 99, 3),  # 25 modules; 0.678 mm
        ("bwry-296x128", LINK, 98, 2),
        ("bwry-296x128", LINK, 128, 3),
        ("bwry-800x480", LINK, 400, 3),  # 4 px would be 0.813 mm, above the limit
        ("bwry-250x122", LINK.lower(), 111, 3),  # 29 modules; 2 px would be 0.388 mm, below it
        ("bwry-400x300", "a" * 62, 123, 3),  # 33 modules
        ("bwry-400x300", "a" * 62, 122, 2),
    ],
)
def test_a_module_gets_the_most_pixels_within_space_and_standard(
    panel_id: str, content: str, space_px: int, pixels: int
) -> None:
    panel = PANELS[PanelId(panel_id)]
    assert place_qr(content, box=Box(0, 0, space_px, space_px), panel=panel).module_px == pixels


def test_modules_below_the_standard_are_refused() -> None:
    panel = PANELS[PanelId("bwry-250x122")]
    with pytest.raises(CodeDoesNotFit, match=r"37 modules wide.*3 px, so 111 px are needed"):
        place_qr(LINK.lower(), box=Box(0, 0, 110, 110), panel=panel)


def test_a_qr_code_falls_back_to_the_first_shorter_address_that_fits() -> None:
    box = Box(0, 0, 66, 66)  # version 2 at 2 px
    long, longer = (
        "https://shop.example/products/butter?store=7",
        "https://shop.example/" + "x" * 90,
    )
    code = place_qr(longer, long, LINK, "HTTPS://X.EXAMPLE", box=box, panel=SMALL)
    assert code.content == LINK
    assert place_qr("HTTPS://X.EXAMPLE", LINK, box=box, panel=SMALL).content == "HTTPS://X.EXAMPLE"


def test_a_refusal_names_modules_pixels_and_millimetres_of_every_content() -> None:
    box = Box(0, 0, 70, 60)
    with pytest.raises(CodeDoesNotFit) as refused:
        place_qr("https://shop.example/products/butter?store=7", LINK, box=box, panel=SMALL)
    words = str(refused.value)
    assert words == (
        "a qr code of 44 characters is 41 modules wide with its quiet zone, and the box has 70x60 "
        "px of 0.227 mm; a module must have 0.396 to 0.743 mm: 2 px, so 82 px are needed; "
        "a qr code of 36 characters is 33 modules wide with its quiet zone, and the box has 70x60 "
        "px of 0.227 mm; a module must have 0.396 to 0.743 mm: 2 px, so 66 px are needed"
    )


def test_a_qr_code_without_content_is_refused() -> None:
    for contents in ((), ("",)):
        with pytest.raises(CodeDoesNotFit, match=r"no content|at least one character"):
            place_qr(*contents, box=Box(0, 0, 128, 128), panel=SMALL)


def test_a_content_that_cannot_be_written_gives_way_too() -> None:
    code = place_qr("x" * 400, "\ud83d", LINK, box=Box(0, 0, 128, 128), panel=SMALL)
    assert code.content == LINK


def test_bars_too_fine_for_a_till_are_for_staff_only() -> None:
    """1 px at 112 dpi is 0.227 mm, and two need 226 px (field notes, standards D.5)."""
    box = Box(0, 90, 140, 30)
    assert place_bars("9520123456788", "auto", box, SMALL, staff=True).module_px == 1
    with pytest.raises(CodeDoesNotFit, match=r"113 modules.*0\.264 to 0\.66 mm: 2 px, so 226 px"):
        place_bars("9520123456788", "auto", box, SMALL, staff=False)
    wide = Box(0, 90, 226, 30)
    assert place_bars("9520123456788", "auto", wide, SMALL, staff=False).module_px == 2


def test_staff_bars_still_have_a_lower_bound() -> None:
    finest = min(PANELS.values(), key=lambda panel: panel.px_mm)
    least, _ = SYMBOLOGIES["ean-13"].module_range_px(finest, staff=True)
    assert least == math.ceil(0.125 / finest.px_mm)


def test_bars_too_low_to_aim_at_are_refused_with_their_height() -> None:
    with pytest.raises(CodeDoesNotFit, match=r"8 px high, 1\.8 mm; they need 2\.0 mm"):
        place_bars("9520123456788", "auto", Box(0, 0, 226, 19), SMALL, digits_px=11)
    with pytest.raises(CodeDoesNotFit, match=r"0 px high"):
        place_bars("9520123456788", "auto", Box(0, 0, 226, 9), SMALL, digits_px=11)


def test_bars_between_their_bearers_are_not_counted_away() -> None:
    """Bearers of a box ten pixels high would cover all of the bars."""
    wide = PANELS[PanelId("bwry-800x480")]
    with pytest.raises(CodeDoesNotFit, match=r"0 px high, 0\.0 mm; they need 2\.0 mm"):
        place_bars(CONTENTS["itf-14"], "itf-14", Box(0, 0, 480, 10), wide, staff=False)


def test_a_carton_has_no_place() -> None:
    assert (
        WRITER.place_barcode(
            "13850139171584",
            "auto",
            whole_box(SMALL),
            SMALL,
            align="start",
            valign="top",
            staff=True,
            digits_px=0,
        )
        is None
    )


def test_itf_has_bars_along_both_ends() -> None:
    code = place_bars(CONTENTS["itf-14"], "itf-14", whole_box(SMALL), SMALL)
    canvas = draw_on(SMALL, code)
    box = code.symbol_box
    bars = canvas[box.top : box.bottom, box.left : box.right]
    ends = 2 * code.module_px
    assert (bars[:ends] == Ink.BLACK).all()
    assert (bars[-ends:] == Ink.BLACK).all()
    assert (bars[ends:-ends] == Ink.WHITE).any(axis=1).all()


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("symbology", ["qr", *CONTENTS])
def test_a_turned_code_is_the_turned_drawing(symbology: str, degrees: int) -> None:
    panel = PANELS[PanelId("bwry-400x300")]
    box = Box(3, 5, 300, 90)
    if symbology == "qr":
        code = place_qr(LINK, box=box, panel=panel)
    else:
        code = place_bars(CONTENTS[symbology], symbology, box, panel)
    upright = np.full((100, 310), Ink.WHITE, np.uint8)
    draw_code(upright, code)
    drawn = np.rot90(upright, k=-degrees // 90)
    turned = code.turned(degrees, width_px=310, height_px=100)
    again = np.full(drawn.shape, Ink.WHITE, np.uint8)
    draw_code(again, turned)
    assert (again == drawn).all()

    moved = turned.moved(right_px=20, down_px=-2 if turned.quiet_box.top >= 2 else 0)
    canvas = blank(panel)
    if moved.quiet_box.bottom <= 300 and moved.quiet_box.right <= 400:
        draw_code(canvas, moved)
        pixels = pack(canvas, panel)
        check_codes(pixels, panel, [moved])
        decode_codes(pixels, panel, [moved])
    else:
        with pytest.raises(CodeDoesNotFit, match="the canvas has 400x300 px"):
            draw_code(canvas, moved)


@settings(max_examples=40, deadline=None)
@given(right=st.integers(-400, 400), down=st.integers(-200, 200))
def test_a_code_that_reaches_over_the_canvas_is_refused_and_not_cut(right: int, down: int) -> None:
    code = place_qr(LINK, box=whole_box(SMALL), panel=SMALL).moved(right_px=right, down_px=down)
    box = code.quiet_box
    assume(box.left < 0 or box.top < 0 or box.right > 296 or box.bottom > 128)
    with pytest.raises(CodeDoesNotFit, match="the canvas has 296x128 px"):
        draw_code(blank(SMALL), code)
