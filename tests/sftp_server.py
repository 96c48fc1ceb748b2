"""A real SFTP server for the tests: Debian's sshd, started as ourselves on a port of 127.0.0.1.

    with SftpServer(tmp_path / "sshd") as server:
        (server.folder / "prices.csv").write_text(…)
        SftpFolder(…, key=server.private_key)

Configuration, host keys and logins are its own; an sshd that the machine runs for itself is never
touched. Only keys let in: passwords would need PAM and an account that has one.
"""

import contextlib
import functools
import getpass
import os
import re
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import asyncssh
import psutil

from api.listeners.folders.sftp_place import SftpLogin, read_login
from tests.services import HOST, _accepts, _Server, free_port, require

ED25519: Final = "ssh-ed25519"
RSA: Final = "ssh-rsa"
_PENALTIES_SINCE = (9, 8)
_SEPARATION = Path("/run/sshd")  # Debian's sshd wants it when root starts it; its service makes it


class SftpServer:
    """An sshd that gives out ``folder`` and nothing else; ``kill`` and ``start`` it at will.

    ``read_only`` refuses every change. ``match`` are lines for those who log in, "{login}" and
    "{keys}" in them; they may shut sessions in ``chroot`` (only root can), in which ``folder`` lies
    then. Its ``host_keys`` stay over restarts until `change_host_key`.
    """

    def __init__(self, directory: Path, *, chroot: Path | None = None, match: str = "") -> None:
        self._program = require("openssh-server")
        if os.geteuid() == 0:
            _SEPARATION.mkdir(mode=0o755, exist_ok=True)
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._match = match
        self.folder = (chroot or directory) / "in"
        self.folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.login = getpass.getuser()
        self.read_only = False
        self.host_keys: dict[str, asyncssh.SSHKey] = {}
        self.change_host_key(ED25519)
        self.change_host_key(RSA)
        key = asyncssh.generate_private_key(ED25519)
        self.private_key = key.export_private_key().decode()
        (directory / "authorized_keys").write_bytes(key.export_public_key())
        self._server = _Server(
            [str(self._program), "-D", "-e", "-f", str(directory / "sshd_config")],
            log=directory / "sshd.log",
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def log(self) -> str:
        """What it said so far."""
        return (self._directory / "sshd.log").read_text(encoding="utf-8", errors="replace")

    def host_key(self, kind: str = ED25519) -> str:
        """Return a host key as a person would pin it: "ssh-ed25519 AAAA…"."""
        return self.host_keys[kind].export_public_key().decode().strip()

    def fingerprint(self, kind: str = ED25519) -> str:
        """Return the fingerprint of a host key: "SHA256:…"."""
        return self.host_keys[kind].get_fingerprint()

    def authorize(self, public_key: str) -> None:
        """Let another key in, from now on."""
        with (self._directory / "authorized_keys").open("a", encoding="utf-8") as keys:
            keys.write(f"{public_key}\n")

    @property
    def secret(self) -> SftpLogin:
        """What opens it."""
        return read_login([("ssh_key", self.private_key)])

    def change_host_key(self, kind: str = ED25519) -> None:
        """Make a new host key; it holds from the next start on."""
        key = asyncssh.generate_private_key(kind)
        path = self._directory / f"host_{kind}"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(key.export_private_key())
        self.host_keys[kind] = key

    def start(self) -> None:
        """Start it, for the first time or again, and return when it accepts connections."""
        (self._directory / "sshd_config").write_text(self._config(), encoding="utf-8")
        self._server.launch(lambda: _accepts(self.port))

    def kill(self) -> None:
        """Stop it and every session the way a power cut does; nothing if it does not run."""
        try:
            family = psutil.Process(self._server.pid).children(recursive=True)
        except Exception:  # noqa: BLE001  it does not run
            return
        self._server.end(signal.SIGKILL)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _config(self) -> str:
        serve = f"internal-sftp -d {self.folder}" + (" -R" if self.read_only else "")
        keys = f"{self._directory}/authorized_keys"
        lines = [
            f"ListenAddress {HOST}:{self.port}",
            *(f"HostKey {self._directory}/host_{kind}" for kind in self.host_keys),
            f"AuthorizedKeysFile {keys}",
            f"PidFile {self._directory}/sshd.pid",
            *("PasswordAuthentication no", "KbdInteractiveAuthentication no", "UsePAM no"),
            *("PermitRootLogin prohibit-password", "StrictModes no"),
            *("MaxStartups 100", f"Subsystem sftp {serve}", f"ForceCommand {serve}"),
        ]
        if _version(self._program) >= _PENALTIES_SINCE:
            lines.append("PerSourcePenalties no")  # refused logins of one test, for the next
        lines.append(self._match.replace("{login}", self.login).replace("{keys}", keys))
        return "\n".join([*lines, ""])


@functools.cache
def _version(program: Path) -> tuple[int, int]:
    said = subprocess.run([program, "-V"], capture_output=True, text=True, check=False, timeout=30)
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", said.stdout + said.stderr)
    assert found is not None
    return int(found[1]), int(found[2])


__all__ = ["ED25519", "RSA", "SftpServer"]
