"""Where log lines part: to standard error as ever, and to whoever else listens.

The list of who listens is that of a logger of Python's own, `logging`, which processes have anyway.
"""

import logging
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final

_TEE: Final = "esl.tee"


class Listener(logging.Handler):
    """Somebody who hears every line's event, as it is before it becomes text."""

    def __init__(self, hear: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__()
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        """Hand an event on."""
        if isinstance(record.msg, dict):
            self._hear(record.msg)


def listen(listener: Listener) -> None:
    """Let somebody hear every line from now on."""
    logger = logging.getLogger(_TEE)
    logger.propagate = False
    logger.setLevel(logging.DEBUG)  # structlog has chosen already
    logger.addHandler(listener)


def leave(listener: Listener) -> None:
    """Let somebody hear no more."""
    logging.getLogger(_TEE).removeHandler(listener)


def tee(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Be a processor of structlog's that hands each event to those who listen."""
    logger = logging.getLogger(_TEE)
    if logger.handlers:
        logger.handle(logger.makeRecord(_TEE, logging.INFO, "", 0, dict(event), (), None))
    return event
