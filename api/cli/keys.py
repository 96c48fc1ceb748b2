"""``esl keys …``: the key that signs what gateways obey, and its rotation."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from api.books import open_books
from api.cli.enrol import enrol, missing
from api.cli.serve import DataDir
from api.cli.tables import print_table
from api.client import Client
from api.clock import MachineClock
from api.keys import (
    KeyRing,
    Stage,
    begin_rotation,
    end_rotation,
    ended_at,
    key_ring,
    switch_keys,
    undo_step,
)
from api.private_files import read_runtime_file, signing_key
from esl.domain.errors import SetupError, Unavailable
from esl.settings import Settings, read_settings
from esl.store import places, signing

app = typer.Typer(help="The signing key of this installation.", no_args_is_help=True)
app.command("missing")(missing)
app.command("enrol")(enrol)

_Enrolled = dict[str, tuple[str, ...]]  # keys in each gateway's last enrolment file


@app.command("show")
def show(
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
    data: DataDir = None,
) -> None:
    """Show the keys, how far a rotation has come, and which gateways were given which keys."""
    settings = _settings(data)
    ring = key_ring(settings.data_dir)
    signs, enrolled = _books(settings)
    ended = ended_at(settings.data_dir)
    if as_json:
        print(json.dumps(_as_fields(ring, signs, enrolled, ended)))
        return
    if signs in (None, ring.signing.key_id):
        print(f"signs: {ring.signing.key_id}")
    else:
        print(f"signs until the controller and its workers are restarted: {signs}")
        print(f"signs from then on: {ring.signing.key_id}")
    if ring.other is not None and ring.other.key_id != signs:
        what = "next" if ring.stage is Stage.BEGUN else "old, still believed"
        print(f"{what}: {ring.other.key_id}")
    print(f"rotation: {_WHAT_NEXT[ring.stage]}")
    if ended is not None and ring.stage is Stage.NONE:
        print(f"the last one ended at {ended:%Y-%m-%d %H:%M} UTC")
    if not enrolled:
        print("no gateway is enrolled yet")
        return
    table = Table("gateway", "keys in its last enrolment file")
    for gateway, keys in sorted(enrolled.items()):
        table.add_row(gateway, " ".join(keys) or "unknown")
    print_table(table)


_WHAT_NEXT = {
    Stage.NONE: "none is under way",
    Stage.BEGUN: "begun; give every gateway a new enrolment file, then: esl keys rotate",
    Stage.SWITCHED: "switched; when all gateways answer to the new key: esl keys rotate",
}


@app.command("rotate")
def rotate(
    force: Annotated[
        bool,
        typer.Option("--force", help="Go on without gateways not enrolled anew; they fall out."),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Begin a rotation although one has just ended.")
    ] = False,
    data: DataDir = None,
) -> None:
    """Take the next step of a rotation: make a key, sign with it, forget the old one.

    Between the steps every gateway is enrolled anew; what is missing is said. The step that was
    taken last is taken back by: esl keys undo
    """
    settings = _settings(data)
    folder, ring = settings.data_dir, key_ring(settings.data_dir)
    signs, enrolled = _books(settings)
    match ring.stage:
        case Stage.NONE:
            if not again:
                _refuse_another(ring, enrolled, ended_at(folder))
            after = begin_rotation(folder)
            print(f"made the next key: {_other(after)}")
            print("Now give every gateway a new enrolment file; it holds both keys.")
            print("When all have it: esl keys rotate")
        case Stage.BEGUN:
            _refuse_missing(enrolled, _other(ring), force=force)
            after = switch_keys(folder)
            print(f"signs from the next start on: {after.signing.key_id}")
            print("Restart the controller and its workers. When all gateways answer:")
            print("esl keys rotate")
        case Stage.SWITCHED:
            _refuse_missing(enrolled, ring.signing.key_id, force=force)
            if signs not in (None, ring.signing.key_id):
                raise SetupError(
                    f"the controller still signs with {signs}: restart it and its workers first"
                )
            end_rotation(folder)
            print(f"forgot the old key: {_other(ring)}")
            print("Give every gateway a new enrolment file once more; it holds the new key alone.")


@app.command("undo")
def undo(data: DataDir = None) -> None:
    """Take back the last step of a rotation, as long as the old key is not forgotten."""
    settings = _settings(data)
    before = key_ring(settings.data_dir)
    after = undo_step(settings.data_dir)
    if before.stage is Stage.BEGUN:
        print(f"forgot the next key: {_other(before)}; {after.signing.key_id} signs as before")
        return
    print(f"signs from the next start on: {after.signing.key_id}, as before")
    print("Restart the controller and its workers. To give the next key up as well:")
    print("esl keys undo")


@app.command("accept")
def accept(
    new: Annotated[
        bool, typer.Option("--new", help="The key is lost: make another to take its place.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataDir = None,
) -> None:
    """Sign with the folder's key from the next start on, though gateways obey another.

    For a key that was lost, or a database that was put back from before a rotation. Each gateway
    that does not hold the key obeys nothing until it is given a new enrolment file.
    """
    settings = _settings(data, may_lack_key=new)
    with open_books(settings) as books:  # refused while a controller runs
        with books.database.read() as tx:
            known = signing.signing_key_id(tx)
            gateways = [g.gateway_id for g in places.list_gateways(tx)]
        if not yes:
            what = "make a new key" if new else "sign with the folder's key"
            typer.confirm(
                f"{len(gateways)} gateways may need new files. Really {what}?", abort=True
            )
        if new:
            _set_aside(settings.data_dir)
        key = signing_key(settings.data_dir, may_make=new)
        books.writer.write(lambda tx: signing.note_signing_key(tx, key.key_id))
    print(f"signs from the next start on: {key.key_id}" + (f", no more {known}" if known else ""))
    if gateways:
        print(f"Start the controller, and give new enrolment files to: {', '.join(gateways)}")


def _set_aside(data_dir: Path) -> None:
    """Keep what there is of keys under another name: no key is ever thrown away by this."""
    for path in sorted((data_dir / "keys").glob("*.pem")):
        target = path.with_suffix(".pem.old")
        number = 1
        while target.exists():
            number += 1
            target = path.with_suffix(f".pem.old{number}")
        path.rename(target)


def _refuse_another(ring: KeyRing, enrolled: _Enrolled, ended: datetime | None) -> None:
    """Refuse to begin a rotation by mistake, right after another.

    Raises:
        SetupError: The last one has only just ended, or not all gateways know.
    """
    if ended is None:
        return
    alone = (ring.signing.key_id,)
    left = sorted(g for g, keys in enrolled.items() if keys and keys != alone)
    if left:
        raise SetupError(
            f"the last rotation is not finished: {', '.join(left)} still hold the old key; give "
            f"them new enrolment files. To begin another all the same: esl keys rotate --again"
        )
    if (MachineClock().wall() - ended).days < 1:
        raise SetupError(
            f"the last rotation ended only at {ended:%Y-%m-%d %H:%M} UTC, and all is done; to "
            f"begin another: esl keys rotate --again"
        )


def _refuse_missing(enrolled: _Enrolled, needed: str, *, force: bool) -> None:
    missing = sorted(g for g, keys in enrolled.items() if needed not in keys)
    if missing and not force:
        raise SetupError(
            f"not enrolled with {needed} yet: {', '.join(missing)}; fetch "
            f"their enrolment files and take them there, or go on with --force"
        )


def _settings(data: Path | None, *, may_lack_key: bool = False) -> Settings:
    settings = read_settings(data_dir=data)
    keys = settings.data_dir / "keys"
    if not keys.is_dir() or not (may_lack_key or any(keys.glob("signing.pem"))):
        raise SetupError(
            f"{settings.data_dir} holds no signing key: no controller was ever started on it. "
            f"Name the controller's folder with --data, or copy its folder keys here"
        )
    return settings


def _books(settings: Settings) -> tuple[str | None, _Enrolled]:
    """Say which key signs now, and what each gateway's last enrolment file holds."""
    running = read_runtime_file(settings.data_dir)
    if running is not None:
        try:
            with Client(running.url, running.token, certificate=running.certificate) as client:
                return running.key_id or None, _asked(client)
        except (SetupError, Unavailable):
            pass  # it was killed, and left its runtime file behind
    with open_books(settings) as books, books.database.read() as tx:
        enrolled = {str(g): tuple(keys) for g, keys in places.enrolled_keys(tx).items()}
        return signing.signing_key_id(tx), enrolled


def _asked(client: Client) -> _Enrolled:
    found: _Enrolled = {}
    for store in client.listed("/api/v1/stores", "stores"):
        gateways = client.listed(f"/api/v1/stores/{store['store_id']}/gateways", "gateways")
        found.update({g["gateway"]: tuple(g["enrolled_keys"]) for g in gateways})
    return found


def _as_fields(
    ring: KeyRing, signs: str | None, enrolled: _Enrolled, ended: datetime | None
) -> dict[str, object]:
    return {
        "stage": ring.stage.value,
        "signs_now": signs or ring.signing.key_id,
        "signs_from_next_start": ring.signing.key_id,
        "other": _other(ring) or None,
        "last_rotation_ended": ended.isoformat() if ended is not None else None,
        "gateways": {gateway: list(keys) for gateway, keys in sorted(enrolled.items())},
    }


def _other(ring: KeyRing) -> str:
    return ring.other.key_id if ring.other is not None else ""
