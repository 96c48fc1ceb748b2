"""Logs: for people on a terminal, JSON lines otherwise; to standard error, or to syslog.

================  ==========================================================================
ESL_LOG_LEVEL     from which level on: ``DEBUG``, ``INFO`` (the default), ``WARNING``, ``ERROR``
ESL_LOG_FORMAT    ``json`` or ``text``, whatever the terminal is
ESL_LOG_TO        ``syslog``: the machine's, in JSON; else standard error
================  ==========================================================================

A server elsewhere gets them as well, in RFC 5424, by the setting ``syslog_url``: `api.syslog`.
"""

import logging
import logging.handlers
import os
import sys
from pathlib import Path
from typing import Final

import structlog

from api.syslog.tee import tee

SYSLOG: Final = "/dev/log"
SYSLOG_LOGGER: Final = "esl.syslog"
_NAME: Final = "esl"
_LONGEST: Final = 8192
"""Longer lines are cut: a datagram of syslog's socket has to hold one."""


def configure_logs(*, syslog: str = SYSLOG) -> None:
    """Set the logs up as the environment says; ``syslog`` is where the machine's is."""
    level = logging.getLevelNamesMapping().get(
        os.environ.get("ESL_LOG_LEVEL", "INFO").upper(), logging.INFO
    )
    to_syslog = os.environ.get("ESL_LOG_TO", "").lower() == "syslog" and Path(syslog).exists()
    asked = os.environ.get("ESL_LOG_FORMAT", "").lower()
    readable = not to_syslog and (asked == "text" or (asked != "json" and sys.stderr.isatty()))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            tee,
            *([] if readable else [structlog.processors.format_exc_info]),
            # Its default, with rich here, shows the local variables: tokens and bodies among them.
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
            if readable
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Syslog(syslog)
        if to_syslog
        else structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


class _Syslog:
    """Makes structlog's loggers write to syslog, each line at its own level."""

    def __init__(self, address: str) -> None:
        handler = logging.handlers.SysLogHandler(
            address, facility=logging.handlers.SysLogHandler.LOG_DAEMON
        )
        handler.ident = f"{_NAME}[{os.getpid()}]: "
        handler.append_nul = False
        handler.setFormatter(logging.Formatter(f"%(message).{_LONGEST}s"))
        self._logger = logging.getLogger(SYSLOG_LOGGER)
        self._logger.setLevel(logging.DEBUG)  # structlog has chosen already
        self._logger.propagate = False
        self._logger.handlers = [handler]

    def __call__(self, *_: object) -> logging.Logger:
        """Return the logger."""
        return self._logger
