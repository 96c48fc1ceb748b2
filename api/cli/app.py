"""``esl`` and its commands."""

import sys

import typer

from api.cli import (
    bench,
    conform,
    demo,
    fleet,
    keys,
    panels,
    render,
    serve,
    simulate,
    templates,
    tokens,
    worker,
)
from api.cli.logs import configure_logs
from esl.domain.errors import EslError, InvalidInput

app = typer.Typer(
    name="esl",
    help="A self-hosted controller for electronic shelf labels.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("demo")(demo.demo)
app.command("simulate")(simulate.simulate)
app.command("conform")(conform.conform_command)
app.command("render")(render.render)
app.command("sign-in")(tokens.sign_in)
app.add_typer(tokens.app, name="token")
app.command("fleet")(fleet.fleet)
app.add_typer(keys.app, name="keys")
app.add_typer(panels.app, name="panels")
app.add_typer(templates.app, name="templates")
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Run a command; an error of ours is one line on standard error and status 1."""
    configure_logs()
    try:
        app()
    except EslError as exc:
        fix = exc.problems[0].fix if isinstance(exc, InvalidInput) else None
        words = f"{exc}. {fix}" if fix else str(exc)
        print("esl:", " ".join(words.split()), file=sys.stderr)  # PostgreSQL's words are lines
        sys.exit(1)
