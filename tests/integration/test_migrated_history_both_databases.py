"""An upgrade keeps the price history of the version before, on both databases."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from esl.domain.entry import PastKind
from esl.domain.ids import Sku
from esl.store import migrate as migrate_module
from esl.store.database import Database
from esl.store.migrate import differences, migrate
from esl.store.past_prices import past_prices
from tests.builders import NOON, STORE

SCRIPTS = Path(migrate_module.__file__).parent / "migrations"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of either kind."""
    url = f"sqlite:///{tmp_path}/esl.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres_url")
    opened = Database(url)
    yield opened
    opened.close()


def test_days_become_regular_prices_of_the_past(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, old, ignore=shutil.ignore_patterns("__pycache__"))
    for script in (old / "versions").glob("[0-9]*_*.py"):
        if script.name > "0013":
            script.unlink()
    with monkeypatch.context() as patched:
        patched.setattr(migrate_module, "_SCRIPTS", old)
        migrate(database, NOON)
    with database.writing.begin() as tx:
        tx.execute(
            text(
                "INSERT INTO price_day (store_id, sku, day, price_minor, source, batch_id)"
                " VALUES (:store, 'sku-0', '2026-01-07', 119, 'old', 7)"
            ),
            {"store": STORE},
        )
    migrate(database, NOON)
    assert differences(database) == []
    with database.read() as tx:
        [past] = past_prices(tx, STORE, [Sku("sku-0")])[Sku("sku-0")]
    assert (past.dated.day.isoformat(), past.dated.price_minor) == ("2026-01-07", 119)
    assert (past.dated.kind, past.dated.until) == (PastKind.REGULAR, None)
    assert (past.source, past.batch_id) == ("old", 7)
