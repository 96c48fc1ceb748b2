"""The machine and its files: the data folder, the disk, the certificate, the open port."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from api.doctor.finding import Finding, failed, passed, skipped, warned
from api.tls.authority import ends_at
from api.tls.files import SERVER, tls_folder
from api.tls.keeper import WARN_BEFORE
from api.tls.server_side import check_pair
from esl.domain.errors import SetupError
from esl.settings import Settings, is_loopback

DISK_LEAST_MIB: Final = 64
DISK_ENOUGH_MIB: Final = 1024
_SECRET_FILES: Final = ("keys/*", "run/*", "tls/*.key", "esl.db*")


def look_at_machine(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at what needs no database and no broker."""
    if not settings.data_dir.is_dir():
        fix = "Make it with: esl init, or name the right one with --data."
        yield failed("data folder", f"{settings.data_dir} is not there", fix)
        return
    yield _folder(settings.data_dir)
    yield _disk(settings.data_dir)
    yield _port(settings)
    yield _certificate(settings, now)


def _folder(data_dir: Path) -> Finding:
    secrets = [file for pattern in _SECRET_FILES for file in data_dir.glob(pattern)]
    open_to_others = [path for path in (data_dir, *secrets) if path.stat().st_mode & 0o077]
    if open_to_others:
        names = ", ".join(str(path) for path in open_to_others[:3])
        fix = f"As its owner run: chmod -R go-rwx {data_dir}"
        return failed("data folder", f"others may read {names}", fix)
    return passed("data folder", "readable by its owner alone")


def _disk(data_dir: Path) -> Finding:
    free_mib = shutil.disk_usage(data_dir).free // 2**20
    words = f"{free_mib} MiB free"
    fix = "Make room, or move the data folder to a larger disk."
    if free_mib < DISK_LEAST_MIB:
        return failed("disk", words, fix)
    return passed("disk", words) if free_mib >= DISK_ENOUGH_MIB else warned("disk", words, fix)


def _port(settings: Settings) -> Finding:
    if settings.tls:
        return passed("http", "TLS 1.2 or newer")
    if is_loopback(settings.host):
        return passed("http", "plain, and reached from this machine alone")
    return warned(
        "http",
        f"plain on {settings.host}: tokens and passwords travel readable",
        "Use: esl tls init, then esl serve --tls; or bind to 127.0.0.1 behind a TLS proxy.",
    )


def _certificate(settings: Settings, now: datetime) -> Finding:
    path = settings.tls_certificate_file or tls_folder(settings.data_dir) / f"{SERVER}.crt"
    if not path.is_file():
        if settings.tls:
            return failed("certificate", f"{path} is missing", "Make one with: esl tls init.")
        return skipped("certificate", "there is none, and none is used")
    fix = "Renew it: esl tls renew, or where it comes from."
    try:
        ends = ends_at(path.read_text("ascii"))
    except (SetupError, OSError, UnicodeDecodeError):
        return failed("certificate", f"{path} is no certificate in PEM", fix)
    if ends <= now:
        return of_certificate("certificate", ends, now, fix)
    key = settings.tls_key_file or path.with_suffix(".key")
    try:
        check_pair(path, key, now)
    except SetupError as exc:
        return failed("certificate", str(exc), fix)
    return of_certificate("certificate", ends, now, fix)


def of_certificate(name: str, ends: datetime, now: datetime, fix: str) -> Finding:
    """Judge a certificate by the time that is left of it."""
    if ends <= now:
        return failed(name, f"it ended on {ends:%Y-%m-%d}", fix)
    words = f"it holds until {ends:%Y-%m-%d}"
    return passed(name, words) if ends - now > WARN_BEFORE else warned(name, words, fix)
