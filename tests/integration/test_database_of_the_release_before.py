"""A database that a release before made: brought up to date, read over HTTP, and put back.

The file in ``tests/golden`` was made by that release (`tests.old_database`), not by our migrations.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api.private_files import signing_key
from esl.store.database import Database
from esl.store.migrate import differences, newest_schema
from tests.running_house import RunningHouse, running_house

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("database_*.sql"))
LABELS = [f"gw-{gateway}-{n:04}" for gateway in range(4) for n in (1, 2)]
SKUS = ["0", "1", "2", "3", "4", "5", "0", "1"]
PRICES = {"0": "1.00", "1": "1.29", "2": "0.99", "3": "12.50", "4": "1.00", "5": "1.00"}
"""What `tests.old_database` tells the shop."""

CHANGE_AT_A_START = {"alembic_version", "installation"}
"""The revision of the schema, and until when the installation has acted."""


def _everything(path: Path) -> list[str]:
    """Return a database as SQL: every table, index and row."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return list(database.iterdump())


def _old(path: Path, golden: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(golden.read_text(encoding="utf-8"))
        database.execute("PRAGMA journal_mode = WAL")
    assert "\n".join([*_everything(path), ""]) == golden.read_text(encoding="utf-8")
    key = signing_key(path.parent)  # a key is no part of a database, and no file of ours
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE installation SET signing_key = ?", (key.key_id,))
    return _everything(path)


def _rows(path: Path, columns: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of tables, as far as these columns go."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return {
            table: database.execute(
                f"SELECT {', '.join(some)} FROM {table} ORDER BY 1, 2"  # noqa: S608
            ).fetchall()
            for table, some in columns.items()
        }


def _columns(path: Path) -> dict[str, list[str]]:
    """Name the columns of each table that holds rows."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: [row[1] for row in database.execute(f"PRAGMA table_info({name})")]
            for (name,) in names
            if name not in CHANGE_AT_A_START
            and database.execute(f"SELECT count(*) FROM {name}").fetchone() != (0,)  # noqa: S608
        }


def _read_over_http(house: RunningHouse) -> None:
    where = "/api/v1/stores/main"
    store = house.done("GET", where)
    assert (store["name"], store["currency"], store["timezone"]) == (
        "Vrsar",
        "EUR",
        "Europe/Zagreb",
    )
    products = house.done("GET", f"{where}/products")["products"]
    assert {one["sku"]: one["price"] for one in products} == PRICES
    assert {one["sku"]: one["name"] for one in products} == {sku: f"Kruh {sku}" for sku in PRICES}
    labels = house.done("GET", f"{where}/labels")["labels"]
    assert [one["label"] for one in labels] == LABELS
    assert [one["sku"] for one in labels] == SKUS
    assert [one["price"] for one in labels] == [PRICES[sku] for sku in SKUS]
    assert {one["phase"] for one in labels} == {"settled"}
    shown = [one["shown_digest"] for one in labels]
    assert shown[0] == shown[6] != shown[1] == shown[7]  # two labels each of the first products
    paired = house.done("GET", f"{where}/pairings")["rows"]
    assert [(one["label"], one["sku"]) for one in paired] == list(zip(LABELS, SKUS, strict=True))
    (token,) = [
        one for one in house.done("GET", "/api/v1/tokens")["tokens"] if one["name"] == "till"
    ]
    assert sorted(token["scopes"]) == ["price:read", "price:write"]
    audit = house.done("GET", "/api/v1/audit")["entries"]
    assert "tests invent prices" in str(audit)
    # And it goes on: the numbers of the new price follow those of the old ones.
    change = {"sku": "4", "price": "2.49"}
    house.done("POST", f"{where}/price-changes", change)
    changed = house.done("GET", f"{where}/products/4")
    assert changed["price"] == "2.49"
    assert changed["rev"] > max(one["rev"] for one in products)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_a_database_of_the_release_before_is_read_right_and_can_be_put_back(
    golden: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    (data / "keys").mkdir(parents=True, mode=0o700)
    path = data / "esl.db"
    held, schema = _old(path, golden), golden.stem.removeprefix("database_")
    columns = _columns(path)
    rows = _rows(path, columns)
    assert sum(map(len, rows.values())) > 80
    assert schema < newest_schema()

    with running_house(data) as house:
        assert house.read("SELECT version_num FROM alembic_version") == [(newest_schema(),)]
        assert _rows(path, columns) == rows  # no migration has lost or changed what stood there
        _read_over_http(house)
    database = Database(f"sqlite:///{path}")
    assert differences(database) == []
    database.close()

    (copy,) = data.glob("esl.db.before-upgrade-from-*")
    assert copy.name.endswith(schema)
    for suffix in ("-wal", "-shm"):
        (data / f"esl.db{suffix}").unlink(missing_ok=True)
    shutil.copyfile(copy, path)
    assert _everything(path) == held
