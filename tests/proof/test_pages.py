"""The figures of pages, on a small shop: every page answers, and its times are there."""

from pathlib import Path

from tests.browser.every_page import routes
from tests.proof.pages import SEARCHES, measure


def test_every_page_is_opened_and_timed(tmp_path: Path) -> None:
    figures = measure(labels=40, products=60, times=2, folder=tmp_path / "data")
    assert set(figures["pages"]) == set(routes()) | set(SEARCHES)
    for page in figures["pages"].values():
        assert 0 < page["p50_ms"] <= page["p95_ms"]
        assert page["kb"] > 1
    assert figures["slowest_p95_ms"] == max(one["p95_ms"] for one in figures["pages"].values())
