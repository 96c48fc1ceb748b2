"""Colour names mean what a panel can print, and dark stays dark."""

from typing import get_args

import pytest

from esl.domain.panel import Ink
from renderer.ink_names import find_ink, find_opposite
from renderer.inks import contrast
from renderer.template.models import InkName
from tests.panels import PANELS

K, W, Y, R = Ink
BWRY, BWR, BWY, BW = (
    PANELS.named(name) for name in ("bwry-400x300", "bwr-400x300", "bwy-400x300", "bw-400x300")
)
READABLE = 3.0  # WCAG 2.2, large text


@pytest.mark.parametrize(
    ("name", "inks"),
    [
        ("black", (K, K, K, K)),
        ("white", (W, W, W, W)),
        ("red", (R, R, K, K)),
        ("yellow", (Y, W, Y, W)),
        ("accent", (R, R, Y, K)),
        ("on_accent", (W, W, K, W)),
        ("emphasis", (R, R, K, K)),
    ],
)
def test_a_name_means_the_nearest_ink_the_panel_has(name: str, inks: tuple[Ink, ...]) -> None:
    assert tuple(find_ink(name, panel) for panel in (BWRY, BWR, BWY, BW)) == inks


@pytest.mark.parametrize("panel", PANELS.values(), ids=lambda panel: panel.panel_id)
def test_no_name_means_an_ink_the_panel_lacks(panel) -> None:
    assert {find_ink(name, panel) for name in get_args(InkName)} <= set(panel.inks)


@pytest.mark.parametrize("panel", PANELS.values(), ids=lambda panel: panel.panel_id)
def test_text_on_accent_emphasis_and_inverted_text_can_be_read(panel) -> None:
    accent = find_ink("accent", panel)
    assert contrast(find_ink("on_accent", panel), accent, panel) >= READABLE
    assert contrast(find_ink("emphasis", panel), Ink.WHITE, panel) >= READABLE
    for ink in panel.inks:
        assert contrast(find_opposite(ink), ink, panel) >= READABLE
