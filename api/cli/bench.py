"""``esl bench``: how fast this machine does it."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.bench.products import find_products
from api.bench.rendering import WARM_UP, RenderFigures, measure_render
from esl.domain.errors import InvalidInput
from esl.domain.panel import Panels
from esl.domain.panel_file import load_panels
from esl.settings import read_settings
from renderer.template.gallery import load_gallery
from renderer.template.template import Template

PANELS = ("bwry-296x128", "bwry-250x122", "bwry-400x300", "bwry-800x480")
"""Measured where none is named: three small sizes and a large one."""

app = typer.Typer(help="Measure what this machine does.", no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure what this machine does."""


@app.command("render")
def render(
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON a panel.")] = False,
    panel: Annotated[list[str] | None, typer.Option(help="A panel's id; may be repeated.")] = None,
    template: Annotated[str, typer.Option(help="A template of the gallery.")] = "promotion",
    labels: Annotated[int, typer.Option(min=100, max=10_000, help="How many products.")] = 5200,
    naive: Annotated[
        bool, typer.Option("--naive", help="Draw the straightforward way in between, for a ratio.")
    ] = False,
    lists: Annotated[
        Path | None,
        typer.Option("--price-lists", help="Folder of CSV price lists to take products from."),
    ] = None,
    panels_file: Annotated[
        Path | None,
        typer.Option(help="TOML file of your own models.", show_default="settings"),
    ] = None,
) -> None:
    """Draw labels on one core: every product new, then only prices new; packing included."""
    chosen = _find_template(template)
    panels = _find_panels(panel or PANELS, panels_file)
    products, real = find_products(WARM_UP + labels, lists)
    measured: list[RenderFigures] = []
    for model in panels.values():
        figures = measure_render(model, chosen, products, real_names=real, naive=naive)
        if as_json:
            print(json.dumps(figures.as_json()), flush=True)
        measured.append(figures)
    if not as_json:
        Console(markup=False).print(_table(measured))


def _find_template(name: str) -> Template:
    gallery = load_gallery()
    if name not in gallery:
        raise InvalidInput.at(
            "--template", f"the gallery has no such template; it has {', '.join(gallery)}"
        )
    return gallery[name]


def _find_panels(names: list[str] | tuple[str, ...], panels_file: Path | None) -> Panels:
    known = load_panels(read_settings(panels_file=panels_file).panels_file)
    return Panels(known.named(name) for name in dict.fromkeys(names))


def _table(measured: list[RenderFigures]) -> Table:
    table = Table(title=f"{measured[0].template}: labels a second and core" if measured else None)
    table.add_column("panel", no_wrap=True)
    for heading in ("cold", "warm", "naive", "read back", "decode", "zlib"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in measured:
        straight = row.naive_labels_per_s
        table.add_row(
            row.panel,
            f"{row.cold_labels_per_s:,.0f}",
            f"{row.warm_labels_per_s:,.0f}",
            "" if straight is None else f"{straight:,.1f}",
            f"{row.read_back_ms:.3f} ms",
            f"{row.decode_ms:.2f} ms",
            f"{row.bytes_zlib:,} B",
        )
    return table
