"""Mosquitto's access rules as files: passwords, rules, and a configuration that uses them.

    FOLDER/passwords        0640   hashes, see `api.broker_access.password_file`
    FOLDER/acl              0640   one block for each login, literal topics, no patterns
    FOLDER/mosquitto.conf   0640   made once and then left alone: it is yours to change

Two listeners: gateways and tills come by TLS and get their login's name as their client id; the
controller comes by loopback, where several of its processes may share a login. Without a
certificate there is no listener but that of loopback.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from api.broker_access.password_file import write_hashes
from api.broker_access.rights import Login, rights_of
from esl.domain.errors import SetupError

PASSWORDS = "passwords"
RULES = "acl"
CONFIG = "mosquitto.conf"
_MODE = 0o640  # the group is for the broker: chgrp mosquitto, and setgid on the folder
_HEAD = "# Written by esl from its books; what is changed here is overwritten.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """The broker's certificate, its key, and the authority that signed it."""

    ca: Path
    certificate: Path
    key: Path


def password_text(logins: Iterable[Login]) -> str:
    """Write the password file. A login without a password cannot come in and is left out."""
    return write_hashes({one.username: one.password_hash for one in logins if one.password_hash})


def acl_text(logins: Iterable[Login]) -> str:
    """Write the rules: what is not named here is denied to everybody."""
    blocks = [_HEAD]
    for one in sorted(logins, key=lambda login: (login.role, login.username)):
        rights = rights_of(one.role, one.username)
        blocks.append(
            "\n".join(
                [
                    f"# {one.role}",
                    f"user {one.username}",
                    *(f"topic write {topic}" for topic in rights.writes),
                    *(f"topic read {topic}" for topic in rights.reads),
                    "",
                ]
            )
        )
    return "\n".join(blocks)


def config_text(
    folder: Path,
    *,
    tls: TlsFiles | None,
    gateways_port: int = 8883,
    controller_port: int = 1883,
    host: str = "",
) -> str:
    """Write a configuration for mosquitto 2 that uses the two files.

    ``host`` is the address on which gateways are listened for; empty: all of the machine's.
    """
    lines = [
        "# Written once by: esl broker files. It is yours to change: docs/broker.md.",
        "per_listener_settings false",
        "allow_anonymous false",
        f"password_file {folder / PASSWORDS}",
        f"acl_file {folder / RULES}",
        "",
        "# The controller and its workers, on this machine.",
        f"listener {controller_port} 127.0.0.1",
        "",
    ]
    if tls is not None:
        lines += [
            "# Gateways and tills. The client id is the login: nobody can take another's.",
            f"listener {gateways_port}{f' {host}' if host else ''}",
            "use_username_as_clientid true",
            "tls_version tlsv1.2",
            f"cafile {tls.ca}",
            f"certfile {tls.certificate}",
            f"keyfile {tls.key}",
            "",
        ]
    lines += [
        "# What a till was told is kept must be kept: docs/mqtt-in.md, The broker.",
        "persistence true",
        "autosave_interval 5",
        "max_queued_messages 0",
        "max_queued_bytes 0",
        "message_size_limit 16777216",
        "max_keepalive 120",
        "set_tcp_nodelay true",
        "persistent_client_expiration 7d",
        "",
    ]
    return "\n".join(lines)


def write_files(folder: Path, files: dict[str, str]) -> bool:
    """Replace the files whose text is another, each whole or not at all; say whether any was.

    Raises:
        SetupError: One cannot be written, or a name holds what would be a line of its own.
    """
    changed = False
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        for name, text in files.items():
            changed |= _write(folder / name, text)
    except OSError as exc:
        raise SetupError(f"{exc.filename or folder} cannot be written: {exc.strerror}") from exc
    return changed


def _write(path: Path, text: str) -> bool:
    raw = text.encode()
    if path.is_file() and not path.is_symlink() and path.read_bytes() == raw:
        return False
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)  # a leftover would keep its mode, a planted link its target
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), _MODE)
    draft.replace(path)
    return True
