"""Our QR symbols are the library's, bit for bit, and phones read them."""

import random

import numpy as np
import pytest
import qrcode
from hypothesis import given, settings
from hypothesis import strategies as st
from qrcode.constants import ERROR_CORRECT_M
from qrcode.util import MODE_8BIT_BYTE, MODE_ALPHA_NUM, QRData

from esl.domain.digital_link import digital_link
from esl.domain.errors import CodeDoesNotFit
from renderer.canvas import enlarge
from renderer.codes.modules import Modules
from renderer.codes.qr import (
    MAX_VERSION,
    QrWriter,
    codewords,
    segment_of,
    smallest_version,
)
from renderer.codes.qr_table import MASK, SymbolTable
from tests.unit.renderer.pixels import scanned

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
WRITER = QrWriter()


def library_symbol(text: str, *, version: int | None = None) -> Modules:
    mode = MODE_ALPHA_NUM if set(text) <= set(ALPHANUMERIC) else MODE_8BIT_BYTE
    symbol = qrcode.QRCode(version=version, error_correction=ERROR_CORRECT_M, mask_pattern=MASK)
    symbol.add_data(QRData(text.encode(), mode=mode))
    symbol.make(fit=version is None)
    return Modules.of(np.array(symbol.modules, np.bool_))


def read_back(modules: Modules) -> str:
    light = (~np.pad(modules.dark(), 4)).astype(np.uint8)
    return scanned(enlarge(light, 2))["QRCode"]


@pytest.mark.parametrize("version", range(1, MAX_VERSION + 1))
@pytest.mark.parametrize("alphabet", [ALPHANUMERIC, "abcdeé€ 0123/:?=&日"])
def test_every_version_equals_the_library_in_both_modes(version: int, alphabet: str) -> None:
    chance = random.Random(version)
    table = SymbolTable(version)
    drawn = 0
    while drawn < 12:
        text = "".join(chance.choices(alphabet, k=chance.randint(1, 320)))
        segment = segment_of(text)
        if segment.bits(version) > 8 * table.data_bytes:
            continue
        ours = table.draw(codewords(segment, version))
        assert ours == library_symbol(text, version=version), text
        drawn += 1


@pytest.mark.parametrize("version", range(1, MAX_VERSION + 1))
def test_a_symbol_filled_to_the_last_bit_equals_the_library(version: int) -> None:
    """Terminator and padding shrink to nothing there."""
    table = SymbolTable(version)
    room = 8 * table.data_bytes - 4 - (9 if version < 10 else 11)
    text = "A" * (2 * (room // 11) + (room % 11 >= 6))
    longest = segment_of(text)
    assert smallest_version(longest) == version
    assert smallest_version(segment_of(text + "A")) == version + 1 if version < 10 else True
    assert table.draw(codewords(longest, version)) == library_symbol(text, version=version)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_any_text_gets_the_version_and_modules_of_the_library(text: str) -> None:
    assert WRITER.draw(text) == library_symbol(text)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=ALPHANUMERIC + "abcdefghijklmnopqrstuvwxyz?=&_", min_size=1, max_size=150))
def test_any_address_is_read_back_by_a_decoder(text: str) -> None:
    assert read_back(WRITER.draw(text)) == text


def test_a_digital_link_in_upper_case_fits_version_2() -> None:
    assert WRITER.draw(digital_link("09520123456788")).rows == 25
    assert WRITER.draw(digital_link("09520123456788", base="https://id.gs1.org")).rows == 29


def test_a_text_too_long_for_version_10_is_refused_with_numbers() -> None:
    with pytest.raises(CodeDoesNotFit, match=r"holds 1728 bits.*needs 1740"):
        WRITER.draw("a" * 215)


@pytest.mark.parametrize("text", ["", "half a pair: \ud83d"])
def test_a_text_that_cannot_be_written_is_refused(text: str) -> None:
    with pytest.raises(CodeDoesNotFit):
        WRITER.draw(text)
