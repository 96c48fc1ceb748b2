"""Files only the owner may read: the data folder, its lock, the signing key, the runtime file.

esl-data/                      0700, also if it was made by somebody else and is wider
  esl.db, esl.db-wal           0600
  controller.lock              held while a controller or a command uses the folder
  worker-NAME.lock             held while a worker of that name runs on it
  keys/signing.pem             0600, the Ed25519 key; never in the database
  run/controller.json          0600, address and token for commands, while running
  run/broker.{json,toml}       0600, port, login and settings of the embedded broker
"""

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from esl.domain.errors import SetupError
from gateway.wire.errors import WireError
from gateway.wire.signing import SigningKey

LOCK_NAME = "controller.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeFile:
    """What a command needs to speak with the controller that runs on this folder."""

    url: str
    token: str
    pid: int
    key_id: str = ""  # of the key it signs with
    certificate: str = ""  # in PEM, that it shows, where it speaks TLS


def make_data_folder(data_dir: Path) -> None:
    """Make the data folder and its parts, readable by nobody else; narrow what is wider.

    Raises:
        SetupError: It cannot be made, written or narrowed, or everybody shares it, such as /tmp.
    """
    if data_dir.is_dir() and data_dir.stat().st_mode & stat.S_ISVTX:
        raise SetupError(f"everybody may write into {data_dir}; name a folder in it instead")
    try:
        for folder in (data_dir, data_dir / "keys", data_dir / "run"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as exc:
        raise SetupError(f"the data folder {data_dir} cannot be made: {exc.strerror}") from exc
    try:
        for folder in (data_dir, data_dir / "keys", data_dir / "run"):
            _narrow(folder, 0o700)
        for file in data_dir.glob("esl.db*"):
            _narrow(file, 0o600)
    except OSError as exc:
        raise SetupError(
            f"others may read {exc.filename}, and it cannot be changed ({exc.strerror}); "
            f"as its owner run: chmod -R go-rwx {data_dir}"
        ) from exc


def _narrow(path: Path, mode: int) -> None:
    """Take every right of others away, where there is one; links are left alone."""
    if not path.is_symlink() and path.stat().st_mode & 0o077:
        path.chmod(mode)


@contextlib.contextmanager
def hold_data_folder(data_dir: Path, name: str = LOCK_NAME) -> Iterator[None]:
    """Hold a lock of the folder while the block runs; the kernel frees it however we die.

    Raises:
        SetupError: Another process holds it, or it cannot be opened.
    """
    lock = data_dir / name
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise SetupError(f"{lock} cannot be opened: {exc.strerror}") from exc
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            what = "worker of this name" if name.startswith("worker-") else "controller or command"
            raise SetupError(f"another {what} uses {data_dir}") from None
        yield
    finally:
        os.close(descriptor)


def signing_key(data_dir: Path, *, may_make: bool = True) -> SigningKey:
    """Return the installation's signing key, made at the first start.

    Raises:
        SetupError: The key file is damaged, or others may read it, or it would have to be made
            where another is in use already.
    """
    path = data_dir / "keys" / "signing.pem"
    if not path.exists():
        if not may_make:
            raise SetupError(
                f"{path} is missing, and gateways obey the installation's key alone: copy the "
                f"folder {path.parent} from the controller that was first"
            )
        write_private(path, SigningKey.generate().to_pem().decode())
    if path.stat().st_mode & 0o077:
        raise SetupError(f"others may read {path}; run: chmod 600 {path}")
    try:
        return SigningKey.from_pem(path.read_bytes())
    except (WireError, OSError) as exc:
        raise SetupError(f"{path} is not a usable signing key: {exc}") from exc


@contextlib.contextmanager
def runtime_file(data_dir: Path, content: RuntimeFile) -> Iterator[None]:
    """Keep the runtime file there while the block runs."""
    path = _write_runtime_file(data_dir, content)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def note_certificate(data_dir: Path, certificate: str) -> None:
    """Let commands on this machine trust another certificate (PEM) from now on.

    Raises:
        SetupError: The runtime file cannot be written.
    """
    running = read_runtime_file(data_dir)
    if running is not None:
        _write_runtime_file(data_dir, replace(running, certificate=certificate))


def _write_runtime_file(data_dir: Path, content: RuntimeFile) -> Path:
    path = data_dir / "run" / "controller.json"
    fields = {
        "url": content.url,
        "token": content.token,
        "pid": content.pid,
        "key_id": content.key_id,
        "certificate": content.certificate,
    }
    write_private(path, json.dumps(fields))
    return path


def read_runtime_file(data_dir: Path) -> RuntimeFile | None:
    """Return how to reach the controller that runs on this folder; None if none seems to."""
    try:
        fields = json.loads((data_dir / "run" / "controller.json").read_text())
        return RuntimeFile(
            url=str(fields["url"]),
            token=str(fields["token"]),
            pid=int(fields["pid"]),
            key_id=str(fields.get("key_id", "")),
            certificate=str(fields.get("certificate", "")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_private(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all.

    Raises:
        SetupError: It cannot be written.
    """
    draft = path.with_name(f"{path.name}.draft")
    try:
        draft.unlink(missing_ok=True)  # a leftover would keep its mode, a planted link its target
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as exc:
        raise SetupError(f"{path} cannot be written: {exc.strerror}") from exc
