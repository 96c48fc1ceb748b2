"""A database with a store, and one transaction to work in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from esl.store.database import Database
from tests.builders import open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def tx(database: Database) -> Iterator[Connection]:
    """One writing transaction for the whole test; services never commit."""
    with database.writing.begin() as opened:
        yield opened
