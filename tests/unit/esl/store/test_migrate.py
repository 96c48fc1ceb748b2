import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from stat import S_IMODE

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from esl.domain.errors import SetupError
from esl.domain.ids import StoreId
from esl.domain.place import StorePolicy
from esl.store import migrate as migrate_module
from esl.store import tables
from esl.store.database import Database
from esl.store.labels import list_labels
from esl.store.migrate import differences, migrate
from esl.store.places import store_named, store_policies
from esl.store.upsert import insert_if_new
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
    open_database(tmp_path, "of-this-version.db").close()  # what all tests copy is made once
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


def tables_in(path: Path) -> set[object]:
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
    assert "novelty" not in tables_in(backup)
    assert query(backup, "SELECT sku FROM product") == [("sku-0",)]
    path = tmp_path / "esl.db"
    assert "novelty" in tables_in(path)
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
    before = tables_in(tmp_path / "esl.db")
    with pytest.raises(SetupError, match="nowhere"):
        migrate(database, NOON)
    assert tables_in(tmp_path / "esl.db") == before
    later_version.write_text(text)
    assert migrate(database, NOON) is not None, "mended, the upgrade goes through"
    database.close()


@contextmanager
def version_up_to(schema: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An earlier version of this software, that knows the schema up to this step."""
    scripts = tmp_path / f"scripts-{schema}"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    for step in (scripts / "versions").glob("0*.py"):
        if int(step.name[:4]) > schema:
            step.unlink()
    with monkeypatch.context() as earlier:
        earlier.setattr(migrate_module, "_SCRIPTS", scripts)
        yield


def test_a_store_of_the_first_schema_keeps_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "esl.db"
    database = Database(f"sqlite:///{path}")
    with version_up_to(1, tmp_path, monkeypatch):
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


OF_THE_SECOND_SCHEMA = """
INSERT INTO store (store_id, name, currency, locale, timezone)
 VALUES ('zagreb-1', 'Trgovina', 'EUR', 'hr_HR', 'Europe/Zagreb');
INSERT INTO gateway (gateway_id, store_id, session, counter) VALUES ('gw-1', 'zagreb-1', 'b', 7);
INSERT INTO label (label_id, store_id, gateway_id, panel_id, wanted_rev, settled_rev, battery_mv)
 VALUES ('label-0000', 'zagreb-1', 'gw-1', 'bwry-296x128', 4, 3, 2900);
INSERT INTO label (label_id, store_id, gateway_id, panel_id, wanted_rev, settled_rev, shown_rev)
 VALUES ('label-0001', 'zagreb-1', 'gw-1', 'bwry-296x128', 3, 3, 3);
INSERT INTO issued (label_id, rev, digest, gateway_id, template, issued_at)
 SELECT label_id, 3, 'three', 'gw-1', 'basic', acted_until FROM label CROSS JOIN installation;
INSERT INTO issued (label_id, rev, digest, gateway_id, issued_at)
 SELECT 'label-0000', 2, 'pruned', 'gw-1', acted_until FROM installation
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_rows_of_the_second_schema_come_along(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "esl.db"
    url = f"sqlite:///{path}"
    database = Database(url if kind == "sqlite" else request.getfixturevalue("fresh_postgres_url"))
    with version_up_to(2, tmp_path, monkeypatch):
        migrate(database, NOON)
    with database.writing.begin() as tx:
        for statement in OF_THE_SECOND_SCHEMA.split(";"):
            tx.execute(text(statement))
        tx.execute(
            text("INSERT INTO frame (digest, panel_id, zlib_pixels) VALUES ('three', 'p', :data)"),
            {"data": b"pixels"},
        )
    backup = migrate(database, NOON + timedelta(days=1))
    assert (backup is not None) is (kind == "sqlite")
    assert differences(database) == []
    with database.writing.begin() as tx:
        waiting, settled = tx.execute(select(tables.labels).order_by("label_id")).all()
        assert (waiting.wanted_at, settled.wanted_at) == (NOON, None), "policy time begins now"
        for label in (waiting, settled):
            assert (label.send_full, label.quarantine, label.refresh_failures) == (False, 0, 0)
            assert label.slots is None
        assert (waiting.battery_mv, settled.shown_rev) == (2900, 3)
        told = tx.execute(select(tables.issued).order_by("label_id", "rev")).all()
        assert [(row.label_id, row.rev, row.digest, row.template) for row in told] == [
            ("label-0000", 2, "pruned", ""),
            ("label-0000", 3, "three", "basic"),
            ("label-0001", 3, "three", "basic"),
        ]
        assert [(row.encoding, row.bytes) for row in told] == [("zlib", n) for n in (0, 6, 6)]
        assert {row.issued_at for row in told} == {NOON}
        frame = tx.execute(select(tables.frames)).one()
        assert (frame.zlib_pixels, frame.encoding, frame.base, frame.depth) == (
            b"pixels",
            "zlib",
            None,
            0,
        )
        gateway = tx.execute(select(tables.gateways)).one()
        assert (gateway.counter, gateway.lease_epoch, gateway.clock_trusted) == (7, 0, True)
        assert (gateway.payload_bytes, gateway.features) == (None, None)
        assert store_policies(tx) == {StoreId("zagreb-1"): StorePolicy()}
        repeated = {"label_id": "label-0000", "rev": 3, "digest": "x", "gateway_id": "gw-1"}
        insert_if_new(tx, tables.issued, [repeated | {"issued_at": NOON}])
        assert len(tx.execute(select(tables.issued)).all()) == 3, "a revision is issued once"
    database.close()


OF_THE_SIXTH_SCHEMA = """
INSERT INTO store (store_id, name, currency, locale, timezone)
 VALUES ('zagreb-1', 'Trgovina', 'EUR', 'hr_HR', 'Europe/Zagreb');
INSERT INTO gateway (gateway_id, store_id) VALUES ('gw-1', 'zagreb-1');
INSERT INTO label (label_id, store_id, gateway_id, panel_id, wanted_rev, sent_rev, settled_rev)
 VALUES ('refused', 'zagreb-1', 'gw-1', 'p', 4, 4, 4), ('failed', 'zagreb-1', 'gw-1', 'p', 5, 5, 5),
  ('late', 'zagreb-1', 'gw-1', 'p', 6, 6, 6), ('since', 'zagreb-1', 'gw-1', 'p', 9, 9, 9);
INSERT INTO issued (label_id, rev, digest, gateway_id, template, issued_at)
 SELECT label_id, sent_rev, 'd', 'gw-1',
  CASE WHEN label_id = 'failed' THEN 'basic' ELSE 'neutral' END,
  acted_until FROM label CROSS JOIN installation;
INSERT INTO failure_log (label_id, rev, code, detail, attempts, failed_at)
 SELECT label_id, CASE WHEN label_id = 'since' THEN 8 ELSE wanted_rev END,
  CASE WHEN label_id = 'failed' THEN 'refresh_failed' WHEN label_id = 'late' THEN 'timeout'
   ELSE 'missing_glyph' END, 'why', 1, acted_until FROM label CROSS JOIN installation
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_labels_whose_picture_was_refused_before_are_known_after_an_upgrade(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/esl.db"
    database = Database(url if kind == "sqlite" else request.getfixturevalue("fresh_postgres_url"))
    with version_up_to(6, tmp_path, monkeypatch):
        migrate(database, NOON)
    with database.writing.begin() as tx:
        for statement in OF_THE_SIXTH_SCHEMA.split(";"):
            tx.execute(text(statement))
    migrate(database, NOON)
    assert differences(database) == []
    with database.read() as tx:
        found = [
            (state.label_id, state.refusal, state.refusal_detail)
            for state in list_labels(tx, StoreId("zagreb-1"))
            if state.refusal is not None
        ]
    assert found == [("refused", "missing_glyph", "why")]
    database.close()


def test_of_a_problem_only_one_is_open(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    said = {
        "kind": "duplicate_id",
        "subject": "label-7",
        "reason": "two of them",
        "what_to_do": "x",
        "since": NOON,
    }
    with database.writing.begin() as tx:
        tx.execute(insert(tables.problems).values(**said, until=NOON))
        tx.execute(insert(tables.problems).values(**said))
    with pytest.raises(IntegrityError), database.writing.begin() as tx:
        tx.execute(insert(tables.problems).values(**said))
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


def test_the_scripts_files_tell_the_newest_revision() -> None:
    assert migrate_module._newest() == migrate_module._scripts().get_current_head()
