"""Uploaded pictures become inks: in shape, in colour, the same each time."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from esl.domain.errors import PictureNotDrawn
from esl.domain.panel import Ink
from esl.domain.panel_file import load_panels
from renderer.pictures import ditherers
from renderer.pictures.dither import PICTURES_KEPT, InkedPictures, dither_picture
from renderer.pictures.picture import Ditherer, Picture
from renderer.pictures.resample import LIGHT_OF_LEVEL, fit_inside, levels_of_light, scale_picture

PANELS = load_panels()
BWRY = PANELS.named("bwry-296x128")
BWR = PANELS.named("bwr-296x128")
EITHER = pytest.mark.parametrize("ditherer", list(Ditherer))


def picture_of(pixels: np.ndarray, ditherer: Ditherer = Ditherer.PILLOW) -> Picture:
    """Make a picture of RGB or RGBA pixels."""
    if pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    return Picture.of("test", pixels.astype(np.uint8), ditherer)


def field(rgb: tuple[int, int, int], side: int = 60) -> np.ndarray:
    """Make a square of one colour."""
    return np.full((side, side, 3), rgb, np.uint8)


@EITHER
@pytest.mark.parametrize("dither", [True, False])
@pytest.mark.parametrize(
    ("rgb", "ink"),
    [
        ((0, 0, 0), Ink.BLACK),
        ((20, 20, 24), Ink.BLACK),
        ((255, 255, 255), Ink.WHITE),
        ((240, 240, 240), Ink.WHITE),
        ((255, 0, 0), Ink.RED),
        ((227, 0, 15), Ink.RED),
        ((204, 0, 0), Ink.RED),
        ((255, 255, 0), Ink.YELLOW),
        ((255, 205, 0), Ink.YELLOW),
    ],
)
def test_a_colour_that_is_an_ink_is_that_ink_all_over(
    ditherer: Ditherer,
    dither: bool,  # noqa: FBT001
    rgb: tuple[int, int, int],
    ink: Ink,
) -> None:
    inks, opaque = dither_picture(picture_of(field(rgb), ditherer), 60, 60, BWRY, dither=dither)
    assert set(np.unique(inks)) == {ink}
    assert opaque.all()


@EITHER
def test_grey_never_becomes_a_colour(ditherer: Ditherer) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[np.newaxis, :, np.newaxis], 64, axis=0)
    warm = np.clip(np.repeat(ramp, 3, axis=2).astype(int) + np.array([9, 0, -9]), 0, 255)
    for dither in (True, False):
        inks, _ = dither_picture(picture_of(warm, ditherer), 256, 64, BWRY, dither=dither)
        assert set(np.unique(inks)) == {Ink.BLACK, Ink.WHITE}


@EITHER
@pytest.mark.parametrize("level", [80, 128, 200])
def test_the_share_of_white_is_the_grey_s_level(ditherer: Ditherer, level: int) -> None:
    inks, _ = dither_picture(picture_of(field((level,) * 3), ditherer), 60, 60, BWRY, dither=True)
    assert (inks == Ink.WHITE).mean() == pytest.approx(level / 255, abs=0.04)


@EITHER
def test_a_bright_red_is_made_of_red(ditherer: Ditherer) -> None:
    inks, _ = dither_picture(picture_of(field((220, 60, 50)), ditherer), 60, 60, BWRY, dither=True)
    assert (inks == Ink.RED).mean() > 0.6
    plain, _ = dither_picture(picture_of(field((255, 85, 70))), 60, 60, BWRY, dither=False)
    assert (plain == Ink.RED).all()


@given(
    pixels=arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24), st.just(4))),
    width_px=st.integers(1, 40),
    height_px=st.integers(1, 40),
    panel_id=st.sampled_from(["bwry-296x128", "bwr-296x128", "bwy-400x300", "bw-296x128"]),
    ditherer=st.sampled_from(list(Ditherer)),
    dither=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_only_inks_of_the_panel_come_out_and_the_box_holds_them(
    pixels: np.ndarray,
    width_px: int,
    height_px: int,
    panel_id: str,
    ditherer: Ditherer,
    dither: bool,  # noqa: FBT001
) -> None:
    panel = PANELS.named(panel_id)
    picture = picture_of(pixels, ditherer)
    inks, opaque = dither_picture(picture, width_px, height_px, panel, dither=dither)
    assert inks.shape == opaque.shape
    assert inks.shape[0] <= height_px
    assert inks.shape[1] <= width_px
    assert inks.shape[1] == width_px or inks.shape[0] == height_px
    assert set(np.unique(inks)) <= set(panel.inks)
    again, _ = dither_picture(picture, width_px, height_px, panel, dither=dither)
    assert (inks == again).all()


def test_pixels_are_the_same_on_every_machine() -> None:
    rows, columns = np.indices((120, 120))
    pixels = np.dstack([columns * 2, rows * 2, rows + columns])
    inks, _ = dither_picture(picture_of(pixels), 97, 61, BWRY, dither=True)
    assert hashlib.sha256(inks.tobytes()).hexdigest()[:16] == "33d21eeb73c19c2a"


@pytest.mark.parametrize(
    ("size", "box", "fitted"),
    [
        ((100, 50), (50, 50), (50, 25)),
        ((50, 100), (50, 50), (25, 50)),
        ((10, 10), (40, 30), (30, 30)),
        ((1000, 1), (20, 20), (20, 1)),
        ((3, 2), (100, 100), (100, 67)),
    ],
)
def test_a_picture_keeps_its_shape(
    size: tuple[int, int], box: tuple[int, int], fitted: tuple[int, int]
) -> None:
    assert fit_inside(size, box) == fitted


def test_light_is_averaged_and_not_levels() -> None:
    board = np.indices((40, 40)).sum(axis=0) % 2 * 255
    pixels = np.dstack([board, board, board, np.full((40, 40), 255)]).astype(np.uint8)
    levels, opaque = scale_picture(pixels, 4, 4)
    assert set(np.unique(levels)) == {188}  # half the light
    assert opaque.all()


@given(level=st.integers(0, 255), sides=st.tuples(*[st.integers(1, 50)] * 4))
def test_a_plain_field_stays_plain_at_every_size(
    level: int, sides: tuple[int, int, int, int]
) -> None:
    pixels = np.full((sides[0], sides[1], 4), (level, level, level, 255), np.uint8)
    levels, opaque = scale_picture(pixels, sides[2], sides[3])
    assert levels.shape == (sides[3], sides[2], 3)
    assert (levels == level).all()
    assert opaque.all()


def test_every_level_survives_being_light() -> None:
    assert (levels_of_light(LIGHT_OF_LEVEL) == np.arange(256)).all()


def test_a_soft_edge_keeps_its_colour_and_half_of_it_covers() -> None:
    pixels = np.zeros((10, 10, 4), np.uint8)
    pixels[:, :, 0] = 230
    pixels[:, :, 3] = np.linspace(0, 255, 10).astype(np.uint8)[np.newaxis, :]
    inks, opaque = dither_picture(picture_of(pixels), 10, 10, BWRY, dither=False)
    assert (opaque == (pixels[:, :, 3] >= 128)).all()
    assert set(np.unique(inks[opaque])) == {Ink.RED}


def test_a_panel_without_yellow_shows_yellow_without_it() -> None:
    inks, _ = dither_picture(picture_of(field((255, 220, 0))), 60, 60, BWR, dither=True)
    assert Ink.YELLOW not in inks


def test_a_picture_made_for_another_ditherer_is_refused_and_not_drawn_differently(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ditherers, "dither_image", None)
    picture = picture_of(field((90, 90, 90)), Ditherer.EPAPER)
    with pytest.raises(PictureNotDrawn, match=r"'test'.*install the extra `dither`"):
        dither_picture(picture, 20, 20, BWRY, dither=True)
    dither_picture(picture, 20, 20, BWRY, dither=False)  # needs no program


def test_a_box_without_area_is_an_error() -> None:
    with pytest.raises(ValueError, match="0x5 px"):
        dither_picture(picture_of(field((0, 0, 0))), 0, 5, BWRY, dither=True)


def test_a_picture_is_dithered_once_per_size_panel_and_way() -> None:
    pictures = InkedPictures()
    pixels = field((128, 128, 128))
    first = pictures.find(picture_of(pixels), 20, 20, BWRY, dither=True)
    assert pictures.find(picture_of(pixels), 20, 20, BWRY, dither=True) is first
    assert pictures.find(picture_of(pixels), 20, 20, BWR, dither=True) is not first
    assert pictures.find(picture_of(pixels), 20, 20, BWRY, dither=False) is not first
    with pytest.raises(ValueError, match="read-only"):
        first[0][0, 0] = 0


def test_the_cache_of_pictures_has_a_bound() -> None:
    pictures = InkedPictures()
    for width in range(1, PICTURES_KEPT + 10):
        pictures.find(picture_of(field((0, 0, 0), 4)), width, 4, BWRY, dither=False)
    assert pictures._inked.cache_info().currsize == PICTURES_KEPT
