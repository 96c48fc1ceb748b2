"""The command line: ``esl``."""

from api.cli.commands import main

__all__ = ["main"]
