"""``esl backup`` and ``esl restore`` as a person uses them, and the backups made without anyone."""

import contextlib
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from api.backup.archive import check_backup, open_backup
from api.backup.before_upgrade import KEPT as BEFORE_UPGRADES_KEPT
from api.backup.schedule import BackupKeeper, last_hour
from api.books import Books, open_books
from api.private_files import make_data_folder, signing_key
from api.secret_box import make_box_key
from api.signing import installation_key
from esl.domain.errors import SetupError
from esl.domain.ids import SourceId
from esl.domain.problem import ProblemKind
from esl.services.problems import find_changes
from esl.settings import Settings, read_settings
from esl.store import backup_state, places, sources
from esl.store.database import Database
from esl.store.migrate import COPIES_KEPT, migrate, newest_schema, schema_of, upgrade_to
from tests.builders import GATEWAY, NOON, build_shelf
from tests.running_house import Command
from tests.sftp_server import RSA, SftpServer

pytest_plugins = ["tests.shop_over_http"]

pytestmark = pytest.mark.timeout(120)

PASSPHRASE = "three sparrows on a wire"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A folder on which a controller was started, with a small shop."""
    found = read_settings(data_dir=tmp_path / "data")
    make_data_folder(found.data_dir)
    with open_books(found) as books:
        installation_key(found, books)
        make_box_key(found.data_dir)
        books.writer.write(lambda tx: build_shelf(tx, labels_count=2))
        books.writer.write(_with_a_secret)
    return found


def _with_a_secret(tx):  # type: ignore[no-untyped-def]
    tx.execute(
        text(
            "INSERT INTO source (source_id, name, kind, created_at, changed_at)"
            " VALUES ('pos', 'Pos', 'webhook', :now, :now)"
        ),
        {"now": "2026-11-20 12:00:00.000000"},
    )
    sources.add_secret(tx, SourceId("pos"), "webhook", b"sealed", NOON, old_until=NOON)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(f"{PASSPHRASE}\n")
    path.chmod(0o600)
    return path


def test_a_backup_is_written_checked_and_put_back(
    settings: Settings, secret: Path, command: Command, tmp_path: Path
) -> None:
    file, data = tmp_path / "esl.zip", settings.data_dir
    ran = command("backup", file, "--passphrase-file", secret, "--data", data)
    assert (ran.status, ran.stderr) == (0, ""), ran.stderr
    assert "with its keys; read back, and whole" in ran.stdout
    again = command("backup", "--data", data, "--passphrase-file", secret, file)
    assert (again.status, "there already" in again.stderr) == (1, True)
    assert command("backup", "verify", file).status == 0

    there = tmp_path / "there"
    other = tmp_path / "other"
    other.write_text("another passphrase\n")
    other.chmod(0o600)
    wrong = command("restore", file, "--passphrase-file", other, "--data", there)
    assert (wrong.status, "does not open the keys" in wrong.stderr) == (1, True)
    ran = command("restore", file, "--passphrase-file", secret, "--data", there)
    assert ran.status == 0, ran.stderr
    assert "lost" not in ran.stdout
    assert signing_key(there).key_id == signing_key(data).key_id
    ran = command("restore", file, "--passphrase-file", secret, "--data", there)
    assert (ran.status, "not empty" in ran.stderr) == (1, True)

    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    for words in (("backup", "verify", file), ("restore", file, "--without-keys")):
        broken = command(*words)
        assert (broken.status, "cut off" in broken.stderr) == (1, True)


def test_without_keys_what_is_lost_is_said_one_by_one(
    settings: Settings, command: Command, tmp_path: Path
) -> None:
    file, there = tmp_path / "esl.zip", tmp_path / "there"
    assert command("backup", file, "--without-keys", "--data", settings.data_dir).status == 0
    asked = command("restore", file, "--data", there, "--passphrase-file", tmp_path / "none")
    assert (asked.status, "passphrase file" in asked.stderr) == (1, True)
    ran = command("restore", file, "--without-keys", "--data", there)
    assert ran.status == 0, ran.stderr
    new = signing_key(there).key_id
    assert new != signing_key(settings.data_dir).key_id
    assert f"The keys are lost: {new} signs from now on" in ran.stdout
    assert "lost: secret of the source pos; give it a new one" in ran.stdout
    with open_books(read_settings(data_dir=there)) as books:
        assert installation_key(read_settings(data_dir=there), books).key_id == new
        with books.database.read() as tx:
            assert [one.gateway_id for one in places.list_gateways(tx)] == [GATEWAY]
            assert sources.active_secrets(tx, SourceId("pos"), NOON) == []


def test_keys_that_were_not_lost_stay(settings: Settings, command: Command, tmp_path: Path) -> None:
    file, there = tmp_path / "esl.zip", tmp_path / "there"
    assert command("backup", file, "--without-keys", "--data", settings.data_dir).status == 0
    none = command("restore", file, "--keep-keys", "--data", there)
    assert (none.status, "no signing key" in none.stderr) == (1, True)
    shutil.copytree(settings.data_dir / "keys", there / "keys", dirs_exist_ok=True)
    doubted = command("restore", file, "--without-keys", "--data", there)
    assert (doubted.status, "--keep-keys" in doubted.stderr) == (1, True)
    ran = command("restore", file, "--keep-keys", "--data", there)
    assert (ran.status, "lost" in ran.stdout) == (0, False), ran.stderr
    found = read_settings(data_dir=there)
    with open_books(found) as books:
        assert installation_key(found, books).key_id == signing_key(settings.data_dir).key_id


def test_what_cannot_be_backed_up_is_said(command: Command, tmp_path: Path) -> None:
    none = command("backup", tmp_path / "esl.zip", "--without-keys", "--data", tmp_path / "no")
    assert (none.status, "there is no database" in none.stderr) == (1, True)
    assert not (tmp_path / "no").exists()
    gone = command("backup", "verify", tmp_path / "esl.zip")
    assert (gone.status, "cannot be read" in gone.stderr) == (1, True)


# ── By itself ──────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def keeper(settings: Settings, **more: object) -> Iterator[tuple[BackupKeeper, Books]]:
    fields = settings.model_dump() | {"backup_folder": settings.data_dir.parent / "backups"} | more
    own = Settings(**fields)
    with open_books(own) as books:
        yield BackupKeeper(own, books), books


def problems(books: Books, now: datetime) -> list[str]:
    with books.database.read() as tx:
        changes = find_changes(tx, now, silent_after=timedelta(minutes=3))
    return [one.reason for one in changes.opened if one.kind is ProblemKind.BACKUP_FAILS]


def test_backups_are_made_once_a_day_copied_away_and_the_newest_kept(
    settings: Settings, secret: Path, tmp_path: Path
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    with keeper(
        settings,
        backup_passphrase_file=secret,
        backup_keep=2,
        backup_copy_command=f"cp -t {away}",
    ) as (backups, books):
        first = backups.step(NOON)
        assert first is not None
        assert check_backup(first).has_keys
        assert (away / first.name).read_bytes() == first.read_bytes()
        assert backups.step(NOON + timedelta(minutes=1)) is None
        stranger = first.with_name("mine.zip")
        stranger.touch()
        made = [backups.step(NOON + timedelta(days=n)) for n in (1, 2, 3)]
        assert None not in made
        assert sorted(first.parent.glob("*.zip")) == [*made[1:], stranger]
        assert len(list(away.iterdir())) == 4
        assert problems(books, NOON) == []


def test_a_backup_that_fails_is_a_problem_until_one_succeeds(
    settings: Settings, tmp_path: Path
) -> None:
    full = tmp_path / "backups"
    full.write_text("a file where the folder should be")
    with keeper(settings) as (backups, books):
        assert backups.step(NOON) is None
        [reason] = problems(books, NOON)
        assert "cannot be made" in reason
        full.unlink()
        assert backups.step(NOON + timedelta(minutes=59)) is None  # not tried every minute
        assert backups.step(NOON + timedelta(minutes=61)) is not None
        assert problems(books, NOON) == []
    with keeper(settings, backup_copy_command="false") as (backups, books):
        assert backups.step(NOON + timedelta(days=2)) is None
        assert "ended with status 1" in problems(books, NOON)[0]
        with books.database.read() as tx:
            assert backup_state.backed_up_at(tx) == NOON + timedelta(minutes=61)
    with keeper(settings, backup_copy_command="no-such-program") as (backups, books):
        assert backups.step(NOON + timedelta(days=3)) is None
        assert "not copied away" in problems(books, NOON)[0]


def test_each_backup_is_sent_to_the_pinned_server_alone(settings: Settings, tmp_path: Path) -> None:
    with SftpServer(tmp_path / "sshd") as server:
        key, known = tmp_path / "key", tmp_path / "known_hosts"
        key.touch(mode=0o600)
        key.write_text(server.private_key)
        known.write_text(f"[127.0.0.1]:{server.port} {server.host_key()}\n")
        where: dict[str, object] = {
            "backup_sftp": f"sftp://{server.login}@127.0.0.1:{server.port}{server.folder}",
            "backup_sftp_key_file": key,
            "backup_sftp_known_hosts": known,
            "backup_keep": 2,
        }
        (server.folder / "mine.zip").touch()
        with keeper(settings, **where) as (backups, books):
            made = [backups.step(NOON + timedelta(days=n)) for n in range(3)]
            assert problems(books, NOON) == []
        assert None not in made
        names = sorted(path.name for path in server.folder.iterdir())
        assert names == [*(path.name for path in made[1:] if path), "mine.zip"]
        last = made[-1]
        assert last is not None
        assert (server.folder / last.name).read_bytes() == last.read_bytes()

        known.write_text(f"[127.0.0.1]:{server.port} {server.host_key(RSA)}\n")
        server.kill()
        server.change_host_key(RSA)
        server.start()
        with keeper(settings, **where) as (backups, books):
            assert backups.step(NOON + timedelta(days=4)) is None
            assert "nothing was sent" in problems(books, NOON)[0]
        with keeper(settings, **where | {"backup_sftp": "sftp://host/"}) as (backups, books):
            assert backups.step(NOON + timedelta(days=5)) is None
            assert "must read sftp://" in problems(books, NOON)[0]
        with keeper(settings, **where | {"backup_sftp_key_file": None}) as (backups, books):
            assert backups.step(NOON + timedelta(days=6)) is None
            assert "backup_sftp_key_file" in problems(books, NOON)[0]
        assert len(list(server.folder.iterdir())) == 3


async def test_who_wants_no_backups_is_told_of_none(settings: Settings) -> None:
    with keeper(settings, backup_folder=None) as (backups, books):
        books.writer.write(lambda tx: backup_state.note_failure(tx, "the disk is full"))
        assert problems(books, NOON)
        await backups.run()
        assert (problems(books, NOON), backups.step(NOON)) == ([], None)


def test_the_hour_is_that_of_the_machine() -> None:
    zagreb = ZoneInfo("Europe/Zagreb")
    one = datetime(2026, 11, 20, 1, 59, tzinfo=zagreb)
    assert last_hour(one, 2) == datetime(2026, 11, 19, 2, tzinfo=zagreb)
    assert last_hour(one + timedelta(minutes=1), 2) == datetime(2026, 11, 20, 2, tzinfo=zagreb)


# ── Before an upgrade ──────────────────────────────────────────────────────────────────────


def _early(url: str) -> None:
    database = Database(url)
    now = "2026-11-20 12:00:00.000000" if database.is_sqlite else NOON
    with database.writing.begin() as tx:
        upgrade_to(tx, "0020")
        tx.execute(
            text("INSERT INTO installation (only_row, created_at, acted_until) VALUES (1, :n, :n)"),
            {"n": now},
        )
        tx.execute(text("INSERT INTO revision_counter VALUES (1, 7)"))
    database.close()


def test_postgresql_is_backed_up_before_it_is_upgraded(
    fresh_postgres_url: str, tmp_path: Path
) -> None:
    _early(fresh_postgres_url)
    settings = Settings(data_dir=tmp_path / "data", database_url=fresh_postgres_url)
    make_data_folder(settings.data_dir)
    folder = settings.data_dir / "backups"
    folder.write_text("in the way")
    with pytest.raises(SetupError, match="backup"), open_books(settings):
        pass
    database = Database(fresh_postgres_url)
    with database.read() as tx:
        assert schema_of(tx) == "0020"  # no backup, no upgrade
    database.close()
    folder.unlink()
    folder.mkdir()
    for day in range(5):
        (folder / f"before-upgrade-from-0001-2025010{day}-000000.zip").touch()
    with open_books(settings) as books, books.database.read() as tx:
        assert schema_of(tx) == newest_schema()
    left = sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime_ns)
    assert len(left) == BEFORE_UPGRADES_KEPT
    with open_backup(left[-1]) as opened:
        assert opened.manifest.schema == "0020"
    assert check_backup(left[-1]).rows == 2


def test_copies_of_sqlite_are_whole_and_few(tmp_path: Path) -> None:
    path = tmp_path / "esl.db"
    _early(f"sqlite:///{path}")
    for number in range(5):
        (tmp_path / f"esl.db.before-upgrade-from-001{number}").touch()
    database = Database(f"sqlite:///{path}")
    copy = migrate(database, NOON)
    database.close()
    assert copy is not None
    assert copy.stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.glob("*.before-upgrade-from-*"))) == COPIES_KEPT
    before = Database(f"sqlite:///{copy}")
    with before.read() as tx:
        assert schema_of(tx) == "0020"
    before.close()
