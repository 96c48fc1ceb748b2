"""``esl sources …``: what a person needs to register a source of prices."""

import asyncio
import socket
from typing import Annotated

import asyncssh
import typer

from api.listeners.folders.sftp_host_key import fingerprint_of
from api.listeners.folders.sftp_place import USUAL_PORT
from api.listeners.folders.sftp_session import CONNECT_S, offered_keys
from esl.domain.errors import Unavailable

app = typer.Typer(help="Sources of prices.", no_args_is_help=True)


@app.callback()
def _stay_a_group() -> None:
    """Sources of prices."""


@app.command("host-key")
def host_key(
    host: Annotated[str, typer.Argument(help="Name or address of the SFTP server.")],
    port: Annotated[int, typer.Option(min=1, max=65_535)] = USUAL_PORT,
) -> None:
    """Show the keys by which an SFTP server proves itself, to be compared and then pinned.

    Nobody logs in. Whoever stands between you and the server could answer in its place: ask the
    server's keeper for the fingerprint by another way, and pin the key only if they are the same.
    """
    words = f"{host} port {port}"
    try:
        keys = asyncio.run(_ask(host, port))
    except (socket.gaierror, UnicodeError):
        raise Unavailable(f"no address is known for {host}") from None
    except TimeoutError:
        raise Unavailable(f"{words} does not answer") from None
    except OSError:
        raise Unavailable(f"{words} cannot be reached; check both, and what lies between") from None
    except asyncssh.Error as exc:
        raise Unavailable(f"{words} speaks no SSH that can be trusted: {exc.reason}") from None
    for key in keys:
        public = key.export_public_key().decode().split()
        print(f"{fingerprint_of(key)}  {public[0]}")
        print(f"  host_key: {public[0]} {public[1]}")
    print("Compare a fingerprint with what the server's keeper tells you, then pin that host_key.")


async def _ask(host: str, port: int) -> list[asyncssh.SSHKey]:
    async with asyncio.timeout(CONNECT_S):
        return await offered_keys(host, port)
