"""The board and the alerts in ``deploy/`` speak of metrics that a controller really has."""

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from esl.store.backup_state import note_backup
from tests.running_house import STORE_BODY, RunningHouse, running_house
from tests.services import require

DEPLOY = Path(__file__).parents[2] / "deploy"
ALERTS = DEPLOY / "prometheus" / "esl-alerts.yml"
BOARD = DEPLOY / "grafana" / "esl.json"
PAGE = DEPLOY.parent / "docs" / "operate.md"
_NAME = re.compile(r"\besl_[a-z_]+")


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, set[str]]]:
    """The metrics of a controller that delivers and was backed up: each with its labels."""
    with running_house(tmp_path_factory.mktemp("metrics") / "data", with_worker=True) as house:
        house.done("PUT", "/api/v1/stores/main", STORE_BODY)
        house.write(lambda tx: note_backup(tx, datetime.now(UTC)))
        house.write(
            lambda tx: tx.exec_driver_sql(
                "INSERT INTO audit_checkpoint VALUES (0, '', '2026-01-01T00:00:00+00:00', '', '')"
            )
        )
        house.write(_open_problem)
        yield _scrape(house)


def _open_problem(tx: Any) -> None:
    tx.exec_driver_sql(
        "INSERT INTO problem (kind, subject, reason, what_to_do, since)"
        " VALUES ('backup', 'x', 'y', 'z', '2026-01-01 00:00:00')"
    )


def _scrape(house: RunningHouse) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(house.ask("GET", "/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def _alerts() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def _expressions() -> list[str]:
    board = json.loads(BOARD.read_text("utf-8"))
    of_board = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return of_board + [rule["expr"] for rule in _alerts()]


def test_every_metric_that_board_and_alerts_name_is_there(metrics: dict[str, set[str]]) -> None:
    named = {name for expression in _expressions() for name in _NAME.findall(expression)}
    assert len(named) > 15
    assert named <= set(metrics), named - set(metrics)


def test_every_label_that_they_select_by_is_there(metrics: dict[str, set[str]]) -> None:
    selected = {
        (name, label)
        for expression in _expressions()
        for name, chosen in re.findall(r"\b(esl_[a-z_]+)\{([^}]*)\}", expression)
        for label in re.findall(r"([a-z]+)(?:=~|!=|=)", chosen)
    }
    assert selected
    assert {(name, label) for name, label in selected if label not in metrics[name]} == set()


def test_every_metric_is_on_the_page_that_explains_them(metrics: dict[str, set[str]]) -> None:
    page = PAGE.read_text("utf-8")
    ends = re.compile(r"_(?:bucket|sum|count)$")
    said = {name for name in metrics if not name.endswith("_created")}  # the library's own
    ours = {ends.sub("", name) for name in said}
    assert {name for name in ours if f"`{name}`" not in page} == set()
    for rule in _alerts():
        assert rule["alert"] in page


def test_each_alert_says_what_is_wrong_and_what_to_do() -> None:
    rules = _alerts()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "action"}


def test_the_board_is_one_that_grafana_reads() -> None:
    board = json.loads(BOARD.read_text("utf-8"))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    assert all(panel["datasource"]["uid"] == "${source}" for panel in board["panels"])


def test_prometheus_itself_takes_rules_and_configuration() -> None:
    promtool = require("prometheus")
    for command in (("rules", ALERTS), ("config", ALERTS.with_name("prometheus.yml"))):
        ran = subprocess.run(
            [promtool, "check", *command], capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
