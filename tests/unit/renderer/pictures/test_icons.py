"""Icons are whole, told apart, and the same at every call."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.pictures.icon_shapes import ICON_SHAPES
from renderer.pictures.icons import ICONS_KEPT, SMALLEST_PX, Icons
from renderer.pictures.shapes import Disc, Fill, Stroke, rasterise, trace

NAMES = Icons.names()
ICONS = Icons()


def test_there_are_enough_icons_and_their_names_are_sorted() -> None:
    assert len(NAMES) >= 24
    assert list(NAMES) == sorted(ICON_SHAPES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side_px", [SMALLEST_PX, 12, 16, 24, 48, 96])
def test_an_icon_fills_its_square_and_leaves_space_in_it(name: str, side_px: int) -> None:
    mask = ICONS.mask(name, side_px, side_px)
    assert mask.shape == (side_px, side_px)
    assert mask.dtype == np.bool_
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    longest = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    assert longest >= 0.75 * side_px
    assert 0.1 < mask.mean() < 0.8


@pytest.mark.parametrize("side_px", [SMALLEST_PX, 12, 16])
def test_no_two_icons_are_taken_for_each_other_when_small(side_px: int) -> None:
    for first, second in combinations(NAMES, 2):
        differing = (
            ICONS.mask(first, side_px, side_px) ^ ICONS.mask(second, side_px, side_px)
        ).sum()
        assert differing >= 0.75 * side_px, (first, second)


@given(name=st.sampled_from(NAMES), width_px=st.integers(1, 120), height_px=st.integers(1, 120))
def test_an_icon_is_as_large_as_its_box_allows(name: str, width_px: int, height_px: int) -> None:
    side = min(width_px, height_px)
    mask = Icons().mask(name, width_px, height_px)
    assert mask.shape == (side, side)
    assert (mask == ICONS.mask(name, side, side)).all()


def test_a_thin_stroke_never_breaks() -> None:
    for side_px in range(SMALLEST_PX, 60):
        line = rasterise((Stroke("M2 2 L46 30", 0.1),), side_px)
        columns = np.flatnonzero(line.any(axis=0))
        assert (np.diff(columns) == 1).all()
        tops = line.argmax(axis=0)[columns]
        assert (abs(np.diff(tops)) <= 1).all()


def test_overlapping_outlines_cut_each_other_out() -> None:
    square_in_square = rasterise(
        (Fill("M0 0 L48 0 L48 48 L0 48 Z M16 16 L32 16 L32 32 L16 32 Z"),), 48
    )
    assert square_in_square[4, 4]
    assert not square_in_square[24, 24]
    assert square_in_square.sum() == 48 * 48 - 16 * 16


def test_later_shapes_clear_earlier_ones() -> None:
    ring = rasterise((Disc(24, 24, 20), Disc(24, 24, 10, clear=True)), 48)
    assert not ring[24, 24]
    assert ring[24, 8]


def test_a_circle_has_its_area() -> None:
    assert rasterise((Disc(24, 24, 20),), 480).mean() == pytest.approx(
        3.14159 * 400 / 2304, rel=0.002
    )


def test_a_curve_ends_where_it_says() -> None:
    ((*_, last),) = trace("M0 0 C10 0 20 10 20 20")
    assert last == (20, 20)


@pytest.mark.parametrize("path", ["M0 0 Q1 1 2 2", "M0 0 l1 1"])
def test_an_unknown_word_in_a_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="no part of a path"):
        trace(path)


def test_an_unknown_icon_and_a_box_without_area_are_errors() -> None:
    with pytest.raises(KeyError):
        ICONS.mask("unicorn", 20, 20)
    with pytest.raises(ValueError, match="0x20 px"):
        ICONS.mask("star", 0, 20)


def test_a_shared_mask_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ICONS.mask("star", 20, 20)[0, 0] = True


def test_the_cache_of_icons_has_a_bound() -> None:
    icons = Icons()
    for side_px in range(SMALLEST_PX, SMALLEST_PX + ICONS_KEPT + 20):
        icons.mask("check", side_px, side_px)
    assert icons._mask.cache_info().currsize == ICONS_KEPT
