"""``esl import``: take a price list, through the running controller or without one."""

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Protocol, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from api.books import open_books
from api.cli.import_words import Noted, print_import, read_report
from api.cli.running import client_if_running
from api.cli.serve import DataDir
from api.cli.template_files import STANDARD_INPUT, read_input
from api.client import Client
from api.imports.in_process import ImportsInProcess
from api.imports.upload import MAPPING_NAME
from esl.domain.errors import EslError, SetupError, Unavailable
from esl.domain.ids import check_slug
from esl.domain.import_job import ImportState
from esl.intake.yaml_text import BYTES_MOST
from esl.settings import Settings, read_settings

_UPLOAD_PATIENCE_S = 600.0
_LOOK_FIRST_S, _LOOK_LONGEST_S = 0.05, 0.5
_STRICT_STATUS = 3
_INTERRUPTED_STATUS = 130


class _ReportForm(StrEnum):
    JSON = "json"
    CSV = "csv"


class _Imports(Protocol):
    """Where imports are handed in: a controller, or this process."""

    def begin(
        self, store: str | None, file: BinaryIO, *, name: str, options: Mapping[str, str]
    ) -> str: ...
    def look(self, job_id: str) -> dict[str, Any]: ...
    def cancel(self, job_id: str) -> None: ...
    def report(self, job_id: str, form: str) -> Iterator[bytes]: ...


class _ImportsOverHttp:
    """Hands imports in at a controller that runs."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def begin(
        self, store: str | None, file: BinaryIO, *, name: str, options: Mapping[str, str]
    ) -> str:
        path = f"/api/v1/stores/{store}/imports" if store is not None else "/api/v1/imports"
        return str(self._client.post_file(path, file, name=name, options=options)["id"])

    def look(self, job_id: str) -> dict[str, Any]:
        return cast("dict[str, Any]", self._client.get(f"/api/v1/imports/{job_id}"))

    def cancel(self, job_id: str) -> None:
        self._client.post(f"/api/v1/imports/{job_id}/cancel", {})

    def report(self, job_id: str, form: str) -> Iterator[bytes]:
        return self._client.download(f"/api/v1/imports/{job_id}/report", format=form)


def import_file(
    file: Annotated[str, typer.Argument(help="A price list, or - for standard input.")],
    mapping: Annotated[
        str | None,
        typer.Option(help="A mapping's file, or the name of a saved one; else the source's."),
    ] = None,
    store: Annotated[
        str,
        typer.Option(
            help="The store's id.", show_default="what the rows or the source say; the only store"
        ),
    ] = "",
    store_from: Annotated[
        str | None,
        typer.Option(help="Where the store stands in the file's name: prices_{store}_*.csv."),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full/--delta",
            help="The list is complete: what it leaves out is retired. Or it has changes alone.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Store nothing; say what would become of it.")
    ] = False,
    source: Annotated[
        str | None, typer.Option(help="Whose word it is.", show_default="the mapping's name")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a line a row there: a .csv or .json file.")
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Status 3 if a row is refused or held back, or a field wrong."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
    data: DataDir = None,
) -> None:
    """Import a price list: products, prices and promotions of a store, or of several.

    Rows that cannot be taken are listed with reasons; the others are taken. A file that cannot be
    believed as a whole (cut off, wrong totals, wrong encoding) is not taken at all: status 1.
    """
    if mapping is None and source is None:
        raise typer.BadParameter("name a mapping, or a source that has one", param_hint="--mapping")
    options = {"mode": "full" if full else "delta", "dry_run": "true" if dry_run else "false"}
    if mapping is not None:
        options["mapping"] = _read_mapping(mapping)
    if source is not None:
        options["source"] = source
    if store_from is not None:
        options["store_from"] = store_from
    form = _form_of(report)
    settings = read_settings(data_dir=data)
    with _open(file) as opened, _imports(settings) as imports:
        where = check_slug(store, path="--store", what="store") if store else None
        name = "" if file == STANDARD_INPUT else Path(file).name
        job_id = imports.begin(where, opened, name=name, options=options)
        ended = _follow(imports, job_id)
        if report is not None:
            _save(imports, job_id, report, form)
        is_done = ended["state"] == ImportState.DONE
        noted = read_report(imports.report(job_id, _ReportForm.JSON)) if is_done else Noted()
    summary = ended["summary"]
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        print_import(ended, noted)
    _exit(ended, summary, noted, strict=strict)


def _exit(ended: dict[str, Any], summary: dict[str, Any], noted: Noted, *, strict: bool) -> None:
    if ended["state"] != ImportState.DONE:
        raise typer.Exit(1)
    counts = ended["counts"]
    if summary["rows"] and not counts["products"]:
        raise typer.Exit(1)
    if strict and (counts["rejected"] or counts["quarantined"] or noted.is_wrong):
        raise typer.Exit(_STRICT_STATUS)


def _read_mapping(name: str) -> str:
    """Return a mapping's document, or the name of a saved one."""
    if not Path(name).is_file() and MAPPING_NAME.fullmatch(name):
        return name
    try:
        document = read_input(name, BYTES_MOST).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SetupError(f"{name} is not UTF-8; save it as UTF-8 text") from None
    return document if document.strip() else "\n"


def _form_of(report: Path | None) -> _ReportForm:
    if report is None:
        return _ReportForm.JSON
    if not report.absolute().parent.is_dir():  # said before anything is imported
        raise SetupError(f"cannot write {report}: there is no folder {report.parent}")
    try:
        return _ReportForm(report.suffix.removeprefix(".").lower())
    except ValueError:
        raise typer.BadParameter("name a .csv or .json file", param_hint="--report") from None


@contextlib.contextmanager
def _open(file: str) -> Iterator[BinaryIO]:
    """Open the list; standard input is kept in a file first, because it is read twice."""
    if file == STANDARD_INPUT:
        with tempfile.TemporaryFile() as kept:
            while data := sys.stdin.buffer.read(1 << 20):
                kept.write(data)
            kept.seek(0)
            yield cast("BinaryIO", kept)
        return
    try:
        opened = Path(file).open("rb")  # noqa: SIM115  closed by the block below
    except OSError as exc:
        raise SetupError(f"cannot read {file}: {exc.strerror}") from exc
    with opened:
        yield opened


@contextlib.contextmanager
def _imports(settings: Settings) -> Iterator[_Imports]:
    """Speak with the controller that runs on the data folder; without one, do it here."""
    with client_if_running(settings.data_dir, patience_s=_UPLOAD_PATIENCE_S) as client:
        if client is not None:
            yield _ImportsOverHttp(client)
            return
    with open_books(settings) as books:
        imports = ImportsInProcess(settings, books)
        try:
            yield imports
        finally:
            imports.close()


def _follow(imports: _Imports, job_id: str) -> dict[str, Any]:
    """Wait until the job has ended, with a bar on a terminal; an interrupt cancels it."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    try:
        with bar:
            task = bar.add_task("waiting", total=None, words="")
            pause_s = _LOOK_FIRST_S
            while True:
                job = _look(imports, job_id)
                if job["ended_at"] is not None:
                    return job
                _show(bar, task, job)
                time.sleep(pause_s)
                pause_s = min(pause_s * 1.5, _LOOK_LONGEST_S)
    except KeyboardInterrupt:
        with contextlib.suppress(EslError):
            imports.cancel(job_id)
        print(f"esl: cancelled; what was taken until now stays (import {job_id})", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED_STATUS) from None


def _look(imports: _Imports, job_id: str) -> dict[str, Any]:
    try:
        return imports.look(job_id)
    except Unavailable:  # busy, or restarting: the job goes on by itself; ask once more
        time.sleep(_LOOK_LONGEST_S * 2)
        return imports.look(job_id)


def _show(bar: Progress, task: Any, job: dict[str, Any]) -> None:
    at = job["progress"]
    words = f"{at['taken']:,} of {at['rows']:,} rows" if at["rows"] else ""
    bar.update(
        task,
        description="waiting" if job["state"] == ImportState.QUEUED else at["pass"],
        completed=at["read_bytes"],
        total=job["bytes"],
        words=words,
    )


def _save(imports: _Imports, job_id: str, report: Path, form: _ReportForm) -> None:
    try:
        with report.open("wb") as out:
            for piece in imports.report(job_id, form.value):
                out.write(piece)
    except OSError as exc:
        raise SetupError(f"cannot write {report}: {exc.strerror}") from exc
