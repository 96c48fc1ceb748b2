"""``esl`` and its commands."""

import sys

import typer

from api.cli import demo, serve, simulate, tokens
from api.cli.logs import configure_logs
from esl.domain.errors import EslError

app = typer.Typer(
    name="esl",
    help="A self-hosted controller for electronic shelf labels.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("simulate")(simulate.simulate)
app.command("sign-in")(tokens.sign_in)
app.add_typer(tokens.app, name="token")


def main() -> None:
    """Run a command; an error of ours is one line on standard error and status 1."""
    configure_logs()
    try:
        app()
    except EslError as exc:
        print("esl:", " ".join(str(exc).split()), file=sys.stderr)  # PostgreSQL's words are lines
        sys.exit(1)
