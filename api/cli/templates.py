"""``esl templates``: the gallery, checks for your own, and pictures of them."""

import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table

from api.cli.tables import print_table
from api.cli.template_files import (
    find_template,
    print_finding,
    print_problems,
    summary_of,
    write_output,
)
from api.rendering import View, render_label
from esl.domain.errors import InvalidInput, RenderRefused, SetupError
from esl.domain.panel import Panel
from esl.domain.panel_file import load_panels
from esl.intake.render_json import SCALE_MOST
from esl.settings import read_settings
from renderer.lint.finding import Severity
from renderer.lint.lint import lint_template
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.template.schema import schema_text
from renderer.text.fonts import Fonts

FAMILIES = (
    "bw-200x200",
    "bwry-200x200",
    "bw-250x122",
    "bwry-250x122",
    "bwr-296x128",
    "bwry-296x128",
    "bwry-384x168",
    "bwy-384x184",
    "bwr-400x300",
    "bwry-400x300",
    "bwry-522x152",
    "bwry-648x480",
    "bwry-800x480",
    "bwr-960x680",
)
"""One model of each size and set of inks that look different: what pictures and checks take."""

PanelIds = Annotated[
    list[str] | None,
    typer.Option("--panel", help="A display model; may be repeated.", show_default="one a family"),
]
PanelsFile = Annotated[
    Path | None,
    typer.Option("--panels-file", help="TOML file of your own models.", show_default="settings"),
]
Pictures = Annotated[
    Path | None,
    typer.Option(help="Folder of the pictures that the template names.", file_okay=False),
]

app = typer.Typer(help="Templates: what labels look like.", no_args_is_help=True)


@app.command("list")
def list_templates(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the templates of the gallery."""
    summaries = [summary_of(template) for template in load_gallery().values()]
    if as_json:
        print(json.dumps(summaries, ensure_ascii=False, indent=2))
        return
    table = Table("name", "title", "products", "what it is for")
    for summary in summaries:
        table.add_row(*(str(value) for value in summary.values()))
    print_table(table)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A template of the gallery.")],
) -> None:
    """Print a template of the gallery, to begin your own with."""
    print(find_template(name, None).text, end="")


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of template files, for your editor."""
    print(schema_text(), end="")


@app.command("check")
def check(
    file: Annotated[str, typer.Argument(help="A YAML file, or - for standard input.")],
    panel: PanelIds = None,
    pictures: Pictures = None,
    panels_file: PanelsFile = None,
) -> None:
    """Check a template with its sample and its worst case; status 1 if it has errors."""
    panels, renderer = _choose(panel, panels_file)
    try:
        template = find_template(file, pictures)
    except InvalidInput as exc:
        print_problems(exc, file)
        _fail(f"{len(exc.problems)} error(s)")
    findings = lint_template(renderer, template, panels)
    for finding in findings:
        print_finding(finding, file)
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = len(findings) - errors
    if errors:
        _fail(f"{errors} error(s), {warnings} warning(s)")
    print(f"{template.file.name}: no errors, {warnings} warning(s) on {len(panels)} panel(s)")


@app.command("pictures")
def pictures(
    folder: Annotated[Path, typer.Argument(help="Where to write them.", file_okay=False)],
    panel: PanelIds = None,
    template: Annotated[
        list[str] | None,
        typer.Option(help="One of the gallery, or a file; may be repeated.", show_default="all"),
    ] = None,
    scale: Annotated[int, typer.Option(min=1, max=SCALE_MOST, help="Enlarge them.")] = 1,
    panels_file: PanelsFile = None,
) -> None:
    """Draw templates with their sample data on panels: a PNG each, TEMPLATE-PANEL.png."""
    panels, renderer = _choose(panel, panels_file)
    chosen = [find_template(name, None) for name in template] if template else None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise SetupError(f"cannot make {folder}: {exc.strerror}") from exc
    refused = 0
    for each in chosen or load_gallery().values():
        for model in panels:
            try:
                rendered = render_label(renderer, each, model, each.sample, View(scale=scale))
            except RenderRefused as exc:
                refused += 1
                print(f"{each.file.name} on {model.panel_id}: {exc}", file=sys.stderr)
                continue
            write_output(folder / f"{each.file.name}-{model.panel_id}.png", rendered.png)
    if refused:
        _fail(f"{refused} picture(s) refused")


def _choose(panel_ids: list[str] | None, panels_file: Path | None) -> tuple[list[Panel], Renderer]:
    """Find the panels, and make a renderer with the fonts of this installation."""
    settings = read_settings(panels_file=panels_file)
    panels = load_panels(settings.panels_file)
    chosen = [panels.named(panel_id) for panel_id in panel_ids or FAMILIES]
    return chosen, Renderer(fonts=Fonts(settings.fonts_folder))


def _fail(reason: str) -> NoReturn:
    print(f"esl: {reason}", file=sys.stderr)
    raise typer.Exit(1)
