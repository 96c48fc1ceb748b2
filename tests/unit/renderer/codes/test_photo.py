"""Codes in photos: turned, small, several, on a shelf's grey; and what is no photo."""

from io import BytesIO

import numpy as np
import pytest
import qrcode
import zxingcpp
from PIL import Image

from esl.domain.errors import InvalidInput
from renderer.codes.photo import CODES_MOST, codes_in_photo

BREAD = "3850104087301"
Placed = tuple[Image.Image, tuple[int, int]]


def bar_code(text: str, kind: zxingcpp.BarcodeFormat, scale: int = 3) -> Image.Image:
    made = zxingcpp.create_barcode(text, kind)
    return Image.fromarray(np.array(zxingcpp.write_barcode_to_image(made, scale=scale)))


def photo(*parts: Placed, turn: float = 0, kind: str = "JPEG") -> bytes:
    shelf = Image.new("L", (1280, 960), 170)
    for part, at in parts:
        shelf.paste(part.convert("L"), at)
    noise = np.random.default_rng(1).normal(0, 6, (960, 1280))
    grey = np.clip(np.asarray(shelf, np.float64) + noise, 0, 255).astype(np.uint8)
    out = BytesIO()
    Image.fromarray(grey).rotate(turn, fillcolor=170).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("turn", [0, 90, 180, 7])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_product_on_a_shelf(turn: float, kind: str) -> None:
    code = bar_code(BREAD, zxingcpp.BarcodeFormat.EAN13)
    [found] = codes_in_photo(photo((code, (480, 380)), turn=turn, kind=kind))
    assert (found.text, found.symbol) == (BREAD, "EAN13")


def test_of_several_the_one_in_the_middle_comes_first() -> None:
    product = bar_code(BREAD, zxingcpp.BarcodeFormat.EAN13)
    label = qrcode.make("l-00007", box_size=6).get_image()
    both = codes_in_photo(photo((product, (40, 60)), (label, (560, 400))))
    assert [one.text for one in both] == ["l-00007", BREAD]


def test_a_photo_without_codes_has_none() -> None:
    assert codes_in_photo(photo()) == []


def test_no_more_than_anybody_looks_at() -> None:
    parts = [
        (qrcode.make(f"l-{n}", box_size=4, border=3).get_image(), (n % 8 * 150, n // 8 * 150))
        for n in range(CODES_MOST + 10)
    ]
    assert len(codes_in_photo(photo(*parts))) == CODES_MOST


@pytest.mark.parametrize("data", [b"", b"no photo", b"\xff\xd8\xff" + b"0" * 500])
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        codes_in_photo(data)
    assert refusal.value.problems[0].fix
