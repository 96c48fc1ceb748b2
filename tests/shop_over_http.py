"""Fixtures of the tests that come through the front doors: one running application a module.

pytest_plugins = ["tests.shop_over_http"]
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli import app, commands
from tests.running_house import STORE_BODY, Command, Ran, RunningHouse, running_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A running application, empty."""
    with running_house(tmp_path_factory.mktemp("house") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def shop(house: RunningHouse) -> RunningHouse:
    """The same with a store ``main``: a gateway, two priced products, two labels, one paired."""
    house.done("PUT", "/api/v1/stores/main", STORE_BODY)
    house.done("PUT", "/api/v1/stores/main/gateways/gw-1", {})
    products = [
        {"sku": "1001", "name": "Kruh", "price": "1.29"},
        {"sku": "1002", "name": "Mlijeko", "price": "0.99"},
    ]
    house.done("POST", "/api/v1/stores/main/products", products)
    labels = [
        {"label": "l-1", "panel": "bwry-296x128", "gateway": "gw-1"},
        {"label": "l-2", "panel": "bwry-400x300"},
    ]
    house.done("POST", "/api/v1/stores/main/labels", labels)
    house.done("POST", "/api/v1/stores/main/pairings", {"label": "l-1", "sku": "1001"})
    return house


@pytest.fixture
def untouched(shop: RunningHouse) -> Iterator[RunningHouse]:
    """The shop; afterwards its database must hold what it held before, row by row."""
    before = shop.everything_stored()
    yield shop
    assert shop.everything_stored() == before


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Command:
    """Run ``esl`` in this process, in an empty folder: a process would take seconds to begin."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "configure_logs", lambda: None)  # it would outlive the test
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("ESL_DATA_DIR", "ESL_DATABASE_URL", "ESL_MQTT_URL", "ESL_HOST", "ESL_PORT"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path, **variables: str) -> Ran:
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        monkeypatch.setattr(sys, "argv", ["esl", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            app.main()
        return Ran(end.value.code, *capfd.readouterr())

    return run
