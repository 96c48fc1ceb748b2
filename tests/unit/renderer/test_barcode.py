"""Bars say the GTIN they were asked for, at the size they are drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl.domain.errors import CodeDoesNotFit
from esl.domain.gtin import check_digit
from esl.domain.panel import Ink
from renderer.barcode import BarcodeWriter
from renderer.packing import Canvas
from tests.unit.renderer.pixels import scanned

WRITER = BarcodeWriter()


def drawn(gtin: str, *, module_px: int) -> Canvas:
    bars = WRITER.draw(gtin)
    assert bars is not None
    line = np.where(np.pad(bars.modules, 11), Ink.BLACK, Ink.WHITE).astype(np.uint8)
    return line.repeat(module_px)[np.newaxis].repeat(20, axis=0)


@settings(max_examples=60, deadline=None)
@given(body=st.from_regex(r"[0-9]{11}[1-9]", fullmatch=True), module_px=st.sampled_from([1, 2]))
def test_a_gtin_13_is_read_back(body: str, module_px: int) -> None:
    gtin = body + str(check_digit(body))
    found = scanned(drawn(gtin, module_px=module_px))
    assert list(found.values()) in ([gtin], [gtin[1:]])  # UPC-A where it begins with 0


@settings(max_examples=40, deadline=None)
@given(body=st.from_regex(r"[0-9]{6}[1-9]", fullmatch=True))
def test_a_gtin_8_is_read_back(body: str) -> None:
    gtin = body + str(check_digit(body))
    assert scanned(drawn(gtin, module_px=1)) == {"EAN8": gtin}


def test_a_gtin_12_has_the_bars_of_its_13_digit_form() -> None:
    short, long = WRITER.draw("036000291452"), WRITER.draw("0036000291452")
    assert short is not None
    assert long is not None
    assert (short.modules == long.modules).all()
    assert short.digits == "0036000291452"


def test_a_gtin_14_of_a_consumer_unit_has_ean_13_bars() -> None:
    bars = WRITER.draw("03850139171587")
    assert bars is not None
    assert bars.digits == "3850139171587"


def test_a_gtin_14_of_a_case_has_no_bars() -> None:
    assert WRITER.draw("13850139171584") is None


@pytest.mark.parametrize(
    "text", ["3850139171588", "385013917158", "", "٣٨٥٠١٣٩١٧١٥٨٧", "36000291452"]
)
def test_what_is_not_a_gtin_is_refused(text: str) -> None:
    with pytest.raises(CodeDoesNotFit, match="not a GTIN"):
        WRITER.draw(text)


@pytest.mark.parametrize(("gtin", "modules"), [("3850139171587", 95), ("49012347", 67)])
def test_symbols_have_their_standard_width(gtin: str, modules: int) -> None:
    bars = WRITER.draw(gtin)
    assert bars is not None
    assert len(bars.modules) == modules
