"""A frame on which a code is not what was meant never passes."""

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl.domain.digital_link import digital_link
from esl.domain.errors import CodeUnreadable, RenderRefused
from esl.domain.ids import PanelId
from esl.domain.panel import Ink, Panel
from renderer.canvas import Box
from renderer.codes.place import PlacedCode
from renderer.codes.read_back import check_codes, decode_codes, must_decode
from renderer.packing import Canvas, pack, unpack
from tests.panels import PANELS
from tests.unit.renderer.codes.codes import CONTENTS, frame_of, place_bars, place_qr

LINK = digital_link("09520123456788")
CHECKED = [
    PANELS[PanelId(name)]
    for name in ("bwry-296x128", "bwry-250x122", "bwry-400x300", "bw-296x128", "bwr-400x300")
]  # packed, turned, without colours, in planes


@lru_cache
def codes_on(panel: Panel) -> tuple[PlacedCode, ...]:
    """A QR code on the right, a DataMatrix below it or beside it, bars on the left."""
    half = panel.width_px // 2
    return (
        place_qr(LINK, box=Box(half, 0, panel.width_px - half, 100), panel=panel, align="right"),
        place_bars("9520123456788", "auto", Box(0, 80, 124, 22), panel, align="start"),
        place_bars("SHELF-7", "data-matrix", Box(0, 0, half, 70), panel, align="start"),
    )


def white_pixels(panel: Panel) -> Canvas:
    return unpack(frame_of(panel, *codes_on(panel)), panel)


@pytest.mark.parametrize("panel", CHECKED, ids=lambda panel: panel.panel_id)
def test_codes_as_they_were_drawn_pass(panel: Panel) -> None:
    codes = codes_on(panel)
    pixels = frame_of(panel, *codes)
    check_codes(pixels, panel, codes)
    decode_codes(pixels, panel, codes)


@settings(max_examples=200, deadline=None)
@given(
    data=st.data(),
    panel=st.sampled_from(CHECKED),
    which=st.integers(0, 2),
)
def test_a_single_changed_pixel_is_always_found(
    data: st.DataObject, panel: Panel, which: int
) -> None:
    code = codes_on(panel)[which]
    box = code.quiet_box
    x = box.left + data.draw(st.integers(0, box.width - 1))
    y = box.top + data.draw(st.integers(0, box.height - 1))
    canvas = white_pixels(panel)
    canvas[y, x] = data.draw(st.sampled_from([i for i in panel.inks if i != canvas[y, x]]))
    with pytest.raises(CodeUnreadable, match=f"{code.symbology} code .* first at {x},{y} px"):
        check_codes(pack(canvas, panel), panel, codes_on(panel))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), panel=st.sampled_from(CHECKED))
def test_pixels_outside_codes_and_quiet_zones_are_nobody_s_business(
    data: st.DataObject, panel: Panel
) -> None:
    x = data.draw(st.integers(0, panel.width_px - 1))
    y = data.draw(st.integers(0, panel.height_px - 1))
    inside = any(
        code.quiet_box.left <= x < code.quiet_box.right
        and code.quiet_box.top <= y < code.quiet_box.bottom
        for code in codes_on(panel)
    )
    canvas = white_pixels(panel)
    canvas[y, x] = Ink.BLACK if canvas[y, x] == Ink.WHITE else Ink.WHITE
    if inside:
        with pytest.raises(CodeUnreadable):
            check_codes(pack(canvas, panel), panel, codes_on(panel))
    else:
        check_codes(pack(canvas, panel), panel, codes_on(panel))


def test_the_message_counts_modules_and_quiet_pixels() -> None:
    panel = CHECKED[0]
    qr = codes_on(panel)[0]
    canvas = white_pixels(panel)
    size = qr.module_px
    canvas[qr.top : qr.top + size, qr.left : qr.left + 2 * size] = Ink.WHITE  # two modules
    canvas[qr.quiet_box.top, qr.quiet_box.left] = Ink.RED
    with pytest.raises(CodeUnreadable) as refused:
        check_codes(pack(canvas, panel), panel, [qr])
    assert str(refused.value) == (
        "the qr code on the frame is not the one that was meant: 2 of 625 modules and 1 pixels of "
        f"its quiet zone differ, first at {qr.quiet_box.left},{qr.quiet_box.top} px"
    )
    assert isinstance(refused.value, RenderRefused)
    assert refused.value.code == "code_unreadable"


def test_a_bar_cut_short_is_one_module() -> None:
    panel = CHECKED[0]
    bars = codes_on(panel)[1]
    canvas = white_pixels(panel)
    canvas[bars.top + 3 : bars.top + bars.height_px, bars.left] = Ink.RED
    with pytest.raises(CodeUnreadable, match=r"1 of 95 modules and 0 pixels"):
        check_codes(pack(canvas, panel), panel, [bars])


@pytest.mark.parametrize("which", [0, 1, 2])
def test_codes_in_a_colour_or_upside_down_are_found_by_both(which: int) -> None:
    """Scanners see red light, in which red ink is white; yellow on white nobody sees."""
    panel = CHECKED[0]
    codes = codes_on(panel)
    box = codes[which].quiet_box
    for ink in (Ink.RED, Ink.YELLOW):
        canvas = white_pixels(panel)
        area = canvas[box.top : box.bottom, box.left : box.right]
        area[area == Ink.BLACK] = ink
        pixels = pack(canvas, panel)
        with pytest.raises(CodeUnreadable):
            check_codes(pixels, panel, codes)
        with pytest.raises(CodeUnreadable, match="does not read"):
            decode_codes(pixels, panel, codes)
    canvas = white_pixels(panel)
    area = canvas[box.top : box.bottom, box.left : box.right]
    area[:] = np.where(area == Ink.BLACK, Ink.WHITE, Ink.BLACK)
    with pytest.raises(CodeUnreadable):
        decode_codes(pack(canvas, panel), panel, codes)


@pytest.mark.parametrize("symbology", ["qr", *CONTENTS])
def test_another_content_is_never_taken_for_the_one_meant(symbology: str) -> None:
    panel = PANELS[PanelId("bwry-800x480")]
    box = Box(40, 40, 600, 200)
    other = {
        "qr": LINK + "1",
        "ean-13": "4006381333931",
        "ean-8": "02345673",
        "upc-a": "416000336108",
        "upc-e": "042100005264",
        "code-128": "SHELF-07/b 4",
        "gs1-128": "(01)09520123456788(21)AB(1)+",
        "itf-14": "40987650000223",
        "data-matrix": "https://shop.example/p/2",
    }[symbology]
    if symbology == "qr":
        shown = place_qr(other, box=box, panel=panel)
        meant = place_qr(LINK, box=box, panel=panel)
    else:
        shown = place_bars(other, symbology, box, panel)
        meant = place_bars(CONTENTS[symbology], symbology, box, panel)
    pixels = frame_of(panel, shown)
    check_codes(pixels, panel, [shown])
    decode_codes(pixels, panel, [shown])
    with pytest.raises(CodeUnreadable):
        check_codes(pixels, panel, [meant])
    with pytest.raises(CodeUnreadable, match=f"does not read the {symbology} code"):
        decode_codes(pixels, panel, [meant])


def test_text_that_looks_like_elements_is_not_an_element_string() -> None:
    panel = PANELS[PanelId("bwry-800x480")]
    text = "(01)09520123456788"
    plain = place_bars(text, "code-128", Box(0, 0, 800, 100), panel)
    elements = place_bars(text, "gs1-128", Box(0, 0, 800, 100), panel)
    for shown, meant in ((plain, elements), (elements, plain)):
        pixels = frame_of(panel, shown)
        decode_codes(pixels, panel, [shown])
        with pytest.raises(CodeUnreadable):
            decode_codes(pixels, panel, [meant])


def test_two_codes_of_one_kind_are_each_looked_for() -> None:
    panel = PANELS[PanelId("bwry-400x300")]
    first = place_qr(LINK, box=Box(0, 0, 200, 200), panel=panel)
    second = place_qr("HTTPS://X.EXAMPLE", box=Box(200, 0, 200, 200), panel=panel)
    decode_codes(frame_of(panel, first, second), panel, [first, second])
    with pytest.raises(CodeUnreadable, match=f"{second.left},{second.top} px"):
        decode_codes(frame_of(panel, first), panel, [first, second])


def test_an_address_outside_ascii_is_read_back() -> None:
    panel = PANELS[PanelId("bwry-400x300")]
    for content in ("é", "日本", "https://shop.example/Käse?ß=€"):
        code = place_qr(content, box=Box(0, 0, 200, 200), panel=panel)
        decode_codes(frame_of(panel, code), panel, [code])


def test_a_code_that_reaches_over_the_frame_is_unreadable() -> None:
    panel = CHECKED[0]
    qr = codes_on(panel)[0]
    pixels = frame_of(panel)
    for moved in (qr._replace(left=2), qr._replace(top=-1), qr._replace(left=250)):
        for read in (check_codes, decode_codes):
            with pytest.raises(CodeUnreadable, match="over the frame's edge"):
                read(pixels, panel, [moved])


def test_a_frame_of_another_size_is_unreadable_in_words() -> None:
    panel = CHECKED[0]
    for read in (check_codes, decode_codes):
        with pytest.raises(CodeUnreadable, match="no frame of this panel"):
            read(b"\x55" * 12, panel, codes_on(panel))


def test_a_frame_without_codes_is_not_looked_at() -> None:
    check_codes(b"", CHECKED[0], ())
    decode_codes(b"", CHECKED[0], ())


def test_the_sample_is_a_share_of_the_digests_and_never_changes() -> None:
    digests = [f"{n * 2654435761 % 2**32:08x}{n:056x}" for n in range(10_000)]
    assert not any(must_decode(digest, 0) for digest in digests)
    assert all(must_decode(digest, 100) for digest in digests)
    for share in (1, 12.5, 50):
        chosen = [digest for digest in digests if must_decode(digest, share)]
        assert abs(len(chosen) - 100 * share) < 60
        assert all(must_decode(digest, share + 1) for digest in chosen)
    assert must_decode("ffffffff" + "0" * 56, 100)
    assert must_decode("00000000" + "f" * 56, 0.001)
