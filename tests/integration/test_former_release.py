"""The shop of the release before: upgraded, asked over HTTP, and brought back row for row.

Its database was written by that release itself (`tests.former_release`), not by today's code.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, text

from api.backup.way_back import way_back
from api.private_files import RuntimeFile, make_data_folder, runtime_file, signing_key
from esl.domain.errors import SetupError
from esl.settings import Settings, read_settings
from esl.store.backup_rows import clear, read_rows, set_sequences, write_rows
from esl.store.backup_tables import LEFT_OUT
from esl.store.database import Database
from esl.store.migrate import newest_schema, schema_of, upgrade_to
from esl.store.restored import REVISIONS_JUMP
from esl.store.signing import note_signing_key
from tests.former_release import ANSWERS, former_database
from tests.running_house import Command, RunningHouse, running_house

pytest_plugins = ["tests.shop_over_http"]

pytestmark = pytest.mark.timeout(120)

MAIN = "/api/v1/stores/main"
Rows = dict[str, list[dict[str, Any]]]

SETTLED = {
    "gateway": {"session", "online", "counter", "leased_by", "leased_until"},
    "label": {
        *("epoch", "shown_rev", "shown_digest", "shown_session", "shown_seq", "slots"),
        *("refused_rev", "refused_code", "refused_detail", "wanted_rev", "wanted_at"),
        *("attempts", "lane", "due_at", "problem", "problem_detail"),
    },
    "command": {"due_at"},
    "hook_event": {"due_at"},
    "revision_counter": {"last_rev"},
    "till_price": {"rev", "granted_rev"},
    "till_setting": {"told_rev", "attempts", "next_at"},
}
"""What the way back changes on purpose, as a restore does: columns of tables."""


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A data folder with the former release's database, of either kind."""
    data = tmp_path / "data"
    make_data_folder(data)
    # The former release's keys are not kept with it: these are made anew.
    if request.param == "sqlite":
        former_database(data / "esl.db")
        settings = read_settings(data_dir=data)
    else:
        url = request.getfixturevalue("fresh_postgres_url")
        former_database(tmp_path / "former.db")
        _carry_over(tmp_path / "former.db", url)
        settings = read_settings(data_dir=data, database_url=url)
    database = Database(settings.database_address)
    with database.writing.begin() as tx:
        note_signing_key(tx, signing_key(data).key_id)
        assert schema_of(tx) != newest_schema(), "refresh it: docs/releasing.md"
    database.close()
    return settings


def _carry_over(former: Path, url: str) -> None:
    """Give PostgreSQL the same rows, in the tables of the same schema."""
    source, target = Database(f"sqlite:///{former}"), Database(url)
    with source.read() as old, target.writing.begin() as new:
        upgrade_to(new, str(schema_of(old)))
        found = MetaData()
        found.reflect(new)
        tables = [one for one in found.sorted_tables if one.name != "alembic_version"]
        clear(new, tables)
        there = MetaData()
        there.reflect(old)
        for table in tables:
            names = [column.name for column in there.tables[table.name].columns]
            with read_rows(old, there.tables[table.name]) as parts:
                for rows in parts:
                    write_rows(new, table, names, rows)
        set_sequences(new, tables)
        last = old.execute(text("SELECT last_rev FROM revision_counter")).scalar_one()
        new.execute(text("SELECT setval('esl_rev', :last)"), {"last": last})
    source.close()
    target.close()


@pytest.fixture
def rows_of(settings: Settings) -> Callable[[], Rows]:
    """Read every row, by table."""

    def read() -> Rows:
        database = Database(settings.database_address)
        found: Rows = {}
        with database.read() as tx:
            tables = MetaData()
            tables.reflect(tx)
            for table in tables.sorted_tables:
                names = [column.name for column in table.columns]
                with read_rows(tx, table) as parts:
                    rows = [row for some in parts for row in some]
                found[table.name] = sorted(
                    (dict(zip(names, row, strict=True)) for row in rows), key=repr
                )
        database.close()
        return found

    return read


def test_it_reads_right_after_the_upgrade(settings: Settings) -> None:
    expected = json.loads(ANSWERS.read_text())
    with running_house(settings.data_dir, database_url=settings.database_url) as house:
        for path, answer in expected.items():
            _holds(answer, house.done("GET", path), path)
    assert len(expected) > 15


_TURN_WITH_TIME = {"verdict"}
"""What is waited for is given up in time: no answer of today is that of then."""


def _holds(old: Any, new: Any, at: str) -> None:
    """Whatever the old answer says, the new one says too; it may say more."""
    match old:
        case dict():
            for name, value in old.items():
                assert name in new, f"{at}/{name} is gone"
                if name in _TURN_WITH_TIME:
                    continue
                _holds(value, new[name], f"{at}/{name}")
        case list():
            assert len(old) == len(new), at
            for number, (one, other) in enumerate(zip(old, new, strict=True)):
                _holds(one, other, f"{at}/{number}")
        case str():
            assert _instant(old) == _instant(new), at
        case _:
            assert old == new, at


def _instant(value: str) -> object:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return value
    return found.astimezone(UTC) if found.tzinfo is not None else value


def _go_on(house: RunningHouse) -> None:
    """What the shop does between the upgrade and the way back."""
    changes = [
        {"sku": "1001", "price": "2.09", "source": "pos", "source_seq": 1001},
        {"sku": "1002", "price": "1.22", "was": "1.59", "badge": "AKCIJA"},
        {"sku": "1005", "price": "5.55", "valid_from": "2099-05-05T05:00:00Z"},
    ]
    new = {"sku": "2001", "name": "Pogača", "price": "3.33", "net_content": "6 piece"}
    house.done("POST", f"{MAIN}/products", [new])
    house.done("POST", f"{MAIN}/price-changes", changes)
    house.done("POST", f"{MAIN}/labels", [{"label": "l-9", "panel": "bwry-296x128"}])


def test_the_way_back_gives_every_row_back_and_lists_what_was_accepted_since(
    settings: Settings, rows_of: Callable[[], Rows], command: Command, tmp_path: Path
) -> None:
    before = rows_of()
    with running_house(settings.data_dir, database_url=settings.database_url) as house:
        _go_on(house)
    upgraded = rows_of()
    listed = tmp_path / "since.json"
    where = ["--data", settings.data_dir]
    if settings.database_url:
        where += ["--database", settings.database_url]

    dry = command("restore", "--before-upgrade", "--dry-run", *where)
    assert dry.status == 0, dry.stderr
    assert "4 price changes, 1 new products" in dry.stdout
    assert "Nothing was changed" in dry.stdout
    assert rows_of() == upgraded

    ran = command("restore", "--before-upgrade", "--yes", "--list-since", listed, *where)
    assert ran.status == 0, ran.stderr
    assert f"schema {_schema(before)} again" in ran.stdout
    after = rows_of()
    assert _unsettled(after) == _unsettled(before)
    assert _last(after) > _last(upgraded) + REVISIONS_JUMP // 2
    wanting = [one for one in before["label"] if one["wanted_rev"]]
    told = {one["label_id"]: one for one in after["label"]}
    assert wanting
    for one in wanting:
        assert told[one["label_id"]]["wanted_rev"] > _last(upgraded)
        assert told[one["label_id"]]["epoch"] > one["epoch"]
    [noted] = [one for one in after["audit_entry"] if one["action"] == "way_back"]
    assert noted["actor"] == "operator"
    assert listed.stat().st_mode & 0o777 == 0o600

    again = command("restore", "--before-upgrade", "--yes", *where)
    assert (again.status, "was not upgraded since" in again.stderr) == (1, True)

    # The next start upgrades again, as the version before would go on: what was listed is taken.
    with running_house(settings.data_dir, database_url=settings.database_url) as house:
        running = RuntimeFile(url=house.url, token=house.operator, pid=0)
        with runtime_file(settings.data_dir, running):
            assert house.done("GET", f"{MAIN}/products/1002")["price"] == "1.59"
            sent = command("restore", "--send-again", listed, "--data", settings.data_dir)
            assert (sent.status, sent.stderr) == (0, "")
            assert "4 price-changes: 4 accepted" in sent.stdout
            prices = {
                sku: house.done("GET", f"{MAIN}/products/{sku}") for sku in (1001, 1002, 1005, 2001)
            }
            command("restore", "--send-again", listed, "--data", settings.data_dir)
            assert house.done("GET", f"{MAIN}/products/1001") == prices[1001]
    assert [one["price"] for one in prices.values()] == ["2.09", "1.22", "6.29", "3.33"]
    assert (prices[1002]["was"], prices[1002]["badge"]) == ("1.59", "AKCIJA")
    assert prices[1005]["planned"][0]["price"] == "5.55"
    assert prices[2001]["net_content"].startswith("6 ")


def _schema(rows: Rows) -> str:
    return str(rows["alembic_version"][0]["version_num"])


def _last(rows: Rows) -> int:
    return max(
        *(one["wanted_rev"] for one in rows["label"]), rows["revision_counter"][0]["last_rev"]
    )


def _unsettled(rows: Rows) -> Rows:
    """Leave out what the way back changes on purpose, and the entry of its own."""
    return {
        table: sorted(
            (
                {k: v for k, v in row.items() if k not in SETTLED.get(table, ())}
                for row in some
                if row.get("action") != "way_back"
            ),
            key=repr,
        )
        for table, some in rows.items()
        if table == "alembic_version" or table not in LEFT_OUT
    }


def test_a_killed_controller_s_log_neither_spoils_the_way_back_nor_is_it_lost(
    tmp_path: Path, command: Command
) -> None:
    data = tmp_path / "data"
    make_data_folder(data)
    former_database(data / "esl.db")
    with closing(sqlite3.connect(data / "esl.db")) as opened:
        opened.execute("UPDATE installation SET signing_key = NULL")
        opened.commit()
    with running_house(data) as house:
        _go_on(house)
        # As it lies there while it runs is how a kill leaves it: the last changes are in the log.
        left = tmp_path / "left"
        make_data_folder(left)
        for file in data.glob("esl.db*"):
            (left / file.name).write_bytes(file.read_bytes())
    assert (left / "esl.db-wal").stat().st_size > 0
    (left / "esl.db.lock").unlink(missing_ok=True)
    ran = command("restore", "--before-upgrade", "--yes", "--data", left)
    assert ran.status == 0, ran.stderr
    assert "4 price changes" in ran.stdout
    assert not list(left.glob("esl.db-*"))
    assert not list(left.glob("*.draft*"))
    with closing(sqlite3.connect(left / "esl.db")) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    [aside] = left.glob(f"esl.db.after-upgrade-{newest_schema()}-*")
    with closing(sqlite3.connect(aside)) as opened:
        query = "SELECT price_minor FROM price WHERE sku = '2001'"
        assert opened.execute(query).fetchall() == [(333,)]


def test_the_way_back_is_refused_in_words(tmp_path: Path, command: Command) -> None:
    data = tmp_path / "data"

    def refused(*words: str | Path) -> str:
        ran = command("restore", *words)
        assert ran.status == 1, ran.stdout
        return ran.stderr

    back = ("--before-upgrade", "--yes", "--data", data)
    assert "name it with --data" in refused(*back)
    make_data_folder(data)
    assert "there is no database" in refused(*back)
    former_database(data / "esl.db")
    assert "before an upgrade" in refused(*back)
    assert "there is no file" in refused(data / "none", *back)
    with running_house(tmp_path / "other") as house:
        assert "uses" in refused("--before-upgrade", "--data", house.house.settings.data_dir)
    assert "go with --before-upgrade" in refused("--yes")
    assert "name the backup" in refused()
    wrong = tmp_path / "list.json"
    wrong.write_text("{}")
    assert "is no list" in refused("--send-again", wrong, "--data", data)
    (data / "esl.db.before-upgrade-from-0030").write_bytes((data / "esl.db").read_bytes())
    assert "was not upgraded since" in refused(*back)
    (data / "esl.db.before-upgrade-from-0030").write_bytes(b"no database")
    assert "cannot" in refused(*back)


def test_whatever_cuts_the_way_back_off_leaves_the_upgraded_database(
    settings: Settings, rows_of: Callable[[], Rows]
) -> None:
    with running_house(settings.data_dir, database_url=settings.database_url) as house:
        _go_on(house)
    upgraded = rows_of()

    told: set[str] = set()

    def fail(table: str, _rows: int) -> None:
        """Fail while it is written: on PostgreSQL what comes first is read, to be put aside."""
        if settings.database_url is None or table in told:
            raise SetupError("the power went")
        told.add(table)

    with pytest.raises(SetupError, match="power"), way_back(settings) as back:
        back.go(datetime.now(UTC), fail)
    assert rows_of() == upgraded
