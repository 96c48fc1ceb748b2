import zlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zlib_ng import zlib_ng

from esl.domain.panel import Panel
from gateway.pictures import deflate, difference, inflate
from tests.panels import FIRST_PANELS

PANEL = FIRST_PANELS["bwry-296x128"]  # type: ignore[index]


@pytest.mark.parametrize("panel", FIRST_PANELS.values(), ids=lambda p: p.panel_id)
def test_a_frame_comes_back_as_it_was(panel: Panel) -> None:
    for pixels in (
        bytes(panel.frame_bytes),
        bytes(n * 7 % 256 for n in range(panel.frame_bytes)),
    ):
        assert inflate(deflate(pixels, panel), panel) == pixels


def test_a_small_label_controller_can_inflate_it() -> None:
    data = deflate(bytes(range(256)) * 37, PANEL)
    window_bits = (data[0] >> 4) + 8  # RFC 1950, 2.2
    assert window_bits <= PANEL.zlib_window_bits
    small = zlib.decompressobj(wbits=PANEL.zlib_window_bits)
    assert small.decompress(data) == bytes(range(256)) * 37


@given(st.integers(0, 2**32))
def test_any_frame_comes_back_as_it_was(seed: int) -> None:
    pixels = Random(seed).randbytes(PANEL.frame_bytes)
    assert inflate(deflate(pixels, PANEL), PANEL) == pixels


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not zlib",
        zlib.compress(bytes(PANEL.frame_bytes - 1)),
        zlib.compress(bytes(PANEL.frame_bytes + 1)),
        zlib.compress(b""),
        deflate(bytes(PANEL.frame_bytes), PANEL)[:-1],
        deflate(bytes(PANEL.frame_bytes), PANEL)[:-4] + b"\0\0\0\0",
        zlib.compress(bytes(50_000_000), 9),
    ],
    ids=["empty", "foreign", "short", "long", "nothing", "cut", "checksum", "bomb"],
)
def test_what_is_not_one_frame_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="frame"):
        inflate(data, PANEL)


def test_a_bomb_is_never_expanded_beyond_one_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = zlib_ng.decompressobj

    class Watched:
        def __init__(self) -> None:
            self._inner = real()
            self.eof = False

        def decompress(self, data: bytes, most: int = 0) -> bytes:
            asked.append(most)
            return self._inner.decompress(data, most)

    monkeypatch.setattr(zlib_ng, "decompressobj", Watched)
    with pytest.raises(ValueError, match="not one frame"):
        inflate(zlib.compress(bytes(10_000_000)), PANEL)
    assert asked == [PANEL.frame_bytes + 1]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="frame"):
        inflate(data, PANEL)


@given(st.binary(max_size=300), st.randoms(use_true_random=False))
def test_a_difference_and_either_frame_give_the_other(pixels: bytes, random: Random) -> None:
    base = random.randbytes(len(pixels))
    delta = difference(pixels, base)
    assert difference(base, delta) == pixels
    assert difference(pixels, delta) == base


def test_frames_of_two_sizes_have_no_difference() -> None:
    with pytest.raises(ValueError, match="9472 bytes has no base of 9471"):
        difference(bytes(9472), bytes(9471))
