"""Which commands ``esl`` has, and where each is.

A command's module is imported when it is asked for: a controller that starts again after a power
cut has no use for what benchmarks, simulator and kit import, and every second counts.
"""

import gc
import inspect
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module, metadata
from typing import Annotated, NamedTuple

import typer

from api.cli.logs import configure_logs
from esl.domain.errors import EslError, InvalidInput


class _Place(NamedTuple):
    """Where a command is, or a group of them (``is_group``)."""

    module: str
    name: str
    is_group: bool = False


COMMANDS: Mapping[str, _Place] = {
    "init": _Place("api.cli.init", "init"),
    "doctor": _Place("api.cli.doctor", "doctor"),
    "serve": _Place("api.cli.serve", "serve"),
    "tls": _Place("api.cli.tls", "app", is_group=True),
    "stop-sending": _Place("api.cli.sending", "stop_sending"),
    "resume": _Place("api.cli.sending", "resume"),
    "neutral": _Place("api.cli.sending", "neutral"),
    "worker": _Place("api.cli.worker", "worker"),
    "demo": _Place("api.cli.demo", "demo"),
    "simulate": _Place("api.cli.simulate", "simulate"),
    "conform": _Place("api.cli.conform", "conform_command"),
    "render": _Place("api.cli.render", "render"),
    "sign-in": _Place("api.cli.tokens", "sign_in"),
    "stores": _Place("api.cli.stores", "app", is_group=True),
    "people": _Place("api.cli.people", "app", is_group=True),
    "clients": _Place("api.cli.clients", "app", is_group=True),
    "token": _Place("api.cli.tokens", "app", is_group=True),
    "fleet": _Place("api.cli.fleet", "fleet"),
    "clock": _Place("api.cli.clock", "app", is_group=True),
    "keys": _Place("api.cli.keys", "app", is_group=True),
    "broker": _Place("api.cli.broker", "app", is_group=True),
    "backup": _Place("api.cli.backup", "app", is_group=True),
    "restore": _Place("api.cli.backup", "restore"),
    "panels": _Place("api.cli.panels", "app", is_group=True),
    "templates": _Place("api.cli.templates", "app", is_group=True),
    "promotion": _Place("api.cli.promotions", "app", is_group=True),
    "explain": _Place("api.cli.promotions", "explain"),
    "till": _Place("api.cli.till", "app", is_group=True),
    "events": _Place("api.cli.events", "app", is_group=True),
    "notify": _Place("api.cli.notify", "app", is_group=True),
    "law": _Place("api.cli.law", "app", is_group=True),
    "import": _Place("api.cli.imports", "import_file"),
    "migrate": _Place("api.cli.migrate", "app", is_group=True),
    "pairings": _Place("api.cli.pairings", "app", is_group=True),
    "places": _Place("api.cli.places", "app", is_group=True),
    "links": _Place("api.cli.links", "app", is_group=True),
    "mapping": _Place("api.cli.mapping", "app", is_group=True),
    "sources": _Place("api.cli.sources", "app", is_group=True),
    "quarantine": _Place("api.cli.quarantine", "app", is_group=True),
    "journal": _Place("api.cli.journal", "journal"),
    "audit": _Place("api.cli.audit", "app", is_group=True),
    "proof": _Place("api.cli.proof", "proof"),
    "shelf-report": _Place("api.cli.proof", "shelf_report"),
    "proposals": _Place("api.cli.proposals", "app", is_group=True),
    "zones": _Place("api.cli.zones", "app", is_group=True),
    "groups": _Place("api.cli.zones", "groups", is_group=True),
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
    app.callback()(_whole)
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


def _version(asked: bool) -> None:
    if asked:
        print(f"esl {metadata.version('esl-controller')}")
        raise typer.Exit


def _whole(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """Have a command's name be a word of its own, also where there is but one."""
