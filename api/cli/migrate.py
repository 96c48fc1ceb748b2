"""``esl migrate``: take over from another system what it knew of products, prices and labels."""

import csv
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.imports import import_file
from api.cli.migrate_pairings import in_pieces, pairings_desk
from api.cli.serve import DataDir
from api.cli.tables import print_table
from api.cli.template_files import STANDARD_INPUT, read_input
from api.migration_views import counts_of, problem_view
from esl.domain.entry import RowProblem
from esl.domain.errors import SetupError
from esl.domain.ids import PanelId, StoreId, check_slug
from esl.domain.migration import PairingRow, RowDecision
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.pairing_rows import (
    PLAIN,
    parse_pairing_mapping,
    read_pairings,
    write_pairings,
)
from esl.intake.mapping.plain_forms import Form, plain_document, sample
from esl.intake.yaml_text import BYTES_MOST
from esl.settings import read_settings

_ROWS_SHOWN = 50
_STRICT_STATUS = 3
_HEAD_BYTES = 4096
_FILE_BYTES_MOST = 64 * 1024 * 1024
_TOLD_MOST = 1_000
_REPORTED = ("row", "label", "sku", "decision", "done", "before", "field", "reason", "fix")

app = typer.Typer(
    help="Take over from another system what it knew of products, prices and labels.",
    no_args_is_help=True,
)

File = Annotated[str, typer.Argument(help="A file, or - for standard input.")]
MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", help="What its columns mean.", show_default="our own names"),
]
StoreName = Annotated[str, typer.Option("--store", help="The store.", show_default="the only one")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Store nothing; say what would become of each row.")
]
Report = Annotated[
    Path | None, typer.Option("--report", help="Write a line a row there: a .csv or .json file.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON.")]
Strict = Annotated[bool, typer.Option("--strict", help="Status 3 if a row was refused.")]
Source = Annotated[
    str | None, typer.Option("--source", help="Whose word it is.", show_default="the mapping's")
]


@app.command()
def products(
    file: File,
    mapping: MappingFile = None,
    store: StoreName = "",
    source: Source = None,
    dry_run: DryRun = False,
    report: Report = None,
    strict: Strict = False,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Bring products: names, bar codes, contents, with a price or without."""
    _import(
        Form.PRODUCTS,
        file,
        mapping,
        store=store,
        source=source,
        dry_run=dry_run,
        report=report,
        strict=strict,
        as_json=as_json,
        data=data,
    )


@app.command()
def history(
    file: File,
    mapping: MappingFile = None,
    store: StoreName = "",
    source: Source = None,
    dry_run: DryRun = False,
    report: Report = None,
    strict: Strict = False,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Bring prices of the past, with the days on which they held. No present price changes."""
    _import(
        Form.HISTORY,
        file,
        mapping,
        store=store,
        source=source,
        dry_run=dry_run,
        report=report,
        strict=strict,
        as_json=as_json,
        data=data,
    )


@app.command()
def pairings(
    file: File,
    mapping: MappingFile = None,
    store: StoreName = "",
    panel: Annotated[
        str, typer.Option(help="Display model of new labels whose rows name none.")
    ] = "",
    move: Annotated[
        bool, typer.Option("--move", help="Pair anew what is paired with something else here.")
    ] = False,
    dry_run: DryRun = False,
    report: Report = None,
    strict: Strict = False,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Bring labels: which there are, what each speaks for, where it hangs.

    A label that nobody has heard yet is expected from now on. Rows that cannot be taken are
    listed with a fix; the others are taken. The same file again changes nothing.
    """
    if report is not None and report.suffix.lower() not in (".csv", ".json"):
        raise typer.BadParameter("name a .csv or .json file", param_hint="--report")
    read = parse_pairing_mapping(_text_of(mapping)) if mapping is not None else PLAIN
    model = PanelId(check_slug(panel, path="--panel", what="panel")) if panel else None
    found = read_pairings(io.BytesIO(read_input(file, _FILE_BYTES_MOST)), read)
    settings = read_settings(data_dir=data)
    with pairings_desk(settings) as desk:
        where = _where(store, desk.stores())
        views: list[dict[str, Any]] = [
            problem_view(each) for each in found if isinstance(each, RowProblem)
        ]
        rows = [each for each in found if isinstance(each, PairingRow)]
        for piece in in_pieces(rows):
            views += desk.take(where, piece, moves=move, panel_id=model, dry_run=dry_run)
    views.sort(key=lambda view: view["row"])
    if report is not None:
        _save(report, views)
    _tell(views, as_json=as_json, dry_run=dry_run)
    refused = sum(view["decision"] == RowDecision.REJECTED for view in views)
    if views and refused == len(views):
        raise typer.Exit(1)
    if strict and refused:
        raise typer.Exit(_STRICT_STATUS)


@app.command("sample")
def print_sample(
    form: Annotated[Form, typer.Argument(help="Of which file.")],
) -> None:
    """Print a small file of the form that needs no mapping."""
    print(sample(form), end="")


@app.command("export")
def export(
    form: Annotated[Form, typer.Argument(help="What to write: pairings.")] = Form.PAIRINGS,
    store: StoreName = "",
    data: DataDir = None,
) -> None:
    """Print this house's labels and pairings, as `esl migrate pairings` reads them."""
    if form is not Form.PAIRINGS:
        raise typer.BadParameter("only pairings can be written", param_hint="FORM")
    with pairings_desk(read_settings(data_dir=data)) as desk:
        print(write_pairings(desk.rows(_where(store, desk.stores()))), end="")


def _import(form: Form, file: str, mapping: Path | None, **options: Any) -> None:
    """Import a file of products or of the past, as ``esl import`` does."""
    if mapping is not None:
        if form is Form.HISTORY and "history" not in parse_mapping(_text_of(mapping)).fields:
            raise SetupError(f"{mapping} has no field history: the day from which a price held")
        import_file(file, mapping=str(mapping), **options)
        return
    with tempfile.TemporaryDirectory() as folder:
        if file == STANDARD_INPUT:
            file = str(_keep_input(Path(folder, "standard-input.csv")))
        document = Path(folder, "mapping.yaml")
        document.write_text(plain_document(form, _head_of(file)), encoding="utf-8")
        import_file(file, mapping=str(document), **options)


def _keep_input(path: Path) -> Path:
    with path.open("wb") as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
    return path


def _head_of(file: str) -> bytes:
    try:
        with Path(file).open("rb") as opened:
            return opened.read(_HEAD_BYTES)
    except OSError as exc:
        raise SetupError(f"cannot read {file}: {exc.strerror}") from exc


def _text_of(mapping: Path) -> str:
    try:
        return read_input(str(mapping), BYTES_MOST).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SetupError(f"{mapping} is not UTF-8; save it as UTF-8 text") from None


def _where(store: str, stores: Sequence[str]) -> StoreId:
    if store:
        return StoreId(check_slug(store, path="--store", what="store"))
    if len(stores) != 1:
        raise SetupError(f"name a store with --store: {', '.join(stores) or 'there is none yet'}")
    return StoreId(stores[0])


def _save(report: Path, views: Sequence[Mapping[str, Any]]) -> None:
    try:
        with report.open("w", encoding="utf-8", newline="") as out:
            if report.suffix.lower() == ".json":
                json.dump(list(views), out, ensure_ascii=False, indent=1)
                return
            writer = csv.DictWriter(out, _REPORTED, restval="", extrasaction="ignore")
            writer.writeheader()
            for view in views:
                done = " ".join(view["done"])
                writer.writerow(dict(view) | {"done": done, "sku": _skus(view)})
    except OSError as exc:
        raise SetupError(f"cannot write {report}: {exc.strerror}") from exc


def _tell(views: Sequence[Mapping[str, Any]], *, as_json: bool, dry_run: bool) -> None:
    counts = counts_of(views)
    refused = [view for view in views if view["decision"] == RowDecision.REJECTED]
    if as_json:
        named = ("row", "label", "field", "reason", "fix")
        told = [{name: view[name] for name in named} for view in refused[:_TOLD_MOST]]
        summary = counts | {"rejected_count": len(refused), "rejected": told, "dry_run": dry_run}
        print(json.dumps(summary, ensure_ascii=False))
        return
    shown = views if dry_run else refused
    if shown:
        table = Table("row", "label", "SKU", "what becomes of it" if dry_run else "why not")
        for view in shown[:_ROWS_SHOWN]:
            table.add_row(str(view["row"]), view["label"], _skus(view), _words_of(view))
        print_table(table)
        if len(shown) > _ROWS_SHOWN:
            print(f"and {len(shown) - _ROWS_SHOWN:,} more; all of them with: --report rows.csv")
    numbers = Table("", "", show_header=False, box=None)
    for name, count in counts.items():
        numbers.add_row(name, f"{count:,}")
    print_table(numbers)
    if dry_run:
        print("Nothing was stored: this was a dry run.")


def _skus(view: Mapping[str, Any]) -> str:
    return ", ".join(view.get("skus", [view["sku"]] if "sku" in view else []))


def _words_of(view: Mapping[str, Any]) -> str:
    if view["decision"] == RowDecision.REJECTED:
        return f"refused: {view['field']}: {view['reason']}. {view['fix']}"
    before = f" from {view['before']}" if "before" in view else ""
    return (", ".join(view["done"]) or "unchanged") + before
