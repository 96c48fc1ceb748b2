"""Contrast is that of the measured inks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.panel import Ink
from esl.domain.panel_file import load_panels
from renderer.inks import contrast, relative_luminance, rgb_contrast

PANEL = load_panels().named("bwry-296x128")
LEVELS = st.tuples(*[st.integers(0, 255)] * 3)


@pytest.mark.parametrize(
    ("first", "second", "measured"),
    [
        # Field notes, standards C.3.
        (Ink.BLACK, Ink.WHITE, 9.3),
        (Ink.RED, Ink.WHITE, 6.4),
        (Ink.BLACK, Ink.YELLOW, 5.6),
        (Ink.RED, Ink.YELLOW, 3.8),
        (Ink.YELLOW, Ink.WHITE, 1.7),
        (Ink.RED, Ink.BLACK, 1.5),
    ],
)
def test_inks_have_the_published_contrasts(first: Ink, second: Ink, measured: float) -> None:
    assert contrast(first, second, PANEL) == pytest.approx(measured, abs=0.05)
    assert contrast(second, first, PANEL) == contrast(first, second, PANEL)


@pytest.mark.parametrize(
    ("first", "second", "ideal"),
    [
        ((0, 0, 0), (255, 255, 255), 21),
        ((255, 0, 0), (255, 255, 255), 4.0),
        ((255, 255, 0), (255, 255, 255), 1.07),
        ((255, 0, 0), (0, 0, 0), 5.3),
    ],
)
def test_ideal_colours_have_the_contrasts_of_wcag(
    first: tuple[int, int, int], second: tuple[int, int, int], ideal: float
) -> None:
    assert rgb_contrast(first, second) == pytest.approx(ideal, abs=0.05)


@given(first=LEVELS, second=LEVELS)
def test_contrast_is_between_1_and_21(
    first: tuple[int, int, int], second: tuple[int, int, int]
) -> None:
    assert 1 <= rgb_contrast(first, second) <= 21
    assert 0 <= relative_luminance(first) <= 1.0000001
