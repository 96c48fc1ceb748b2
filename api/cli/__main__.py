"""``python -m api.cli`` is ``esl``."""

from api.cli.commands import main

main()
