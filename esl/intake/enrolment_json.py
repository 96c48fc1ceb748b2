"""Requests about gateways' enrolment as JSON."""

from datetime import timedelta
from typing import Any

from esl.intake.fields import Fields

ENROL_TOKEN_LONGEST = 200
_SHORTEST_S = 60


def parse_token_wish(value: Any, *, usual: timedelta, most: timedelta) -> timedelta:
    """Read how long a token is to last: ``{"lasts_s": 3600}``, or ``{}`` for the usual time.

    Raises:
        InvalidInput: Not a time, or too long.
    """
    fields = Fields(value)
    lasts_s = fields.integer("lasts_s", low=_SHORTEST_S, high=int(most.total_seconds()))
    fields.finish()
    return timedelta(seconds=lasts_s) if lasts_s else usual


def parse_enrolment_token(value: Any) -> str:
    """Read ``{"token": "esl-enrol-…"}``.

    Raises:
        InvalidInput: It is missing, or no text.
    """
    fields = Fields(value)
    token = fields.text("token", longest=ENROL_TOKEN_LONGEST, required=True)
    fields.finish()
    return str(token)


def parse_password_wish(value: Any) -> bool:
    """Read whether a gateway is to get another password: ``{"password": "new"}``, or ``{}``.

    Raises:
        InvalidInput: Any other word.
    """
    fields = Fields(value)
    wish = fields.text("password", longest=8)
    if isinstance(wish, str) and wish != "new":
        fields.problem("password", "not the word new", fix='Send {"password": "new"}, or {}.')
    fields.finish()
    return wish == "new"
