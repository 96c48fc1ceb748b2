"""Logs: for people on a terminal, JSON lines otherwise; to standard error."""

import logging
import os
import sys

import structlog


def configure_logs() -> None:
    """Set the logs up; ``ESL_LOG_LEVEL`` (default INFO) says from which level on."""
    level = logging.getLevelNamesMapping().get(
        os.environ.get("ESL_LOG_LEVEL", "INFO").upper(), logging.INFO
    )
    readable = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            *([] if readable else [structlog.processors.format_exc_info]),
            # Its default, with rich here, shows the local variables: tokens and bodies among them.
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
            if readable
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
