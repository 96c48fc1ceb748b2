"""``esl keys …``: the key that signs what gateways obey, and its rotation."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.books import open_books
from api.cli.serve import DataDir
from api.client import Client
from api.keys import KeyRing, Stage, begin_rotation, end_rotation, key_ring, switch_keys
from api.private_files import read_runtime_file
from esl.domain.errors import SetupError, Unavailable
from esl.settings import Settings, read_settings
from esl.store import places

app = typer.Typer(help="The signing key of this installation.", no_args_is_help=True)

_Enrolled = dict[str, tuple[str, ...]]  # keys in each gateway's last enrolment file


@app.command("show")
def show(data: DataDir = None) -> None:
    """Show the keys, how far a rotation has come, and which gateways were given which keys."""
    settings = read_settings(data_dir=data)
    ring = key_ring(settings.data_dir)
    print(f"signs: {ring.signing.key_id}")
    if ring.other is not None:
        what = "next" if ring.stage is Stage.BEGUN else "old, still believed"
        print(f"{what}: {ring.other.key_id}")
    table = Table("gateway", "keys in its last enrolment file")
    for gateway, keys in sorted(_enrolled(settings).items()):
        table.add_row(gateway, " ".join(keys) or "unknown")
    Console().print(table)


@app.command("rotate")
def rotate(
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Go on though gateways were not enrolled anew; they fall out."
        ),
    ] = False,
    data: DataDir = None,
) -> None:
    """Take the next step of a rotation: make a key, sign with it, forget the old one.

    Between the steps every gateway is enrolled anew; what is missing is said.
    """
    settings = read_settings(data_dir=data)
    ring = key_ring(settings.data_dir)
    match ring.stage:
        case Stage.NONE:
            after = begin_rotation(settings.data_dir)
            print(f"made the next key: {_other(after)}")
            print("Now give every gateway a new enrolment file; it holds both keys.")
            print("When all have it: esl keys rotate")
        case Stage.BEGUN:
            _refuse_missing(settings, {_other(ring)}, force=force)
            after = switch_keys(settings.data_dir)
            print(f"signs from the next start on: {after.signing.key_id}")
            print("Restart the controller and its workers. When all gateways answer:")
            print("esl keys rotate")
        case Stage.SWITCHED:
            _refuse_missing(settings, {ring.signing.key_id}, force=force)
            after = end_rotation(settings.data_dir)
            print(f"forgot the old key: {_other(ring)}")
            print("Give every gateway a new enrolment file once more; it holds the new key alone.")


def _refuse_missing(settings: Settings, needed: set[str], *, force: bool) -> None:
    missing = sorted(g for g, keys in _enrolled(settings).items() if not needed <= set(keys))
    if missing and not force:
        raise SetupError(
            f"not enrolled with {', '.join(sorted(needed))} yet: {', '.join(missing)}; fetch "
            f"their enrolment files and take them there, or go on with --force"
        )


def _enrolled(settings: Settings) -> _Enrolled:
    running = read_runtime_file(settings.data_dir)
    if running is not None:
        try:
            with Client(running.url, running.token) as client:
                return _asked(client)
        except (SetupError, Unavailable):
            pass  # it was killed, and left its runtime file behind
    with open_books(settings) as books, books.database.read() as tx:
        return {g: tuple(keys) for g, keys in places.enrolled_keys(tx).items()}


def _asked(client: Client) -> _Enrolled:
    found: _Enrolled = {}
    for store in client.get("/api/v1/stores")["stores"]:
        gateways = client.get(f"/api/v1/stores/{store['store_id']}/gateways")["gateways"]
        found.update({g["gateway"]: tuple(g["enrolled_keys"]) for g in gateways})
    return found


def _other(ring: KeyRing) -> str:
    return ring.other.key_id if ring.other is not None else ""
