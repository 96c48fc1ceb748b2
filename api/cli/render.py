"""``esl render``: one label, from a template and a face to a picture and the panel's bytes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.cli.template_files import (
    STANDARD_INPUT,
    find_template,
    print_finding,
    read_face,
    write_output,
)
from api.rendering import View, lint_label, render_label
from esl.domain.panel_file import load_panels
from esl.intake.render_json import SCALE_MOST
from esl.settings import read_settings
from renderer.lint.finding import Severity
from renderer.render import Renderer
from renderer.text.fonts import Fonts


def render(
    panel: Annotated[str, typer.Option(help="A display model; all of them: esl panels.")],
    template: Annotated[
        str, typer.Option(help="One of the gallery by name, or a YAML file; - is standard input.")
    ] = "standard",
    data: Annotated[
        str | None,
        typer.Option(help="FACE.json; - is standard input. Else the template's sample."),
    ] = None,
    worst_case: Annotated[
        bool, typer.Option("--worst-case", help="The template's worst case instead of its sample.")
    ] = False,
    png: Annotated[Path | None, typer.Option(help="Write the picture here.")] = None,
    binary: Annotated[
        Path | None, typer.Option("--bin", help="Write the panel's packed pixels here.")
    ] = None,
    lint: Annotated[
        bool, typer.Option("--lint", help="Check it too; errors give status 1.")
    ] = False,
    scale: Annotated[int, typer.Option(min=1, max=SCALE_MOST, help="Enlarge the picture.")] = 1,
    boxes: Annotated[bool, typer.Option("--boxes", help="Show the elements' boxes.")] = False,
    grid: Annotated[bool, typer.Option("--grid", help="Show a grid of 10 pixels.")] = False,
    pictures: Annotated[
        Path | None,
        typer.Option(help="Folder of the pictures that the template names.", file_okay=False),
    ] = None,
    panels_file: Annotated[
        Path | None,
        typer.Option(
            "--panels-file", help="TOML file of your own models.", show_default="settings"
        ),
    ] = None,
) -> None:
    """Draw one label.

    FACE.json holds what is known: {"name": "…", "price": "1.29", "currency": "EUR"} is enough.
    A face that cannot be shown truthfully is refused in one line, with status 1.
    """
    if data is not None and worst_case:
        raise typer.BadParameter("--data and --worst-case exclude each other")
    if data == template == STANDARD_INPUT:
        raise typer.BadParameter("only one of --template and --data can be standard input")
    settings = read_settings(panels_file=panels_file)
    model = load_panels(settings.panels_file).named(panel)
    chosen = find_template(template, pictures)
    given = read_face(data) if data is not None else None
    face = given or (chosen.worst_case if worst_case else chosen.sample)
    renderer = Renderer(fonts=Fonts(settings.fonts_folder))
    findings = lint_label(renderer, chosen, model, given) if lint else ()
    for finding in findings:
        print_finding(finding, template)
    view = View(scale=scale, boxes=boxes, grid=grid)
    rendered = render_label(renderer, chosen, model, face, view)
    if png is not None:
        write_output(png, rendered.png)
    if binary is not None:
        write_output(binary, rendered.frame.pixels)
    print(
        f"{chosen.file.name} on {model.panel_id}: "
        f"{len(rendered.frame.pixels)} bytes, sha256 {rendered.frame.digest}"
    )
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    if errors:
        print(f"esl: {errors} error(s); see above", file=sys.stderr)
        raise typer.Exit(1)
