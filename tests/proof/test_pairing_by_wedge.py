"""Pairing by a scanner that types, in the small: a short outage, two killed tabs."""

from pathlib import Path

from tests.proof.pairing_by_wedge import holds, prove
from tests.services import require


async def test_nothing_is_lost_or_doubled_and_no_pairing_is_slow(tmp_path: Path) -> None:
    require("chromium")
    figures = await prove(12, 3.0, tmp_path / "data")
    assert holds(figures), figures
    assert figures["scanned_in_the_outage"] == 4
    assert figures["outage_seconds"] >= 3
    assert figures["confirmed_by_the_glass"] == 12


def test_figures_that_do_not_hold_are_told_apart() -> None:
    good = {
        "lost": [],
        "wrong": [],
        "doubled": [],
        "over_4_s": 0,
        "confirmed_by_the_glass": 3,
        "pairings": 3,
    }
    assert holds(good)
    for bad in ({"lost": ["a"]}, {"wrong": ["a"]}, {"doubled": ["a"]}, {"over_4_s": 1}):
        assert not holds(good | bad)
    assert not holds(good | {"confirmed_by_the_glass": 2})
