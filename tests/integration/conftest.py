"""What the tests of the HTTP doors share: one running application a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running_house import RunningHouse, running_house

STORE_BODY = {"name": "Vrsar", "currency": "EUR", "locale": "hr_HR", "timezone": "Europe/Zagreb"}


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
def data_dir(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "data"
