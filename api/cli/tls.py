"""``esl tls``: certificates of our own for the HTTP server and the broker."""

import socket
from typing import Annotated

import typer

from api.cli.serve import DataDir
from api.clock import MachineClock
from api.private_files import make_data_folder
from api.tls.authority import ends_at
from api.tls.files import make_tls, renew_tls, tls_folder
from esl.settings import read_settings

app = typer.Typer(
    help="Certificates for the HTTP server and the broker, by a small authority of our own.",
    no_args_is_help=True,
)

_ALWAYS = ("localhost", "127.0.0.1", "::1")


@app.command("init")
def init(
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="Name or address by which people and tills reach the controller; repeat it.",
            show_default="this machine's name",
        ),
    ] = None,
    broker: Annotated[
        list[str] | None,
        typer.Option(help="Name or address of the broker; repeat it.", show_default="as --name"),
    ] = None,
    data: DataDir = None,
) -> None:
    """Make an authority, and a certificate each for server and broker. Overwrites nothing."""
    settings = read_settings(data_dir=data)
    make_data_folder(settings.data_dir)
    names = _with_own(name or [socket.gethostname().lower()])
    make_tls(
        settings.data_dir, names, _with_own(broker) if broker else names, MachineClock().wall()
    )
    folder = tls_folder(settings.data_dir)
    print(f"Made in {folder}, readable by you alone:")
    print("  ca.crt       have browsers, tills and gateways trust it; it is no secret")
    print("  ca.key       signs renewals; keep it elsewhere if you can")
    print(f"  server.crt   for {', '.join(names)}; esl serve --tls uses it")
    print("  broker.crt   copy it, broker.key and ca.crt to the broker: docs/operate.md")
    print("Next: esl serve --tls")


@app.command("renew")
def renew(data: DataDir = None) -> None:
    """Sign new keys for the same names. A running controller takes them within a minute."""
    settings = read_settings(data_dir=data)
    for path in renew_tls(settings.data_dir, MachineClock().wall()):
        print(f"{path} holds until {ends_at(path.read_text()):%Y-%m-%d}")


def _with_own(names: list[str]) -> list[str]:
    return list(dict.fromkeys([*names, *_ALWAYS]))
