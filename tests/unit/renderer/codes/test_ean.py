"""EAN symbols by table against the library that writes all other bars."""

import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.gtin import check_digit
from renderer.codes.ean import write_ean

FORMATS = {
    8: zxingcpp.BarcodeFormat.EAN8,
    12: zxingcpp.BarcodeFormat.UPCA,
    13: zxingcpp.BarcodeFormat.EAN13,
}


def written_by_zxing(digits: str) -> np.ndarray:
    picture = zxingcpp.create_barcode(digits, FORMATS[len(digits)]).to_image(
        scale=1, add_quiet_zones=False
    )
    return np.asarray(picture)[:1] == 0


@given(length=st.sampled_from([8, 12, 13]), number=st.integers(1, 10**12 - 1))
def test_the_table_writes_what_zxing_writes(length: int, number: int) -> None:
    body = str(number).zfill(12)[-(length - 1) :]
    digits = f"{body}{check_digit(body)}"
    if digits.strip("0"):
        assert np.array_equal(write_ean(digits).dark(), written_by_zxing(digits))


@pytest.mark.parametrize("first", range(10))
def test_every_first_digit_chooses_its_own_sets(first: int) -> None:
    body = f"{first}12345678901"[:12]
    digits = f"{body}{check_digit(body)}"
    assert np.array_equal(write_ean(digits).dark(), written_by_zxing(digits))
