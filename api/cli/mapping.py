"""``esl mapping``: propose a mapping for a file, try one on a file, its schema for editors."""

import io
import json
import shlex
import sys
from datetime import UTC
from pathlib import Path
from typing import Annotated, BinaryIO, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from api.cli.mapping_rows import print_trial
from api.cli.template_files import STANDARD_INPUT, read_input, write_output
from api.imports.trial import suggestion_json, trial_json, try_mapping
from esl.domain.errors import InvalidInput, SetupError
from esl.domain.ids import StoreId
from esl.domain.money import check_currency
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.model import Mapping
from esl.intake.mapping.schema import schema_text
from esl.intake.mapping.store_context import Place
from esl.intake.suggest.questions import why_not_used
from esl.intake.suggest.suggest import HEAD_BYTES, suggest_mapping
from esl.intake.suggest.suggestion import Suggestion
from esl.intake.suggest.writing import shown_column
from esl.intake.yaml_text import BYTES_MOST

_WHOLE_BYTES = 256 << 20
"""Largest JSON or .xlsx file that is held to suggest from; both can be read only whole."""

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]

app = typer.Typer(
    help="Mappings: what the columns of a till's price list mean.", no_args_is_help=True
)


@app.command("suggest")
def suggest(
    file: Annotated[str, typer.Argument(help="A price list, or - for standard input.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write the mapping there and say why; else it is printed."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the mapping.", show_default="the file's")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose a mapping for an unknown price list: a person confirms it.

    What the file does not prove is marked "unsure" in the mapping. Where no price could be
    believed without it, the mapping is refused until you have decided; `esl mapping check` says
    which lines are left, and then shows the rows as they would be taken.
    """
    try:
        suggestion = suggest_mapping(_read_head(file), name=name or Path(file).name)
    except InvalidInput as exc:
        _refuse(exc, file, as_json=as_json)
    if out is not None:
        write_output(out, suggestion.text.encode())
    if as_json:
        print(json.dumps(suggestion_json(suggestion), ensure_ascii=False, indent=2))
    elif out is not None:
        _print_reasons(suggestion)
        _print_next(suggestion, str(out), file)
    else:
        print(suggestion.text, end="")
        if suggestion.unsure:
            print(f"esl: unsure of {', '.join(suggestion.unsure)}", file=sys.stderr)


@app.command("check")
def check(
    mapping: Annotated[str, typer.Argument(help="A mapping (YAML or JSON), or -.")],
    file: Annotated[str | None, typer.Argument(help="A price list to try it on.")] = None,
    currency: Annotated[
        str | None,
        typer.Option(help="Of the store, where the mapping declares none.", show_default="EUR"),
    ] = None,
    rows: Annotated[int, typer.Option(min=0, max=1000, help="Products to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Check a mapping, and show the first products as they would be taken from a file.

    Nothing is imported. Status 1 if the mapping is wrong, the file cannot be read, or not one
    row could be taken; rows that are refused are listed with what is wrong with them.
    """
    checked = _read_mapping(mapping)
    if file is None:
        if as_json:
            print(json.dumps({"name": checked.name, "fields": list(checked.fields)}))
        else:
            print(f"{checked.name}: no errors, {len(checked.fields)} fields")
        return
    code = checked.currency or check_currency(currency or "EUR", path="/currency")
    place = Place(store_id=StoreId("store"), currency=code, timezone=UTC)
    with _open(file) as source:
        try:
            trial = try_mapping(source, checked, place=place, shown=rows, file_name=file)
        except InvalidInput as exc:
            _refuse(exc, file, as_json=as_json)
    if as_json:
        print(json.dumps(trial_json(trial), ensure_ascii=False, indent=2))
    else:
        print_trial(trial, checked)
    if not trial.taken:
        _fail("not one row could be taken")


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of mappings, for your editor."""
    print(schema_text(), end="")


def _read_mapping(name: str) -> Mapping:
    """Read a mapping, or print all that is wrong with it and stop."""
    try:
        return parse_mapping(read_input(name, BYTES_MOST).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidInput.at("", f"{name} is not UTF-8", fix="Save it as UTF-8 text.") from None
    except InvalidInput as exc:
        _refuse(exc, name, as_json=False)


def _read_head(file: str) -> bytes:
    """Read what suggesting needs: the head of a text, all of JSON and .xlsx."""
    with _open(file) as source:
        data = source.read(HEAD_BYTES)
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"PK\x03\x04", b"{", b"[")):
            data += source.read(_WHOLE_BYTES - len(data) + 1)
    if len(data) > _WHOLE_BYTES:
        raise InvalidInput.at("", f"{file} has more than {_WHOLE_BYTES} bytes", fix="Send a part.")
    return data


def _open(file: str) -> BinaryIO:
    if file == STANDARD_INPUT:
        return io.BytesIO(sys.stdin.buffer.read(_WHOLE_BYTES + 1))
    try:
        return Path(file).open("rb")
    except OSError as exc:
        raise SetupError(f"cannot read {file}: {exc.strerror}") from exc


def _print_reasons(suggestion: Suggestion) -> None:
    """Print each choice with its reason, the unsure ones first to be seen."""
    table = Table("", "what", "choice", "why")
    for setting in suggestion.settings:
        if setting.value is None and setting.sure:
            continue
        shown = json.dumps(setting.value, ensure_ascii=False)
        table.add_row("" if setting.sure else "?", setting.key, shown, setting.why)
    table.add_section()
    for field in suggestion.fields:
        column = field.column.header or field.column.path if field.column else "-"
        table.add_row("" if field.sure else "?", field.target, column, field.why)
    for question in suggestion.questions:
        column = question.column.header or question.column.path
        table.add_row("?", question.target or "-", column, question.words)
    Console(markup=False, highlight=False).print(table)
    asked = {id(question.column) for question in suggestion.questions}
    for unused in suggestion.unused:
        if id(unused) not in asked:
            print(f"not used: {shown_column(unused)}: {why_not_used(unused)}")


def _print_next(suggestion: Suggestion, out: str, file: str) -> None:
    if suggestion.unsure:
        print(f"Unsure: {', '.join(suggestion.unsure)}. Decide them in {out}.")
    command = shlex.join(["esl", "mapping", "check", out, file])
    print(f"Wrote {out}. Now try it: {command}")


def _refuse(exc: InvalidInput, name: str, *, as_json: bool) -> NoReturn:
    """Print all problems, each with its fix, and stop with status 1."""
    if as_json:
        problems = [{"path": p.path, "detail": p.detail, "fix": p.fix} for p in exc.problems]
        print(json.dumps({"problems": problems}, ensure_ascii=False, indent=2))
        raise typer.Exit(1)
    for problem in exc.problems:
        place = f" at {problem.path}" if problem.path else ""
        print(f"{name}: error: {problem.detail}{place}", file=sys.stderr)
        if problem.fix:
            print(f"    {problem.fix}", file=sys.stderr)
    _fail(f"{len(exc.problems)} error(s)")


def _fail(reason: str) -> NoReturn:
    print(f"esl: {reason}", file=sys.stderr)
    raise typer.Exit(1)
