"""``esl bench``: how fast this machine does it."""

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.bench.flips import FlipSize, measure_flips
from api.bench.intake import IntakeSize, measure_intake
from api.bench.measure import measure_pipeline
from api.bench.offers import measure_offers
from api.bench.products import find_products
from api.bench.rendering import WARM_UP, RenderFigures, measure_render
from api.bench.sealing import measure_sealing
from api.bench.zones import measure_zones
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


@app.command("pipeline")
def pipeline(
    labels: Annotated[int, typer.Option(min=10, max=200_000, help="How many labels.")] = 1000,
    gateways: Annotated[
        int | None, typer.Option(min=1, max=500, help="How many gateways.", show_default="1 in 500")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Simulated labels that check and paint every picture.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
    naive: Annotated[
        bool,
        typer.Option("--naive/--no-naive", help="Also the straightforward way, for a ratio."),
    ] = True,
) -> None:
    """Measure from price change to report: controller, broker and gateways on this machine.

    A controller of its own runs in a temporary folder. First every label gets a product (cold),
    then every product another price; each round ends when all labels are reported to be right.
    What the names in the JSON mean: docs/performance.md.
    """
    figures = measure_pipeline(
        labels,
        gateways=gateways or min(max(2, labels // 500), 200),
        thin=not full,
        naive=naive,
        progress=lambda text: typer.echo(text, err=True),
    )
    if as_json:
        print(json.dumps(figures), flush=True)
    else:
        Console(markup=False).print(_pipeline_table(figures))


@app.command("intake")
def intake(
    clients: Annotated[int, typer.Option(min=1, max=500, help="Tills at once.")] = 32,
    changes: Annotated[int, typer.Option(min=100, help="Single changes in all.")] = 9600,
    products: Annotated[int, typer.Option(min=10, max=100_000, help="How many products.")] = 10_000,
    rows: Annotated[int, typer.Option(min=100, help="Rows of the imported list.")] = 100_000,
    database: Annotated[
        str | None,
        typer.Option(help="postgresql://…: an empty database.", show_default="SQLite"),
    ] = None,
    naive: Annotated[
        bool,
        typer.Option("--naive/--no-naive", help="Also the straightforward way, for a ratio."),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Measure how fast prices are taken in: single changes, bulk requests, imported lists.

    A controller of its own runs in a temporary folder, with guards, audit and full durability;
    every change is answered after its commit, and prices are read back at the end.
    """
    if products < clients:
        raise InvalidInput.at("--products", f"fewer than the {clients} tills: each has its own")
    size = IntakeSize(
        clients=clients,
        changes=changes,
        products=products,
        import_rows=rows,
        naive_changes=min(changes, IntakeSize().naive_changes),
    )
    figures = measure_intake(
        size,
        database=database,
        naive=naive,
        progress=lambda text: typer.echo(text, err=True),
    )
    if as_json:
        print(json.dumps(figures), flush=True)
    else:
        Console(markup=False).print(_intake_table(figures))


@app.command("sealing")
def sealing(
    rows: Annotated[int, typer.Option(min=1000, max=10_000_000, help="How many prices.")] = 200_000,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Seal prices in the audit chain, in the background of nothing, and verify them."""
    figures = measure_sealing(rows)
    if as_json:
        print(json.dumps(figures), flush=True)
    else:
        table = Table("measured", "", title="sealing", box=None)
        for name, value in figures.items():
            table.add_row(name.replace("_", " "), f"{value:,}")
        Console(markup=False).print(table)


@app.command("offers")
def offers(
    labels: Annotated[int, typer.Option(min=100, max=1_000_000, help="How many.")] = 20_000,
    naive: Annotated[
        bool,
        typer.Option("--naive/--no-naive", help="Also the straightforward way, for a ratio."),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Compute what every label of a shop may say, with 40 promotions and prices of the past."""
    figures = measure_offers(labels, naive=naive)
    if as_json:
        print(json.dumps(figures), flush=True)
    else:
        table = Table("measured", "", title="offers", box=None)
        for name, value in figures.items():
            table.add_row(name.replace("_", " "), f"{value:,}")
        Console(markup=False).print(table)


@app.command("flip")
def flip(
    labels: Annotated[int, typer.Option(min=10, max=30_000, help="How many labels.")] = 10_000,
    gateways: Annotated[
        int | None, typer.Option(min=1, max=500, help="How many gateways.", show_default="1 in 100")
    ] = None,
    check_in: Annotated[
        float, typer.Option(min=1, max=600, help="The longest between two check-ins, seconds.")
    ] = 60.0,
    dead: Annotated[int, typer.Option(min=0, help="So many labels are dead.")] = 10,
    clock_off: Annotated[
        int, typer.Option(min=0, max=10_000, help="How far labels' clocks may be off, ms.")
    ] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Flip a whole store: by a staged promotion, its start and end, and without staging.

    Air, check-ins and painting are a shop's, in real time: 10,000 labels take twenty minutes.
    What the names in the JSON mean: docs/performance.md.
    """
    size = FlipSize(
        labels=labels,
        gateways=gateways or max(1, labels // 100),
        check_in_s=check_in,
        dead=min(dead, labels // 10),
        label_off_ms=clock_off,
    )
    with tempfile.TemporaryDirectory(prefix="esl-bench-") as name:
        figures = measure_flips(Path(name), size, lambda text: typer.echo(text, err=True))
    if as_json:
        print(json.dumps(figures), flush=True)
        return
    table = Table("measured", "start", "end", title=f"{labels:,} labels, staged", box=None)
    for name in figures["start"]:
        table.add_row(
            name.replace("_", " "), str(figures["start"][name]), str(figures["end"][name])
        )
    Console(markup=False).print(table)
    beside = Table("measured", "", title="unstaged", box=None)
    for name, value in figures["unstaged"].items():
        beside.add_row(name.replace("_", " "), str(value))
    Console(markup=False).print(beside)


def _intake_table(figures: dict[str, Any]) -> Table:
    table = Table(title=f"taking prices in, {figures['database']}", box=None)
    for heading in ("measured", "a second", "p50", "p99"):
        table.add_column(heading, justify="left" if heading == "measured" else "right")
    naive = "naive_single_per_s" in figures
    for prefix, words in (("", "single changes"), ("naive_", "  the naive way"))[: 1 + naive]:
        table.add_row(
            f"{words}, {figures['clients']} clients",
            f"{figures[f'{prefix}single_per_s']:,}",
            f"{figures[f'{prefix}single_p50_ms']:.1f} ms",
            f"{figures[f'{prefix}single_p99_ms']:.1f} ms",
        )
    table.add_row("changes in bulk", f"{figures['bulk_per_s']:,}")
    rows = f"{figures['import_rows']:,}"
    table.add_row(f"imported rows of {rows}, new", f"{figures['import_rows_per_s']:,}")
    table.add_row("  again, other prices", f"{figures['import_changed_rows_per_s']:,}")
    table.add_row(
        "  single changes meanwhile",
        "",
        f"{figures['single_p50_ms_during_import']:.1f} ms",
        f"{figures['single_p99_ms_during_import']:.1f} ms",
    )
    table.add_row("  most memory", f"{figures['import_peak_rss_mb']:,} MB")
    return table


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


def _pipeline_table(figures: dict[str, Any]) -> Table:
    table = Table(title=f"{figures['labels']:,} labels, {figures['gateways']} gateways", box=None)
    table.add_column("measured", no_wrap=True)
    table.add_column("new products", justify="right", no_wrap=True)
    table.add_column("new prices", justify="right", no_wrap=True)
    table.add_row(
        "labels a second",
        f"{figures['cold_labels_per_s']:,}",
        f"{figures['labels_per_s']:,}",
    )
    table.add_row(
        "controller's CPU, µs a label", str(figures["cold_cpu_us"]), str(figures["cpu_us"])
    )
    for stage, cold_us in figures["cold_cpu_us_per_label"].items():
        table.add_row(f"  {stage}", str(cold_us), str(figures["cpu_us_per_label"][stage]))
    if "bytes_per_label" in figures:
        table.add_row(
            "bytes of the picture",
            str(figures["cold_bytes_per_label"]),
            str(figures["bytes_per_label"]),
        )
    if "naive_ratio" in figures:
        table.add_row(
            "times the naive way",
            str(figures["cold_naive_ratio"]),
            str(figures["naive_ratio"]),
        )
    table.add_row("most memory, MB", "", str(figures["peak_rss_mb"]))
    return table


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


@app.command("zones")
def zones(
    stores: Annotated[int, typer.Option(min=1, max=5000, help="Stores of the zone.")] = 400,
    products: Annotated[int, typer.Option(min=1, max=2000, help="Products that change.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Change prices of a zone: until it is accepted, and until all of its stores were told."""
    figures = measure_zones(stores, products)
    if as_json:
        print(json.dumps(figures))
        return
    print(
        f"{figures['products']} product(s) of {figures['stores']} store(s):"
        f" accepted in {figures['accepted_ms']} ms, told in {figures['told_s']} s"
    )
