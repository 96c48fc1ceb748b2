"""``esl`` with all its commands."""

from api.cli.commands import COMMANDS, main, make_app

__all__ = ["app", "main"]

app = make_app(COMMANDS)
