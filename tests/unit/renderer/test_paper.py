"""Sheets of paper tickets: what comes where, and the same bytes each time."""

from io import BytesIO

import pytest
from PIL import Image

from renderer.paper import PaperPicture, lay_out, write_sheets
from renderer.text.fonts import Fonts


def test_tickets_fill_rows_then_sheets_and_never_overlap() -> None:
    sizes = [(66.9, 29.0)] * 30 + [(120.0, 90.0)] * 4
    laid = list(lay_out(sizes))
    assert [one.page for one in laid] == sorted(one.page for one in laid)
    assert laid[0].page == 0
    assert laid[-1].page == 3
    for place, one in enumerate(laid):
        assert (one.width_mm, one.height_mm) == sizes[place]
        assert one.left_mm >= 10
        assert one.left_mm + one.width_mm <= 200.01
        assert one.top_mm + one.height_mm <= 287.01
        for other in laid[:place]:
            apart = (
                other.page != one.page
                or other.left_mm + other.width_mm <= one.left_mm
                or one.left_mm + one.width_mm <= other.left_mm
                or other.top_mm + other.height_mm < one.top_mm
                or one.top_mm + one.height_mm < other.top_mm
            )
            assert apart


def test_what_is_larger_than_a_sheet_is_shrunk_as_a_whole() -> None:
    [one] = lay_out([(270.0, 203.0)])
    assert one.width_mm == pytest.approx(190)
    assert one.width_mm / one.height_mm == pytest.approx(270 / 203)


def test_words_below_are_drawn_in_any_script_and_what_no_font_has_does_no_harm() -> None:
    out = BytesIO()
    Image.new("P", (8, 8)).save(out, "PNG")
    for words in ("3/2 · l-7", "رف 3 · l-7", "棚 \U0001f36a", "\u202e", "x" * 500):
        one = PaperPicture(png=out.getvalue(), width_mm=60, height_mm=30, words=words)
        pdf = write_sheets([one], Fonts(), title="T")
        assert pdf.startswith(b"%PDF-")
        assert pdf == write_sheets([one], Fonts(), title="T")
    with pytest.raises(ValueError, match="without tickets"):
        write_sheets([], Fonts(), title="T")
