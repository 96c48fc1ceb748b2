import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from stat import S_IMODE

import pytest

from esl.domain.errors import SetupError
from esl.domain.ids import StoreId
from esl.store import migrate as migrate_module
from esl.store.database import Database
from esl.store.migrate import differences, migrate
from esl.store.places import store_named
from tests.builders import NOON, build_shelf, open_database

SCRIPTS = Path(migrate_module.__file__).parent / "migrations"

STEP = '''"""A step that a later version might bring."""

from alembic import op
import sqlalchemy as sa

revision, down_revision, branch_labels, depends_on = "later", "{after}", None, None


def upgrade() -> None:
    op.create_table("novelty", sa.Column("word", sa.Text()))
    {rest}


def downgrade() -> None:
    op.drop_table("novelty")
'''


@pytest.fixture
def later_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The scripts of a version with one step more; returns that step's file."""
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    head = migrate_module._scripts().get_current_head()
    step = scripts / "versions" / "9999_novelty.py"
    step.write_text(STEP.format(after=head, rest="pass"))
    monkeypatch.setattr(migrate_module, "_SCRIPTS", scripts)
    return step


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def tables(path: Path) -> set[object]:
    return {name for (name,) in query(path, "SELECT name FROM sqlite_schema")}


def test_a_backup_is_made_before_an_upgrade(tmp_path: Path, later_version: Path) -> None:
    assert later_version.exists()
    database = open_database(tmp_path)
    with database.writing.begin() as tx:
        build_shelf(tx)
    backup = migrate(database, NOON + timedelta(days=1))
    assert backup is not None
    assert backup.parent == tmp_path
    assert S_IMODE(backup.stat().st_mode) == 0o600
    assert query(backup, "PRAGMA integrity_check") == [("ok",)]
    assert "novelty" not in tables(backup)
    assert query(backup, "SELECT sku FROM product") == [("sku-0",)]
    path = tmp_path / "esl.db"
    assert "novelty" in tables(path)
    assert query(path, "SELECT sku FROM product") == [("sku-0",)]
    assert query(path, "SELECT count(*) FROM installation") == [(1,)], "it is no new installation"
    assert migrate(database, NOON) is None
    database.close()


def test_a_new_database_needs_no_backup(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new.db")
    assert migrate(database, NOON) is None
    assert differences(database) == []
    database.close()


def test_a_step_that_fails_leaves_the_database_as_it_was(
    tmp_path: Path, later_version: Path
) -> None:
    text = later_version.read_text()
    later_version.write_text(text.replace("pass", "op.execute('SELECT * FROM nowhere')"))
    database = open_database(tmp_path)
    before = tables(tmp_path / "esl.db")
    with pytest.raises(SetupError, match="nowhere"):
        migrate(database, NOON)
    assert tables(tmp_path / "esl.db") == before
    later_version.write_text(text)
    assert migrate(database, NOON) is not None, "mended, the upgrade goes through"
    database.close()


def test_a_store_of_the_first_schema_keeps_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__", "000[2-9]*"))
    path = tmp_path / "esl.db"
    database = Database(f"sqlite:///{path}")
    with monkeypatch.context() as earlier:
        earlier.setattr(migrate_module, "_SCRIPTS", scripts)
        migrate(database, NOON)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO store (store_id, name, currency, locale, timezone, link_base)"
            " VALUES ('s1', 'Vrsar', 'EUR', 'hr_HR', 'Europe/Zagreb', 'https://shop.example')"
        )
        connection.commit()
    assert migrate(database, NOON) is not None, "with a backup"
    assert differences(database) == []
    with database.read() as tx:
        store = store_named(tx, StoreId("s1"))
    assert (store.link_base, store.shop_link) == ("https://shop.example", None)
    database.close()


def test_what_differs_from_the_code_is_found(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with closing(sqlite3.connect(tmp_path / "esl.db")) as connection:
        connection.execute("ALTER TABLE store DROP COLUMN link_base")
    assert "link_base" in str(differences(database))
    database.close()


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "esl.db").write_bytes(b"a shopping list, not a database" * 100)
    database = Database(f"sqlite:///{tmp_path}/esl.db")
    with pytest.raises(SetupError, match="not a database"):
        migrate(database, NOON)
    database.close()


def test_a_folder_that_does_not_exist_is_said_in_words(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/nowhere/esl.db")
    with pytest.raises(SetupError, match="cannot be opened"):
        migrate(database, NOON)
    database.close()
