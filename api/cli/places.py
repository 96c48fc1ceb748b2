"""``esl places …``: where labels hang, in which order one walks past them, and planograms."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.quarantine import AsJson, Store, client_for, store_for
from api.cli.serve import DataDir
from api.cli.tables import print_table
from api.cli.template_files import read_input
from esl.domain.entry import RowProblem
from esl.domain.planogram import PlaceRow
from esl.intake.mapping.planogram_file import read_planogram
from esl.intake.shelf_json import ROWS_MOST, row_json

_FILE_BYTES_MOST = 64 * 1024 * 1024
_ROWS_SHOWN = 50
_PAGE = 1000

app = typer.Typer(help="Where labels hang: aisle, bay, shelf, position.", no_args_is_help=True)


@app.command("import")
def import_planogram(
    file: Annotated[str, typer.Argument(help="CSV, .xlsx or JSON; - is standard input.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Store nothing; say what would become of each row.")
    ] = False,
    store: Store = "",
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Hang labels where a planogram says. Rows that cannot be taken are listed with a fix.

    Columns: label or sku, and place or aisle, bay, shelf, position; code is a shelf's own code.
    Example: esl places import planogram.xlsx --dry-run
    """
    found = read_planogram(read_input(file, _FILE_BYTES_MOST))
    views: list[dict[str, Any]] = [
        {
            "row": each.row,
            "label": "",
            "place": "",
            "decision": "rejected",
            "done": [],
            "field": each.field,
            "reason": each.reason,
            "fix": each.fix,
        }
        for each in found
        if isinstance(each, RowProblem)
    ]
    rows = [each for each in found if isinstance(each, PlaceRow)]
    with client_for(data, None) as client:
        path = f"/api/v1/stores/{store_for(client, store)}/places"
        for start in range(0, len(rows), ROWS_MOST):
            piece = [row_json(row) for row in rows[start : start + ROWS_MOST]]
            views += client.post(path, {"rows": piece, "dry_run": dry_run})["results"]
    views.sort(key=lambda view: view["row"])
    _tell(views, as_json=as_json, dry_run=dry_run)
    if views and all(view["decision"] == "rejected" for view in views):
        raise typer.Exit(1)


@app.command("list")
def list_labels(
    aisle: Annotated[str, typer.Option(help="Only what hangs there: 3, or 3/2.")] = "",
    store: Store = "",
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """List labels as one walks past them.

    Example: esl places list --aisle 3
    """
    found: list[dict[str, Any]] = []
    after: str | None = ""
    query: dict[str, str | int] = {"order": "walk", "limit": _PAGE}
    with client_for(data, None) as client:
        path = f"/api/v1/stores/{store_for(client, store)}/labels"
        while after is not None:
            page = client.get(path, after=after, **query | ({"aisle": aisle} if aisle else {}))
            found += page["labels"]
            after = page["after"]
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        print("No label hangs there." if aisle else "The store has no labels yet: docs/pairing.md.")
        return
    table = Table("label", "place", "product", "price", box=None)
    for one in found:
        price = f"{one['price']} {one['currency']}" if one["price"] else ""
        table.add_row(one["label"], one["place"] or "", one["name"] or "", price)
    print_table(table)


@app.command("walk")
def walk(
    first: Annotated[
        list[str] | None, typer.Argument(help="Places that come first, in this order.")
    ] = None,
    serpentine: Annotated[
        bool, typer.Option("--serpentine", help="Every second aisle from its end.")
    ] = False,
    store: Store = "",
    data: DataDir = None,
) -> None:
    """Say in which order the store is walked: these places first, then by aisle, bay and shelf.

    Example: esl places walk entrance 12 --serpentine
    """
    body = {"serpentine": serpentine, "first": first or []}
    with client_for(data, None) as client:
        found = client.put(f"/api/v1/stores/{store_for(client, store)}/walk", body)
    way = "in serpentines" if found["serpentine"] else "straight"
    print(f"The store is walked {way}; first: {', '.join(found['first']) or 'nothing named'}.")


def _tell(views: list[dict[str, Any]], *, as_json: bool, dry_run: bool) -> None:
    refused = [view for view in views if view["decision"] == "rejected"]
    counts = {
        "rows": len(views),
        "taken": sum(view["decision"] == "taken" for view in views),
        "unchanged": sum(view["decision"] == "unchanged" for view in views),
        "rejected": len(refused),
    }
    if as_json:
        print(json.dumps(counts | {"dry_run": dry_run, "results": views}, ensure_ascii=False))
        return
    shown = views if dry_run else refused
    if shown:
        table = Table("row", "label", "place", "what becomes of it")
        for view in shown[:_ROWS_SHOWN]:
            words = ", ".join(view["done"]) or "unchanged"
            if view["decision"] == "rejected":
                words = f"refused: {view['field']}: {view['reason']}. {view['fix']}"
            table.add_row(str(view["row"]), view["label"], view["place"], words)
        print_table(table)
        if len(shown) > _ROWS_SHOWN:
            print(f"and {len(shown) - _ROWS_SHOWN:,} more; all of them with: --json")
    print(", ".join(f"{number:,} {name}" for name, number in counts.items()) + ".")
    if dry_run:
        print("Nothing was stored: this was a dry run.")
