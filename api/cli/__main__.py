"""``python -m api.cli`` is ``esl``."""

from api.cli.app import main

main()
