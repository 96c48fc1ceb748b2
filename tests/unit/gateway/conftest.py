"""A clock to turn, a database, and a controller with a gateway on its line."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from esl.store.database import Database
from tests.builders import (
    GATEWAY,
    Controller,
    FakeGateway,
    SimulatedClock,
    build_shelf,
    open_database,
)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def open_shop(database: Database, clock: SimulatedClock) -> Iterator[Callable[..., Controller]]:
    """Build a shelf and open a controller over it; keywords of both are passed on."""
    opened: list[Controller] = []

    def build(*, window: int = 256, renderer: Any = None, **shelf: Any) -> Controller:
        with database.writing.begin() as tx:
            build_shelf(tx, **shelf)
        opened.append(Controller(database, clock, window=window, renderer=renderer))
        return opened[-1]

    yield build
    for controller in opened:
        controller.close()


@pytest.fixture
def gateway(clock: SimulatedClock) -> FakeGateway:
    return FakeGateway(GATEWAY, clock)


@pytest.fixture
def shop(open_shop: Callable[..., Controller], gateway: FakeGateway) -> Controller:
    """One label that wants its first price, below a gateway that has said hello."""
    controller = open_shop()
    controller.hear(gateway.hello())
    return controller
