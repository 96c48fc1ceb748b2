"""``esl proof`` and ``esl shelf-report``: what a label showed, and shelves against the till."""

import json
from pathlib import Path
from typing import Annotated

import typer

from api.cli.quarantine import AsJson, Store, store_for
from api.cli.running import running_client
from api.cli.serve import DataDir


def proof(
    label: Annotated[str, typer.Argument(help="The label's id.")],
    at: Annotated[str, typer.Option(help="An instant, 2026-03-01T14:03:00Z; else now.")] = "",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", dir_okay=False, help="The bundle, a zip; else it is told."),
    ] = None,
    data: DataDir = None,
) -> None:
    """Say what a label showed at a moment, or write a bundle that proves it offline."""
    query = {"at": at} if at else {}
    path = f"/api/v1/labels/{label}/shown"
    with running_client(data) as client:
        if output is None:
            print(json.dumps(client.get(path, **query), indent=2, ensure_ascii=False))
            return
        pieces = list(client.download(f"{path}/bundle", **query))
    output.write_bytes(b"".join(pieces))
    print(f"{output} holds the proof; verify it with the script in it: verify_proof.py")


def shelf_report(
    store: Store = "",
    sample: Annotated[int, typer.Option(help="Items to inspect: 50 or 100.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another sample.")] = 1,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", dir_okay=False, help="The sample as CSV, to walk with."),
    ] = None,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Compare what labels reported to show with what the till says, and draw a sample."""
    with running_client(data) as client:
        path = f"/api/v1/stores/{store_for(client, store)}/shelf-report"
        if output is not None:
            pieces = list(client.download(path, sample=sample, seed=seed, format="csv"))
            output.write_bytes(b"".join(pieces))
        found = client.get(path, sample=sample, seed=seed)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    whole, drawn = found["all"], found["sample"]
    print(
        f"{found['store']}: {whole['percent_right'] or 'no'} % of {whole['checked']} right,"
        f" {whole['overcharges']} overcharge(s), {whole['undercharges']} undercharge(s),"
        f" {whole['unverified']} unverified."
    )
    where = f" in {output}" if output is not None else ""
    print(f"To inspect{where}: {drawn['size']} items, seed {drawn['seed']}.")
