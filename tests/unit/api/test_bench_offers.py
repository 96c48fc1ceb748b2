"""``esl bench offers`` measures what it says: the naive road comes to the same prices."""

import json

from typer.testing import CliRunner

from api.cli.app import app


def test_one_line_of_json_with_a_naive_road_that_agrees() -> None:
    result = CliRunner().invoke(app, "bench offers --json --labels 1500".split())
    (line,) = result.stdout.splitlines()
    figures = json.loads(line)
    assert figures["labels"] == 1500
    assert figures["naive_agrees"] is True
    assert 300 < figures["labels_in_promotions"] < 1200
    assert 0 < figures["us_per_label_best"] <= figures["us_per_label"]
    assert figures["naive_ratio"] > 0


def test_the_table_names_every_figure() -> None:
    result = CliRunner().invoke(app, "bench offers --labels 200 --no-naive".split())
    assert "us per label" in result.stdout
    assert "naive" not in result.stdout
