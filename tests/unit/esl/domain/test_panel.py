"""Panels know their sizes, and are found by name."""

from dataclasses import replace

import pytest

from esl.domain.errors import UnknownPanel
from esl.domain.ids import PanelId
from esl.domain.panel import INK_SETS, Encoding, Ink, Panel, Panels, RowPadding
from tests.panels import PANELS

PANEL = PANELS.named("bwry-296x128")


def test_a_panel_is_found_by_its_name() -> None:
    for panel_id, panel in PANELS.items():
        assert PANELS.named(panel_id) is panel


def test_an_unknown_name_gets_those_spelt_like_it() -> None:
    with pytest.raises(UnknownPanel, match=r"'bwry-296x182'; near it: .*bwry-296x128"):
        PANELS.named("bwry-296x182")
    with pytest.raises(UnknownPanel, match=r"'q{64}'; all of them: esl panels$"):
        PANELS.named("q" * 100_000)


def test_models_come_smallest_first() -> None:
    areas = [panel.width_mm * panel.height_mm for panel in PANELS.values()]
    assert areas[0] == min(areas)
    assert areas[-1] == max(areas)
    assert list(Panels(reversed([*PANELS.values()]))) == list(PANELS)


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two panel models are called bwry-296x128"):
        Panels([PANEL, replace(PANEL, name="another")])


def test_millimetres_are_the_makers_or_else_follow_from_dpi() -> None:
    assert (PANEL.width_mm, PANEL.height_mm) == (66.9, 29.06)
    derived = replace(PANEL, active_mm=None)
    assert derived.width_mm == pytest.approx(67.1, abs=0.05)
    assert derived.height_mm == pytest.approx(29.0, abs=0.05)


@pytest.mark.parametrize("letters", INK_SETS)
def test_a_panel_names_its_inks_and_those_it_lacks(letters: str) -> None:
    panel = replace(PANEL, inks=INK_SETS[letters])
    assert panel.ink_set == letters
    assert {*panel.inks, *panel.lacks} == set(Ink)
    assert not set(panel.inks) & set(panel.lacks)


@pytest.mark.parametrize(
    ("encoding", "codes", "row_padding", "size"),
    [
        (Encoding.PACKED, (0, 1, 2, 3), RowPadding.BYTE, 3 * 3),
        (Encoding.PACKED, (0, 1, 2, 3), RowPadding.NONE, 7),
        (Encoding.PLANES, (1, 0, 3, 2), RowPadding.BYTE, 2 * 2 * 3),
        (Encoding.PLANES, (1, 0, 3, 2), RowPadding.NONE, 2 * 4),
        (Encoding.PLANES, (0, 1), RowPadding.BYTE, 2 * 3),
    ],
)
def test_a_frame_takes_whole_bytes_for_rows_or_for_all(
    encoding: Encoding, codes: tuple[int, ...], row_padding: RowPadding, size: int
) -> None:
    panel = Panel(
        panel_id=PanelId("tiny"),
        name="tiny",
        width_px=9,
        height_px=3,
        dpi=100,
        refresh_s=1.0,
        encoding=encoding,
        codes=codes,
        row_padding=row_padding,
    )
    assert panel.frame_bytes == size
