"""An SFTP source's settings and secret: which server, who we are there, which folder.

    setting        means
    host           name or address of the server
    port           22 if left out
    login          the name by which we log in
    folder         of the files, as the server names it; if left out, where the login begins
    host_key       the server's key or its fingerprint, `sftp_host_key`; never learnt
    allow_private  names, addresses and networks of your own that may be spoken to

The secret is a private key (kind ``ssh_key``) or a password (kind ``password``).
"""

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from api.listeners.connectors.addresses import AddressRules
from api.listeners.connectors.errors import ShopError
from api.listeners.folders.sftp_host_key import HostKeyPin, parse_host_key
from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.source import Source

if TYPE_CHECKING:
    from asyncssh import SSHKey

SSH_KEY, PASSWORD = "ssh_key", "password"
SFTP_SETTINGS = frozenset({"host", "port", "login", "folder", "host_key", "allow_private"})
"""What only an SFTP source's settings may name, beside those of every folder."""

USUAL_PORT = 22
_PORT_MOST = 65_535
_LOGIN_LONGEST, _FOLDER_LONGEST = 128, 1000
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_][a-z0-9_-]{0,62}(\.[a-z0-9_-]{1,63})*", re.IGNORECASE)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpPlace:
    """A folder on a server."""

    host: str
    port: int
    login: str
    folder: str
    pin: HostKeyPin
    rules: AddressRules

    @property
    def server(self) -> str:
        """The server in words."""
        return self.host if self.port == USUAL_PORT else f"{self.host} port {self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpLogin:
    """What proves who we are, the newest first."""

    keys: "tuple[SSHKey, ...]" = ()
    passwords: tuple[str, ...] = ()


def check_sftp_settings(source: Source) -> None:
    """Refuse settings with which no SFTP folder can be reached, when they are put.

    Raises:
        InvalidInput: With each field of the server that is missing or wrong.
    """
    read_place(source.settings)


def read_place(settings: Mapping[str, str]) -> SftpPlace:
    """Read where a source's folder is.

    Raises:
        InvalidInput: With each setting that is missing or wrong.
    """
    problems: list[FieldProblem] = []

    def read(name: str, parse: Callable[[str, str], T], usual: T | None = None) -> T | None:
        path, text = f"/settings/{name}", settings.get(name, "")
        if not text and usual is not None:
            return usual
        try:
            if not text:
                raise InvalidInput.at(path, "missing", fix=f"Say {name}, as docs/sftp.md tells.")
            return parse(text, path)
        except InvalidInput as exc:
            problems.extend(exc.problems)
            return None

    rules = AddressRules.of_text(settings.get("allow_private", ""))
    host = read("host", lambda text, path: _parse_host(text, path, rules))
    port = read("port", _parse_port, USUAL_PORT)
    login = read("login", _parse_login)
    folder = read("folder", _parse_folder, ".")
    pin = read("host_key", parse_host_key)
    if host is None or port is None or login is None or folder is None or pin is None:
        raise InvalidInput(problems)
    return SftpPlace(host=host, port=port, login=login, folder=folder, pin=pin, rules=rules)


def read_login(secrets: Iterable[tuple[str, str]]) -> SftpLogin:
    """Read a source's secrets, each with its kind, the newest first.

    Raises:
        InvalidInput: There is none of a kind that serves here, or a key cannot be read.
    """
    keys: list[SSHKey] = []
    passwords: list[str] = []
    for kind, text in secrets:
        if kind == SSH_KEY:
            keys.append(parse_ssh_key(text, "/secret"))
        elif kind == PASSWORD:
            passwords.append(text)
    if not keys and not passwords:
        fix = f'Give the source a secret of kind "{SSH_KEY}" or "{PASSWORD}".'
        raise InvalidInput.at("/secret", "missing", fix=fix)
    return SftpLogin(keys=tuple(keys), passwords=tuple(passwords))


def parse_ssh_key(text: str, path: str) -> "SSHKey":
    """Read a private key in OpenSSH's or a PEM form, without a passphrase.

    Raises:
        InvalidInput: It is something else.
    """
    import asyncssh  # noqa: PLC0415  10 MB that only sources of this kind need

    if text.startswith(("ssh-", "ecdsa-", "---- BEGIN SSH2 PUBLIC")):
        fix = "Send the private key: the file without .pub."
        raise InvalidInput.at(path, "a public key", fix=fix)
    if text.startswith("PuTTY-User-Key-File"):
        fix = "Export it in PuTTYgen: Conversions, Export OpenSSH key."
        raise InvalidInput.at(path, "a key in PuTTY's own form", fix=fix)
    try:
        return _imported(text.strip() + "\n")
    except asyncssh.KeyEncryptionError:
        locked = True
    except (asyncssh.KeyImportError, ValueError) as exc:
        locked = "passphrase" in str(exc).lower()
    if locked:
        fix = 'Take the passphrase off a copy: ssh-keygen -p -N "" -f COPY. It is kept sealed here.'
        raise InvalidInput.at(path, "a private key locked with a passphrase", fix=fix)
    fix = 'Send the whole file that ssh-keygen made, from "-----BEGIN" to "KEY-----".'
    raise InvalidInput.at(path, "not a private key", fix=fix)


@functools.lru_cache(maxsize=64)
def _imported(text: str) -> "SSHKey":
    """Read a key once: an RSA key is checked whole, and sources are looked at every second."""
    import asyncssh  # noqa: PLC0415  10 MB that only sources of this kind need

    return asyncssh.import_private_key(text)


def make_ssh_key(source: str) -> tuple[str, str]:
    """Make a key pair; return the private key, and the line that the server is to be given."""
    import asyncssh  # noqa: PLC0415  10 MB that only sources of this kind need

    key = asyncssh.generate_private_key("ssh-ed25519", comment=f"esl {source}")
    return key.export_private_key().decode(), key.export_public_key().decode().strip()


def _parse_host(text: str, path: str, rules: AddressRules) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        if not _HOST.fullmatch(text):
            fix = "Write only the server's name, such as sftp.example; the port is a setting."
            raise InvalidInput.at(path, "not the name of a server", fix=fix) from None
        return text
    try:
        rules.address_of(bare, USUAL_PORT)
    except ShopError:
        fix = "Name it in the setting allow_private, if it stands in your own network."
        raise InvalidInput.at(path, "a private address", fix=fix) from None
    return bare


def _parse_port(text: str, path: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= len("65535"):
        port = int(text)
        if 1 <= port <= _PORT_MOST:
            return port
    raise InvalidInput.at(path, f"not a port of 1 to {_PORT_MOST}", fix="Leave it out for 22.")


def _parse_login(text: str, path: str) -> str:
    if len(text) > _LOGIN_LONGEST or not text.isprintable() or text != text.strip():
        fix = "Write the name by which the server knows this controller."
        raise InvalidInput.at(path, "not a login", fix=fix)
    return text


def _parse_folder(text: str, path: str) -> str:
    if len(text) > _FOLDER_LONGEST or not text.isprintable():
        fix = "Write such as /prices/main, or leave it out for where the login begins."
        raise InvalidInput.at(path, "not the path of a folder", fix=fix)
    return text
