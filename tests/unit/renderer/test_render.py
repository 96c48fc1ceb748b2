"""Labels say what their faces mean, their codes scan, and a frame is the same every time.

The great proof, over every template and panel, is ``tests/proof``.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl.domain.digital_link import digital_link
from esl.domain.errors import CodeDoesNotFit, LayoutDoesNotFit
from esl.domain.face import Face, Unit
from esl.domain.gtin import check_digit
from esl.domain.panel import Ink, Panel
from renderer.drawing import Drawing, DrawnPart
from renderer.packing import unpack
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.template.models import Price
from tests.panels import FIRST_PANELS, PANELS
from tests.unit.renderer.drawings import inside
from tests.unit.renderer.drawings import template as small_template
from tests.unit.renderer.pixels import scanned_frame
from tests.unit.renderer.sample_faces import FACES, GTIN

RENDERER = Renderer()
GALLERY = load_gallery()
PROMOTION, STANDARD = GALLERY["promotion"], GALLERY["standard"]
EVERYDAY, OFFER = FACES["everyday"], FACES["promotion"]
SMALL = FIRST_PANELS.named("bwry-250x122")

on_every_panel = pytest.mark.parametrize("panel", FIRST_PANELS.values(), ids=lambda p: p.panel_id)


def drawn(face: Face, panel: Panel) -> Drawing:
    return RENDERER.draw(face, panel, PROMOTION)


def big_price(drawing: Drawing) -> DrawnPart:
    [part] = [
        p for p in drawing.parts if isinstance(p.element, Price) and p.element.value == "price"
    ]
    return part


def all_texts(drawing: Drawing) -> list[str]:
    return [text for part in drawing.parts for text in part.texts]


@on_every_panel
@pytest.mark.parametrize("name", [name for name in FACES if name != "no-gtin"])
def test_every_code_scans_from_the_final_pixels(name: str, panel: Panel) -> None:
    face = FACES[name]
    frame = RENDERER.render(face, panel, STANDARD)
    found = scanned_frame(frame.pixels, panel)
    meant = {code.content.zfill(14) for code in frame.codes}
    assert {text.zfill(14) for text in found.values()} == meant
    if face.link is None and face.gtin is None:
        assert frame.codes == ()
    else:
        assert found["QRCode"] in {face.link, digital_link(face.gtin or GTIN)}


@settings(max_examples=60, deadline=None)
@given(
    body=st.from_regex(r"[1-9][0-9]{11}", fullmatch=True), panel=st.sampled_from([*FIRST_PANELS])
)
def test_the_codes_of_any_product_scan(body: str, panel: str) -> None:
    gtin = body + str(check_digit(body))
    face = replace(EVERYDAY, gtin=gtin, link=digital_link(gtin))
    frame = RENDERER.render(face, PANELS.named(panel), STANDARD)
    found = scanned_frame(frame.pixels, PANELS.named(panel))
    assert found["QRCode"] == digital_link(gtin)
    assert found.get("EAN13", gtin) == gtin


@on_every_panel
def test_codes_are_black_on_white_with_a_white_quiet_zone(panel: Panel) -> None:
    frame = RENDERER.render(OFFER, panel, PROMOTION)
    canvas = unpack(frame.pixels, panel)
    assert frame.codes
    for code in frame.codes:
        area = inside(canvas, code.quiet_box).copy()
        assert set(np.unique(area)) == {Ink.BLACK, Ink.WHITE}
        box, symbol = code.quiet_box, code.symbol_box
        area[symbol.top - box.top :, symbol.left - box.left :][: symbol.height, : symbol.width] = (
            Ink.WHITE
        )
        assert (area == Ink.WHITE).all()


@on_every_panel
def test_a_promotion_speaks_in_red(panel: Panel) -> None:
    assert big_price(drawn(OFFER, panel)).ink is Ink.RED
    assert not (RENDERER.draw(EVERYDAY, panel, STANDARD).canvas == Ink.RED).any()


@on_every_panel
def test_the_percentage_is_floored(panel: Panel) -> None:
    """1.69 to 1.29 is 23.67 % less: the label says 23."""
    said = all_texts(drawn(replace(OFFER, price_minor=129, was_minor=169), panel))
    assert any("23" in text and "%" in text for text in said)
    assert not any("24" in text for text in said)


@on_every_panel
def test_a_reduction_below_one_percent_claims_none(panel: Panel) -> None:
    said = all_texts(drawn(replace(OFFER, price_minor=9999, was_minor=10000), panel))
    assert not any("%" in text for text in said)


@on_every_panel
def test_the_unit_stands_beside_the_price_of_weighed_goods(panel: Panel) -> None:
    weighed = replace(OFFER, priced_per=Unit.KILOGRAM)
    assert any("/kg" in text for text in big_price(drawn(weighed, panel)).texts)


# ── A link that may be left out ─────────────────────────────────────────────────────────────

LONG_LINK = "https://shop.example/" + "a" * 300


@on_every_panel
def test_an_address_too_long_gives_way_to_the_digital_link(panel: Panel) -> None:
    found = scanned_frame(
        RENDERER.render(replace(OFFER, link=LONG_LINK), panel, PROMOTION).pixels, panel
    )
    assert found["QRCode"] == digital_link(GTIN)


def test_an_address_that_would_be_too_fine_is_refused_with_numbers() -> None:
    with pytest.raises(CodeDoesNotFit, match=r"37 modules wide .* has 100x\d+ px .* 111 px are"):
        RENDERER.render(FACES["no-gtin"], SMALL, STANDARD)


def test_an_address_too_long_is_left_out_if_it_may_be_and_else_refused_with_numbers() -> None:
    face = replace(OFFER, gtin=None, link=LONG_LINK)
    with pytest.raises(CodeDoesNotFit, match=r"level M, and the text needs \d+"):
        RENDERER.render(face, SMALL, PROMOTION)
    spare = RENDERER.render(replace(face, link_may_be_left_out=True), SMALL, PROMOTION)
    assert spare.pixels == RENDERER.render(replace(face, link=None), SMALL, PROMOTION).pixels


def test_a_spare_link_gives_its_place_to_a_price_that_needs_it() -> None:
    made = small_template(
        "{type: row, children: [{type: price, min_size: 40}, {type: qr, width: 120}]}"
    )
    face = replace(EVERYDAY, price_minor=9_999_999, link_may_be_left_out=True)
    panel = PANELS.named("bwry-296x128")
    frame = RENDERER.render(face, panel, made)
    assert frame.codes == ()
    assert big_price(RENDERER.draw(face, panel, made)).texts == ("99.999", "99", "€")
    assert RENDERER.render(replace(face, price_minor=129), panel, made).codes != ()


# ── The same bytes ──────────────────────────────────────────────────────────────────────────


@on_every_panel
@pytest.mark.parametrize("name", [name for name in FACES if name != "no-gtin"])
def test_two_renderers_draw_the_same_bytes(name: str, panel: Panel) -> None:
    """Also warm against cold: the first renderer has drawn much else before."""
    fresh = Renderer().render(FACES[name], panel, STANDARD)
    for _ in range(2):
        again = RENDERER.render(FACES[name], panel, STANDARD)
        assert (again.pixels, again.digest) == (fresh.pixels, fresh.digest)
    assert len(fresh.pixels) == panel.frame_bytes
    assert fresh.panel_id == panel.panel_id


def test_the_product_cache_never_shows_another_product() -> None:
    tiny = Renderer(products_kept=1)
    faces = [face for name, face in FACES.items() if name != "no-gtin"]
    for face in (*faces, *faces):
        frame = tiny.render(face, SMALL, STANDARD)
        assert frame.pixels == RENDERER.render(face, SMALL, STANDARD).pixels


def test_panels_that_differ_in_their_codes_only_show_the_same_canvas() -> None:
    plain, swapped = PANELS.named("bwry-296x128"), PANELS.named("bwry-296x128-swapped")
    frames = [RENDERER.render(OFFER, panel, PROMOTION) for panel in (plain, swapped)]
    assert frames[0].pixels != frames[1].pixels
    assert (unpack(frames[0].pixels, plain) == unpack(frames[1].pixels, swapped)).all()


def test_a_panel_too_small_for_a_template_is_refused() -> None:
    made = small_template("{type: rect, box: [0, 0, 290, 20]}")
    with pytest.raises(LayoutDoesNotFit, match="290x20 px"):
        RENDERER.render(EVERYDAY, SMALL, made)
