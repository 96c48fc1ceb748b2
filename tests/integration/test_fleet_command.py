"""``esl fleet`` says what is wrong, and "Nothing is wrong." only where that is so."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.private_files import RuntimeFile, runtime_file
from tests.builders import PANEL
from tests.running_house import Command, RunningHouse

pytest_plugins = ["tests.shop_over_http"]

pytestmark = pytest.mark.timeout(120)

STORE = {
    "name": "Vrsar",
    "currency": "EUR",
    "locale": "hr_HR",
    "timezone": "Europe/Zagreb",
    "guards": {"on": False, "reason": "tests invent prices"},
}


@pytest.fixture(scope="module")
def data(shop: RunningHouse) -> Iterator[Path]:
    data_dir = shop.house.settings.data_dir
    with runtime_file(data_dir, RuntimeFile(url=shop.url, token=shop.operator, pid=1)):
        yield data_dir


def fleet(command: Command, data: Path, *arguments: str, columns: int = 80) -> str:
    ran = command("fleet", *arguments, "--data", data, COLUMNS=str(columns))
    assert (ran.status, ran.stderr) == (0, "")
    return ran.stdout


def test_a_store_without_gateways_and_labels_is_told_what_is_missing(
    shop: RunningHouse, data: Path, command: Command
) -> None:
    shop.done("PUT", "/api/v1/stores/fleet-empty", STORE)
    said = fleet(command, data, "fleet-empty")
    assert "has no labels yet" in said
    assert "No gateway is enrolled yet: PUT /api/v1/stores/fleet-empty/gateways/ID." in said
    assert "Nothing is wrong" not in said


def test_labels_that_cannot_be_reached_or_wait_are_never_called_nothing_wrong(
    shop: RunningHouse, data: Path, command: Command
) -> None:
    store = "/api/v1/stores/fleet-waits"
    shop.done("PUT", store, STORE)
    shop.ask("PUT", f"{store}/gateways/fw-1", json={})
    labels = [{"label": f"fw-{n}", "panel": PANEL, "gateway": "fw-1"} for n in (1, 2, 3)]
    shop.done("POST", f"{store}/labels", labels)
    shop.done("POST", f"{store}/products", [{"sku": "1", "name": "Kruh", "price": "1.29"}])
    shop.done("POST", f"{store}/pairings", {"label": "fw-1", "sku": "1"})
    for columns in (60, 80, 160):
        said = fleet(command, data, "fleet-waits", columns=columns)
        words = " ".join(said.split())
        assert "Nothing is wrong" not in words
        assert "Gateway fw-1 has not been heard yet." in words
        assert "unreachable: 1 of 3 labels, whose gateway is away" in words
        assert "unassociated: 2 of 3 labels, still to be paired" in words
        assert max(len(line) for line in said.splitlines()) <= columns
    found = json.loads(fleet(command, data, "fleet-waits", "--json"))
    assert found["nothing_is_wrong"] is False
    assert (found["states"]["unreachable"], found["states"]["unassociated"]) == (1, 2)
    assert [g["gateway"] for g in found["gateways"]] == ["fw-1"]
    assert len(found["doubts"]) == 3
    listed = json.loads(fleet(command, data, "fleet-waits", "--json", "--state", "unreachable"))
    assert [label["label"] for label in listed["labels"]] == ["fw-1"]
    for columns in (60, 160):
        said = fleet(command, data, "fleet-waits", "--state", "unreachable", columns=columns)
        assert "fw-1" in said
    assert "No label is silent." in fleet(command, data, "fleet-waits", "--state", "silent")
