"""``esl audit …``: who did what, and whether what is written down is still what was."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from api.audit.files import AuditFolder, is_signed_by, read_kept_checkpoints
from api.cli.running import running_client
from api.cli.serve import DataDir
from api.cli.tables import print_table
from api.clock import MachineClock
from esl.services.verifying import Verdict, verify_chain
from esl.settings import read_settings
from esl.store.database import Database

app = typer.Typer(help="Who did what, and the proof of it.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]


@app.command("verify")
def verify(
    checkpoints: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Checkpoints that were kept elsewhere, or a syslog with them in it; else those of "
            "the data folder alone.",
        ),
    ] = None,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Verify the audit chain and name the first thing that is wrong; status 1 if there is one.

    Reads only, and may run beside a controller.
    """
    settings = read_settings(data_dir=data)
    folder = AuditFolder(settings.data_dir)
    trusted = folder.trusted()
    outside = [*folder.checkpoints(), *(read_kept_checkpoints(checkpoints) if checkpoints else [])]
    database = Database(settings.database_address)
    try:
        verdict = verify_chain(
            database,
            is_trusted=lambda one: is_signed_by(one, trusted),
            now=MachineClock().wall(),
            outside=outside,
        )
    finally:
        database.close()
    print(json.dumps(_view(verdict)) if as_json else _words(verdict))
    if verdict.wrong is not None:
        sys.exit(1)


def _view(verdict: Verdict) -> dict[str, Any]:
    return {
        "ok": verdict.wrong is None,
        "wrong": verdict.wrong,
        "blocks": verdict.blocks,
        "cut": verdict.cut,
        "records": verdict.records,
        "pruned": verdict.pruned,
        "not_sealed_yet": verdict.unsealed,
        "checkpoints": verdict.checkpoints,
        "checked_to_block": verdict.checked_to,
    }


def _words(verdict: Verdict) -> str:
    if verdict.wrong is not None:
        return f"WRONG: {verdict.wrong}"
    return (
        f"The chain holds: {verdict.blocks} blocks, {verdict.cut} of them cut, {verdict.records}"
        f" records, {verdict.pruned}"
        f" pruned in time, {verdict.checkpoints} checkpoints up to block {verdict.checked_to};"
        f" {verdict.unsealed} records are not sealed yet."
    )


@app.command("list")
def list_entries(
    store: Annotated[str, typer.Option(help="Of this store.")] = "",
    actor: Annotated[str, typer.Option(help="Done by this actor: token:3, person:ana.")] = "",
    action: Annotated[str, typer.Option(help="Of this action: guards, approve.")] = "",
    subject: Annotated[str, typer.Option(help="Done to this.")] = "",
    begins: Annotated[str, typer.Option("--from", help="An instant, 2026-03-01T06:00Z.")] = "",
    ends: Annotated[str, typer.Option("--to", help="The first instant after it.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The newest so many.")] = 50,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """List who did what, the newest first."""
    asked = {
        "store": store,
        "actor": actor,
        "action": action,
        "subject": subject,
        "from": begins,
        "to": ends,
    }
    with running_client(data) as client:
        query: dict[str, str | int] = {name: value for name, value in asked.items() if value}
        found = client.get("/api/v1/audit", limit=limit, **query)["entries"]
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        print("Nothing was written down of that.")
        return
    table = Table("number", "at", "who", "what", "of", "store", "why", box=None)
    for one in found:
        table.add_row(
            *(str(one["id"]), one["at"][:19], one["actor"], one["action"], one["subject"]),
            *(one["store"] or "", one["reason"] or ""),
        )
    print_table(table)
