"""The backup file itself: damage anywhere is found and named, and keys open for the passphrase."""

import os
import zipfile
from pathlib import Path
from random import Random

import pytest

from api.backup.archive import check_backup, open_backup, write_backup
from api.backup.manifest import BackupDamaged, read_manifest, write_manifest
from api.backup.sealed_keys import (
    check_passphrase,
    open_keys,
    read_keys,
    read_passphrase,
    seal_keys,
    write_keys,
)
from esl.domain.errors import SetupError
from esl.store.database import Database
from tests.builders import NOON, build_shelf

PASSPHRASE = "three sparrows on a wire"
KEYS = {"signing.pem": b"one", "secrets.key": b"two"}


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return seal_keys(KEYS, PASSPHRASE)


@pytest.fixture
def backup(migrated_file: Path, tmp_path: Path, sealed: bytes) -> Path:
    own = tmp_path / "esl.db"
    own.write_bytes(migrated_file.read_bytes())
    database = Database(f"sqlite:///{own}")
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=20)
    write_backup(database, tmp_path / "esl.zip", NOON, sealed_keys=sealed)
    database.close()
    return tmp_path / "esl.zip"


def content(path: Path) -> list[object]:
    with open_backup(path) as opened:
        return [
            list(opened.rows(part)) if part.table else opened.whole(part)
            for part in opened.manifest.parts
        ]


def test_a_whole_backup_is_read_to_its_end(backup: Path) -> None:
    manifest = check_backup(backup)
    assert manifest.has_keys
    assert manifest.rows > 40
    assert not list(backup.parent.glob("*.draft"))


def test_every_damage_is_found_or_harmless(backup: Path) -> None:
    """Bits flipped anywhere: what is not found has changed nothing that is read."""
    whole, before = backup.read_bytes(), content(backup)
    random, found = Random(7), 0
    for _ in range(150):
        place = random.randrange(len(whole))
        backup.write_bytes(
            whole[:place] + bytes([whole[place] ^ (1 << random.randrange(8))]) + whole[place + 1 :]
        )
        try:
            check_backup(backup)
        except BackupDamaged:
            found += 1
        else:
            assert content(backup) == before
    assert found > 75


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_what_was_cut_off_is_no_backup(backup: Path, share: float) -> None:
    whole = backup.read_bytes()
    backup.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BackupDamaged):
        check_backup(backup)


def test_a_part_that_was_exchanged_or_taken_out_is_named(backup: Path) -> None:
    part = "tables/label.msgpack"
    with zipfile.ZipFile(backup) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for other in (parts[part] + b"\x00", parts["tables/product.msgpack"], b"", None):
        with zipfile.ZipFile(backup, "w") as archive:
            for name, data in parts.items():
                if name != part or other is not None:
                    archive.writestr(name, data if name != part or other is None else other)
        with pytest.raises(BackupDamaged, match=r"label\.msgpack|breaks off"):
            check_backup(backup)


def test_a_manifest_that_was_changed_or_is_of_tomorrow_is_refused(backup: Path) -> None:
    with open_backup(backup) as opened:
        manifest = opened.manifest
    text = write_manifest(manifest)
    assert read_manifest(text) == manifest
    with pytest.raises(BackupDamaged, match="not as it was"):
        read_manifest(text.replace(b'"rows":20', b'"rows":19'))
    tomorrow = type(manifest)(**{f: getattr(manifest, f) for f in manifest.__struct_fields__})
    later = write_manifest(tomorrow).replace(b'"format":1', b'"format":2')
    with pytest.raises(BackupDamaged, match="not as it was"):
        read_manifest(later)
    fields = {f: getattr(manifest, f) for f in manifest.__struct_fields__} | {"format": 2}
    with pytest.raises(BackupDamaged, match="format 2"):
        read_manifest(write_manifest(type(manifest)(**fields)))


def test_a_file_that_is_there_is_never_written_over(backup: Path, migrated_file: Path) -> None:
    database = Database(f"sqlite:///{migrated_file}")
    with pytest.raises(SetupError, match="there already"):
        write_backup(database, backup, NOON, sealed_keys=None)
    with pytest.raises(SetupError, match="cannot be written"):
        write_backup(database, backup.parent / "no" / "esl.zip", NOON, sealed_keys=None)
    database.close()


@pytest.mark.asvs("11.3.3")
def test_keys_open_with_their_passphrase_alone(sealed: bytes, tmp_path: Path) -> None:
    assert open_keys(sealed, PASSPHRASE) == KEYS
    with pytest.raises(SetupError, match="does not open"):
        open_keys(sealed, PASSPHRASE + "s")
    assert PASSPHRASE.encode() not in sealed
    assert b"signing" not in sealed
    line, rest = sealed.split(b"\n", 1)
    with pytest.raises(BackupDamaged, match="cannot be read"):
        open_keys(line.replace(b"65536", b"1099511627776") + b"\n" + rest, PASSPHRASE)
    write_keys(tmp_path / "data", KEYS)
    assert read_keys(tmp_path / "data") == KEYS
    for path in (tmp_path / "data" / "keys").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SetupError, match="another key"):
        write_keys(tmp_path / "data", {"signing.pem": b"three"})


def test_a_passphrase_comes_from_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_text(f"{PASSPHRASE}\n")
    path.chmod(0o644)
    with pytest.raises(SetupError, match="others may read"):
        read_passphrase(path)
    path.chmod(0o600)
    assert read_passphrase(path) == PASSPHRASE
    with pytest.raises(SetupError, match="12 are needed"):
        check_passphrase("short")
    with pytest.raises(SetupError, match="cannot be read"):
        read_passphrase(tmp_path / "none")
    os.truncate(path, 0)
    with pytest.raises(SetupError, match="0 characters"):
        read_passphrase(path)
