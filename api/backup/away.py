"""A copy of each backup on another machine, over SFTP: whole under its name, or not at all.

    sftp://user@host:22/folder      a key file of ours, and the server's key pinned in another

Nothing else of whoever runs the controller is used: not their keys, agent, settings or known hosts.
"""

import asyncio
import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import asyncssh

from esl.domain.errors import SetupError

COPY_LONGEST_S: Final = 3600.0
NAMES: Final = re.compile(r"esl-\d{8}-\d{6}\.zip")

_CONNECT_S = 25.0
_KEEPALIVE_S = 15
_SSH_PORT = 22


def send_away(url: str, path: Path, *, key: Path, known_hosts: Path, keep: int) -> None:
    """Copy a backup into a folder of an SFTP server, and keep the newest there.

    Raises:
        SetupError: The address is none, the server is another than the pinned one, or it did not
            take the file; says which.
    """
    parts = urlsplit(url)
    try:
        host, port, user = parts.hostname, parts.port or _SSH_PORT, parts.username
    except ValueError as exc:
        raise SetupError(f"backup_sftp: {exc}") from exc
    folder = unquote(parts.path)
    if parts.scheme != "sftp" or not host or not user or folder in ("", "/") or parts.password:
        raise SetupError("backup_sftp: it must read sftp://user@host:22/folder, no password in it")
    for file in (key, known_hosts):
        if not file.is_file():
            raise SetupError(f"the copy to {host} needs {file}, which is not there")
    try:
        asyncio.run(
            _send(
                host, port, unquote(user), folder, path, key=key, known_hosts=known_hosts, keep=keep
            )
        )
    except TimeoutError as exc:
        raise SetupError(f"copying it to {host} took too long") from exc
    except asyncssh.HostKeyNotVerifiable as exc:
        raise SetupError(
            f"the key of {host} is not the one in {known_hosts}; nothing was sent"
        ) from exc
    except (asyncssh.Error, OSError, ValueError) as exc:
        raise SetupError(f"it could not be copied to {host}: {str(exc)[:150]}") from exc


async def _send(
    host: str,
    port: int,
    user: str,
    folder: str,
    path: Path,
    *,
    key: Path,
    known_hosts: Path,
    keep: int,
) -> None:
    root = folder.rstrip("/")
    size = await asyncio.to_thread(os.path.getsize, path)
    part, target = f"{root}/.{path.name}.part", f"{root}/{path.name}"
    async with (
        asyncio.timeout(COPY_LONGEST_S),
        asyncssh.connect(
            host,
            port,
            username=user,
            client_keys=[str(key)],
            known_hosts=str(known_hosts),
            preferred_auth=["publickey"],
            config=None,
            agent_path=None,
            client_host_keysign=False,
            x509_trusted_certs=None,
            compression_algs=["none"],
            keepalive_interval=_KEEPALIVE_S,
            connect_timeout=_CONNECT_S,
            login_timeout=_CONNECT_S,
        ) as connection,
        connection.start_sftp_client() as sftp,
    ):
        await sftp.put(str(path), part)
        sent = (await sftp.stat(part)).size
        if sent != size:
            raise OSError(f"it has {sent} bytes there")
        await sftp.rename(part, target)
        names = sorted(str(name) for name in await sftp.listdir(root) if NAMES.fullmatch(str(name)))
        for old in names[:-keep]:
            await sftp.remove(f"{root}/{old}")
