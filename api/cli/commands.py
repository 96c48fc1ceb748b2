"""Which commands ``esl`` has, and where each is.

A command's module is imported when it is asked for: a controller that starts again after a power
cut has no use for what benchmarks, simulator and kit import, and every second counts.
"""

import gc
import inspect
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import NamedTuple

import typer

from api.cli.logs import configure_logs
from esl.domain.errors import EslError, InvalidInput


class _Place(NamedTuple):
    """Where a command is, or a group of them (``is_group``)."""

    module: str
    name: str
    is_group: bool = False


COMMANDS: Mapping[str, _Place] = {
    "serve": _Place("api.cli.serve", "serve"),
    "worker": _Place("api.cli.worker", "worker"),
    "demo": _Place("api.cli.demo", "demo"),
    "simulate": _Place("api.cli.simulate", "simulate"),
    "conform": _Place("api.cli.conform", "conform_command"),
    "render": _Place("api.cli.render", "render"),
    "sign-in": _Place("api.cli.tokens", "sign_in"),
    "token": _Place("api.cli.tokens", "app", is_group=True),
    "fleet": _Place("api.cli.fleet", "fleet"),
    "clock": _Place("api.cli.clock", "app", is_group=True),
    "keys": _Place("api.cli.keys", "app", is_group=True),
    "panels": _Place("api.cli.panels", "app", is_group=True),
    "templates": _Place("api.cli.templates", "app", is_group=True),
    "import": _Place("api.cli.imports", "import_file"),
    "migrate": _Place("api.cli.migrate", "app", is_group=True),
    "mapping": _Place("api.cli.mapping", "app", is_group=True),
    "sources": _Place("api.cli.sources", "app", is_group=True),
    "bench": _Place("api.cli.bench", "app", is_group=True),
}


def make_app(names: Iterable[str]) -> typer.Typer:
    """Make ``esl`` with these commands."""
    app = typer.Typer(
        name="esl",
        help="A self-hosted controller for electronic shelf labels.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_stay_a_group)
    for name in names:
        place = COMMANDS[name]
        found = getattr(import_module(place.module), place.name)
        if place.is_group:
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    _unwrap_help(app)
    return app


def _unwrap_help(app: typer.Typer) -> None:
    """Let the terminal alone break the lines of help texts, not the lines of our docstrings."""
    for command in app.registered_commands:
        text = command.help or inspect.getdoc(command.callback) or ""
        paragraphs = text.split("\n\n")
        command.help = "\n\n".join(" ".join(lines.split()) for lines in paragraphs)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _unwrap_help(group.typer_instance)


def main() -> None:
    """Run a command; an error of ours is one line on standard error and status 1."""
    configure_logs()
    asked = sys.argv[1:2]
    gc.disable()  # what modules make stays: to look through it again and again takes 0.3 s
    app = make_app(asked if asked and asked[0] in COMMANDS else COMMANDS)
    gc.freeze()
    gc.enable()
    try:
        app()
    except EslError as exc:
        fix = exc.problems[0].fix if isinstance(exc, InvalidInput) else None
        words = f"{exc}. {fix}" if fix else str(exc)
        print("esl:", " ".join(words.split()), file=sys.stderr)  # PostgreSQL's words are lines
        sys.exit(1)


def _stay_a_group() -> None:
    """Keep the command's name a word of its own where there is but one."""
