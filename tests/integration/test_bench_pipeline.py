"""``esl bench pipeline`` on a small shop: a controller, a broker and gateways of its own."""

import json

import pytest
from typer.testing import CliRunner

from api.cli.app import app


@pytest.mark.parametrize("how", [(), ("--full",)])
def test_a_small_shop_is_measured(how: tuple[str, ...]) -> None:
    done = CliRunner().invoke(
        app, ["bench", "pipeline", "--labels", "40", "--gateways", "2", "--json", *how]
    )
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert figures["labels"] == 40
    assert figures["gateway"] == ("full" if how else "thin")
    for name in ("cold_labels_per_s", "labels_per_s", "cold_cpu_us", "cpu_us", "peak_rss_mb"):
        assert figures[name] > 0
    stages = figures["cpu_us_per_label"]
    assert sum(stages.values()) == pytest.approx(figures["cpu_us"], abs=2)
    assert stages["render"] > 0
    assert stages["inbox"] > 0
    if not how:
        assert 0 < figures["bytes_per_label"] <= figures["cold_bytes_per_label"]
        assert figures["restart_s"] > 0
