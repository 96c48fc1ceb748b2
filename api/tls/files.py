"""The files of the authority and of what it signed: ``tls`` in the data folder, 0700, each 0600."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from api.private_files import write_private
from api.tls.authority import Certified, check_names, make_authority, names_of, sign_server
from esl.domain.errors import SetupError

FOLDER: Final = "tls"
SERVER: Final = "server"
BROKER: Final = "broker"
_AUTHORITY: Final = "ca"


def tls_folder(data_dir: Path) -> Path:
    """Name the folder."""
    return data_dir / FOLDER


def make_tls(data_dir: Path, names: Sequence[str], broker: Sequence[str], now: datetime) -> None:
    """Make the authority, and certificates for the server and the broker.

    Raises:
        SetupError: There is something already, which is never overwritten; or a name is none.
    """
    check_names(names)
    check_names(broker)
    folder = tls_folder(data_dir)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    there = sorted(path.name for path in folder.glob("*.[ck][re][ty]"))
    if there:
        raise SetupError(
            f"{folder} holds {', '.join(there)} already; new certificates of the same authority: "
            f"esl tls renew; another authority: move the folder away first"
        )
    authority = make_authority(f"authority of {names[0]}", now)
    _write(folder, _AUTHORITY, authority)
    _write(folder, SERVER, sign_server(authority, names, now))
    _write(folder, BROKER, sign_server(authority, broker, now))


def renew_tls(data_dir: Path, now: datetime) -> list[Path]:
    """Sign new keys for the names that the old certificates are for; return the certificates.

    Raises:
        SetupError: There is no authority, or it cannot be used.
    """
    folder = tls_folder(data_dir)
    authority = Certified(
        certificate=_read(folder / f"{_AUTHORITY}.crt"), key=_read(folder / f"{_AUTHORITY}.key")
    )
    signed = {
        kind: sign_server(authority, names_of(_read(folder / f"{kind}.crt")), now)
        for kind in (SERVER, BROKER)
    }
    for kind, certified in signed.items():
        _write(folder, kind, certified)
    return [folder / f"{kind}.crt" for kind in signed]


def _write(folder: Path, name: str, certified: Certified) -> None:
    write_private(folder / f"{name}.key", certified.key)
    write_private(folder / f"{name}.crt", certified.certificate)


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(f"{path} cannot be read; make it with: esl tls init") from exc
