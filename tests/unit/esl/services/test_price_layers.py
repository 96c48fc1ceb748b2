"""What holds of prices with a begin and an end does not depend on when they came or were seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from esl.store.database import Database
from tests.builders import open_database
from tests.price_layers import Said, histories, prepare, replay


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path: Path = tmp_path_factory.mktemp("layers")
    opened = open_database(path)
    with opened.writing.begin() as tx:
        prepare(tx)
    yield opened
    opened.close()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(8))
def test_what_holds_is_what_all_words_say(
    shop: Database, history: tuple[list[Said], list[int]]
) -> None:
    said, looks = history
    with shop.writing.connect() as connection, connection.begin() as tx:
        replay(connection, said, looks)
        tx.rollback()
