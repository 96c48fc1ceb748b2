"""``esl panels``: the display models, built-in and your own."""

import json
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.panel_views import facts_of
from esl.domain.panel import Encoding, Panel, Panels
from esl.domain.panel_file import EXAMPLE, load_panels
from esl.settings import read_settings

PanelsFile = Annotated[
    Path | None,
    typer.Option("--panels-file", help="TOML file of your own models.", show_default="settings"),
]

_PIPED_WIDTH = 160
"""Columns for a table that no terminal folds: whole rows for grep."""

app = typer.Typer(help="Display models of labels.", invoke_without_command=True)


class InkSet(StrEnum):
    """Which inks to list."""

    BW = "bw"
    BWR = "bwr"
    BWY = "bwy"
    BWRY = "bwry"


@app.callback()
def list_panels(
    context: typer.Context,
    inks: Annotated[InkSet | None, typer.Option(help="Only models with these inks.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As in docs/panels.md.")] = False,
    panels_file: PanelsFile = None,
) -> None:
    """List the models, smallest glass first."""
    if context.invoked_subcommand is not None:
        return
    panels = [p for p in _known(panels_file).values() if inks is None or p.ink_set == inks]
    if as_json:
        print(json.dumps([facts_of(panel) for panel in panels], ensure_ascii=False, indent=2))
    elif markdown:
        print(markdown_table(panels))
    else:
        width = None if sys.stdout.isatty() else _PIPED_WIDTH
        console = Console(markup=False, width=width)
        narrow = console.width < _PIPED_WIDTH
        shown = [i for i, name in enumerate(_COLUMNS) if not narrow or name in _FEW_COLUMNS]
        table = Table(*[_COLUMNS[i] for i in shown])
        table.columns[0].no_wrap = True  # ids are there to be copied
        for panel in panels:
            row = _row(panel)
            table.add_row(*[row[i] for i in shown])
        console.print(table)  # a name may hold brackets


@app.command("show")
def show(
    panel: Annotated[str, typer.Argument(help="A model's id.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    panels_file: PanelsFile = None,
) -> None:
    """Show everything known of one model, and what of it is only likely."""
    facts = facts_of(_known(panels_file).named(panel))
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    nominal = facts.pop("nominal")
    table = Table("field", "value", "")
    for name, value in facts.items():
        table.add_row(name, _in_words(value), "nominal" if name in nominal else "")
    Console(markup=False).print(table)  # a name may hold brackets


@app.command("example")
def example() -> None:
    """Print a file with a model of your own, every field explained."""
    print(EXAMPLE, end="")


def _known(panels_file: Path | None) -> Panels:
    return load_panels(read_settings(panels_file=panels_file).panels_file)


_FEW_COLUMNS = frozenset({"id", "model", "px", "mm", "dpi"})
"""What a narrow terminal has room for; ``esl panels show`` says the rest."""

_COLUMNS = ("id", "model", "px", "mm", "dpi", "encoding", "codes", "turn", "refresh", "frame")


def markdown_table(panels: Iterable[Panel]) -> str:
    """Write models as a table of a Markdown page; nominal values end in ``~``."""
    rows = [_COLUMNS, tuple("---" for _ in _COLUMNS), *(_row(panel) for panel in panels)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(panel: Panel) -> tuple[str, ...]:
    """Write a model as a row; what is nominal ends in ``~``."""

    def marked(text: str, *names: str) -> str:
        return f"{text}~" if panel.nominal.intersection(names) else text

    letters = [ink.name[0] if ink.name != "BLACK" else "K" for ink in panel.inks]
    codes = " ".join(f"{k}{code:02b}" for k, code in zip(letters, panel.codes, strict=True))
    planes = "packed" if panel.encoding is Encoding.PACKED else f"planes: {panel.planes}"
    return (
        str(panel.panel_id),
        panel.name,
        f"{panel.width_px} × {panel.height_px}",
        marked(f"{panel.width_mm:.1f} × {panel.height_mm:.1f}", "active_mm"),
        marked(str(panel.dpi), "dpi"),
        marked(planes, "encoding"),
        marked(codes, "codes"),
        marked(f"{panel.turn}°", "turn"),
        marked(f"{panel.refresh_s:g} s", "refresh_s"),
        f"{panel.frame_bytes:,} B",
    )


def _in_words(value: Any) -> str:
    match value:
        case dict():
            return ", ".join(f"{name} {_in_words(inner)}" for name, inner in value.items())
        case list():
            return " ".join(str(inner) for inner in value)
        case bool():
            return "yes" if value else "no"
    return str(value)
