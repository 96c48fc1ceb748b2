"""A session with an SFTP server: to the pinned server and no other, and its errors in words.

    address checked ──▶ key exchange ──▶ the pin fits? ──no──▶ `FolderUnreachable`, both named;
                                            │                  nothing of ours was sent
                                            └─yes──▶ login ──▶ SFTP

All of this runs on the loop of `SshThread`.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import asyncssh

from api.listeners.folders.folder import FileGone, FileUnusable, FolderUnreachable
from api.listeners.folders.sftp_host_key import (
    ALGORITHMS,
    HostKeyPin,
    algorithms_of,
    fingerprint_of,
)
from api.listeners.folders.sftp_place import SftpLogin, SftpPlace
from esl.domain.errors import EslError

CONNECT_S = 25.0
"""For TCP, keys, login and the begin of SFTP together."""

_KEEPALIVE_S, _KEEPALIVES_LOST = 15, 3
_CLOSE_S = 5.0
_KEYS_ASKED = 3
"""A server has a key of each kind; one that offers more is not asked further."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open connection and its SFTP."""

    connection: asyncssh.SSHClientConnection
    sftp: asyncssh.SFTPClient

    async def close(self) -> None:
        """End it at once, whatever state it is in."""
        self.connection.abort()
        await self.connection.wait_closed()


class _Caller(asyncssh.SSHClient):
    """Compares the server's key with the pin, before anything of ours is said."""

    def __init__(self, pin: HostKeyPin, passwords: Sequence[str]) -> None:
        self.offered: asyncssh.SSHKey | None = None
        self._pin = pin
        self._passwords = list(passwords)
        self._asked = bool(passwords)

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        del host, addr, port
        self.offered = key
        return self._pin.fits(key)

    def password_auth_requested(self) -> str | None:
        self._asked = False  # for servers that want it typed, where this way is closed
        return self._passwords.pop(0) if self._passwords else None

    def kbdint_auth_requested(self) -> str | None:
        return "" if self._asked and self._passwords else None

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        del name, instructions, lang
        if not prompts:
            return []
        if len(prompts) == 1 and self._passwords:
            return [self._passwords.pop(0)]
        return None  # a second factor: nobody is here who could type it


async def open_session(place: SftpPlace, login: SftpLogin, address: str) -> Session:
    """Connect to ``address``, which was checked, as `SftpPlace` says.

    Raises:
        FolderUnreachable: In words for a person.
    """
    with in_words(place):
        connection = await _connect_pinned(place, login, address)
        try:
            return Session(connection, await connection.start_sftp_client(path_encoding=None))
        except BaseException:
            connection.abort()
            raise


async def _connect_pinned(
    place: SftpPlace, login: SftpLogin, address: str
) -> asyncssh.SSHClientConnection:
    """Connect, and where only a fingerprint is pinned ask for the server's keys of other kinds."""
    algorithms = place.pin.algorithms
    offered: list[asyncssh.SSHKey] = []
    while algorithms and len(offered) < _KEYS_ASKED:
        caller = _Caller(place.pin, login.passwords)
        try:
            return await _connect(place, login, address, caller=caller, algorithms=algorithms)
        except asyncssh.HostKeyNotVerifiable:
            if caller.offered is None:
                raise
            offered.append(caller.offered)
            algorithms = _without(algorithms, caller.offered)
        except (asyncssh.KeyExchangeFailed, asyncssh.ConnectionLost, ConnectionError):
            if caller.offered is not None:
                raise  # it was the right server, and broke off later
            break  # it may have no key of this kind; whoever notices first breaks the connection
    if not offered:
        offered = await offered_keys(address, place.port)
    if any(place.pin.fits(key) for key in offered):
        raise FolderUnreachable(f"the connection to {place.server} was lost", may_pass=True)
    raise FolderUnreachable(_other_key(place, offered))


def _without(algorithms: Sequence[str], key: asyncssh.SSHKey) -> tuple[str, ...]:
    known = algorithms_of(key.get_algorithm())
    return tuple(a for a in algorithms if a not in known)


async def _connect(
    place: SftpPlace,
    login: SftpLogin,
    address: str,
    *,
    caller: _Caller,
    algorithms: Sequence[str],
) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        address,
        place.port,
        client_factory=lambda: caller,
        username=place.login,
        client_keys=list(login.keys) or None,
        preferred_auth=["publickey", "password", "keyboard-interactive"],
        server_host_key_algs=list(algorithms),
        known_hosts=([], [], []),  # none is known but by the pin; None would believe all
        # Nothing of whoever runs the controller: not their files, agent or certificates.
        config=None,
        agent_path=None,
        client_host_keysign=False,
        x509_trusted_certs=None,
        compression_algs=["none"],  # a few bytes could become gigabytes
        keepalive_interval=_KEEPALIVE_S,
        keepalive_count_max=_KEEPALIVES_LOST,
        connect_timeout=CONNECT_S,
        login_timeout=CONNECT_S,
    )


async def offered_keys(address: str, port: int) -> list[asyncssh.SSHKey]:
    """Return the keys that a server offers, one of each kind, without logging in.

    They prove nothing: a person compares them with what the server's keeper says.

    Raises:
        OSError: It cannot be reached.
        asyncssh.DisconnectError: It speaks no SSH, or none that we speak.
    """
    algorithms: tuple[str, ...] = ALGORITHMS
    keys: list[asyncssh.SSHKey] = []
    while algorithms and len(keys) < _KEYS_ASKED:
        try:
            key = await asyncssh.get_server_host_key(
                address, port, server_host_key_algs=list(algorithms), config=None
            )
        except (asyncssh.KeyExchangeFailed, asyncssh.ConnectionLost, ConnectionError):
            if keys:
                break  # it has no more
            raise
        if key is None:
            break
        keys.append(key)
        algorithms = _without(algorithms, key)
    return keys


def _other_key(place: SftpPlace, offered: Sequence[asyncssh.SSHKey]) -> str:
    shown = " and ".join(f"{fingerprint_of(k)} ({k.get_algorithm()})" for k in offered)
    kind = f" ({place.pin.kind})" if place.pin.kind else ""
    return (
        f"not the server that was pinned: its host key is {shown or 'unknown'}, pinned is "
        f"{place.pin.fingerprint}{kind}; nothing was sent to {place.server}. Ask its keeper "
        "whether the key was changed: if so, put the new one into the source's setting host_key; "
        "if not, somebody stands in between"
    )


@contextlib.contextmanager
def in_words(place: SftpPlace, name: str = "") -> Iterator[None]:
    """Turn what asyncssh raises into a folder's errors; ``name`` is the file that is worked on."""
    server = place.server
    try:
        yield
    except asyncssh.PermissionDenied:
        raise FolderUnreachable(
            f"{server} refuses the login {place.login}; check the setting login, and whether the "
            "server knows this source's key or password"
        ) from None
    except asyncssh.ChannelOpenError:
        raise FolderUnreachable(
            f"{server} gives the login {place.login} no SFTP; its keeper must allow it"
        ) from None
    except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.SFTPBadMessage):
        raise FolderUnreachable(f"the connection to {server} was lost", may_pass=True) from None
    except asyncssh.SFTPError as exc:
        raise _of_file(exc, place, name) from None
    except asyncssh.ConnectionLost:
        raise FolderUnreachable(f"the connection to {server} was lost", may_pass=True) from None
    except asyncssh.KeyExchangeFailed:
        raise FolderUnreachable(
            f"{server} speaks only an SSH that is too old to be trusted; it must be updated"
        ) from None
    except TimeoutError:
        raise FolderUnreachable(f"{server} does not answer", may_pass=True) from None
    except OSError as exc:
        words = f"{server} cannot be reached: {_said(exc)}"
        raise FolderUnreachable(words, may_pass=True) from None
    except EslError:
        raise
    except Exception as exc:
        words = f"{server} does not speak SSH as it should: {_said(exc)}"
        raise FolderUnreachable(words, may_pass=True) from exc


def _of_file(exc: asyncssh.SFTPError, place: SftpPlace, name: str) -> EslError:
    shown = ascii(name)[1:-1][:120] if name else f"the folder {place.folder}"
    kind: type[EslError]
    match exc:
        case asyncssh.SFTPNoSuchFile() | asyncssh.SFTPNoSuchPath():
            kind, words = FileGone, f"{shown} is not there on {place.server}"
        case asyncssh.SFTPPermissionDenied() | asyncssh.SFTPWriteProtect():
            kind = FileUnusable
            words = f"{place.server} does not allow {place.login} to do this with {shown}"
        case _:
            kind, words = FileUnusable, f"{place.server} could not do this with {shown}"
    return kind(words) if name else FolderUnreachable(words)


def _said(exc: Exception) -> str:
    """Return a line of an error's words; a server may have written them."""
    words = "".join(c if c.isprintable() else " " for c in str(exc))
    return " ".join(words.split())[:160] or type(exc).__name__
