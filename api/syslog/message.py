r"""A log event as a message of RFC 5424.

::

    <134>1 2026-03-01T14:03:07.123456Z shop-1 esl 4711 log [esl@32473 store="main"] BOM words
     │   │  time of the event           host  app  pid  │   what the event names      │
     │   version                                       log or checkpoint              UTF-8
     facility * 8 + severity: local0 for logs, log audit for checkpoints

The number in ``esl@32473`` is the one that RFC 5612 reserves for those who have none of their own.
"""

import re
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from esl.domain.instants import instant_text

LOCAL0: Final = 16
AUDIT: Final = 13
"""Facilities of RFC 5424, table 1: for local use, and log audit."""

INFORMATIONAL: Final = 6
NOTICE: Final = 5
SEVERITIES: Final[Mapping[str, int]] = {
    "critical": 2,
    "error": 3,
    "exception": 3,
    "warning": 4,
    "warn": 4,
    "info": INFORMATIONAL,
    "debug": 7,
}
"""RFC 5424, table 2, by the names of structlog's levels."""

APP: Final = "esl"
SD_ID: Final = "esl@32473"
_BOM: Final = b"\xef\xbb\xbf"  # RFC 5424, 6.4: what follows is UTF-8
_NAME_LONGEST: Final = 32
_HOST_LONGEST: Final = 255
_VALUE_LONGEST: Final = 256  # characters; ours are ids, counts and reasons
_PARAMETERS_MOST: Final = 32
_LEFT_OUT: Final = frozenset({"event", "level", "timestamp", "exc_info", "exception", "stack"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who speaks: the machine and the process."""

    host: str
    pid: int


def log_message(event: Mapping[str, Any], sender: Sender, *, longest: int) -> bytes:
    """Write a log event; ``longest`` is in bytes, and words beyond are cut.

    Every key of the event that holds a text, a number or a truth value becomes a parameter:
    request_id, store, gateway, label, rev, source and whatever else the line names.
    """
    words = str(event.get("event", ""))
    fault = event.get("exception") or _fault(event.get("exc_info"))
    severity = SEVERITIES.get(str(event.get("level", "info")), INFORMATIONAL)
    return _message(
        priority=LOCAL0 * 8 + severity,
        at=str(event.get("timestamp", "")),
        sender=sender,
        kind="log",
        parameters={k: v for k, v in event.items() if k not in _LEFT_OUT},
        words=f"{words}\n{fault}" if fault else words,
        longest=longest,
    )


def checkpoint_message(
    line: str, at: datetime, number: int, sender: Sender, *, longest: int
) -> bytes:
    """Write a checkpoint of the audit chain, by its line: a message that outlives this machine."""
    return _message(
        priority=AUDIT * 8 + NOTICE,
        at=instant_text(at),
        sender=sender,
        kind="checkpoint",
        parameters={"number": number},
        words=line,
        longest=longest,
    )


def _message(
    *,
    priority: int,
    at: str,
    sender: Sender,
    kind: str,
    parameters: Mapping[str, Any],
    words: str,
    longest: int,
) -> bytes:
    host = re.sub(r"[^!-~]", "", sender.host)[:_HOST_LONGEST] or "-"
    head = f"<{priority}>1 {at or '-'} {host} {APP} {sender.pid} {kind} {_data(parameters)} "
    begun = head.encode() + _BOM
    return begun + words.encode()[: max(0, longest - len(begun))].decode("utf-8", "ignore").encode()


def _data(parameters: Mapping[str, Any]) -> str:
    """Write structured data: RFC 5424, 6.3; nil where there is none."""
    parts = [
        f'{name}="{_escaped(str(value))}"'
        for key, value in list(parameters.items())[:_PARAMETERS_MOST]
        if isinstance(value, str | int | float)
        and (name := re.sub(r'[^!-~]|[=\]"]', "", key)[:_NAME_LONGEST])
    ]
    return f"[{' '.join((SD_ID, *parts))}]" if parts else "-"


def _escaped(value: str) -> str:
    flat = re.sub(r"[\x00-\x1f\x7f]", " ", value)[:_VALUE_LONGEST]
    return re.sub(r'(["\\\]])', r"\\\1", flat)


def _fault(found: object) -> str:
    """Write a fault with its lines of source, and without the values they held."""
    if found is True:
        found = sys.exc_info()
    fault = found[1] if isinstance(found, tuple) else found
    return "".join(traceback.format_exception(fault)) if isinstance(fault, BaseException) else ""
