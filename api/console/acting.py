"""What pages do when somebody presses a button: read the form, ask the API, say what came of it.

A form carries the session's token (`frame.csrf`); whoever asks with a token of their own in the
``Authorization`` header has no session, so no other site can make them. What was done is told on
the next page (`go_on`), with a way to take it back where there is one; what the API refused is told
on the same page, by the fields that it is about.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import require_csrf, session_of
from api.console.forms import read_form
from api.console.own_api import ApiProblem

_SAID_COOKIE: Final = "esl_said"
_SAID_LONGEST: Final = 600
_SAID_FOR_S: Final = 60
KEY_FIELD: Final = "once"
"""Names a form's sending, so that a second click does nothing a second time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a form of ours sent."""

    fields: Mapping[str, str]

    def text(self, name: str) -> str:
        """Return a field without the blanks around it; "" if it was not sent."""
        return self.fields.get(name, "").strip()

    def has(self, name: str) -> bool:
        """Say whether a box was ticked, or a button pressed."""
        return name in self.fields

    def with_text(self, name: str, text: str) -> "Form":
        """Return the form with another text in a field."""
        return Form(fields={**self.fields, name: text})

    @property
    def once(self) -> dict[str, str]:
        """The header by which a form that is sent twice is answered as it was the first time."""
        key = self.text(KEY_FIELD)
        return {"Idempotency-Key": key} if key else {}


async def form_sent(request: Request) -> Form:
    """Read a form that our own page drew for this session.

    Raises:
        Forbidden: It carries another session's token.
        InvalidInput: It is no form.
    """
    fields = await read_form(request)
    session = session_of(request)
    if session is not None:
        require_csrf(session, fields.get("csrf", ""))
    return Form(fields=fields)


Sent = Annotated[Form, Depends(form_sent)]


def new_key() -> str:
    """Return a name for one sending of a form."""
    return secrets.token_urlsafe(18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """How to take back what was just done: a form's address and what it sends."""

    path: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was just done, told on the next page."""

    text: str
    undo: Undo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What the API refused, in words: in all, what to do, and field by field."""

    text: str
    fix: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)  # JSON pointer → words

    def at(self, pointer: str) -> str:
        """Return what is wrong in a field of the form, "" if nothing is."""
        return self.fields.get(pointer, "")

    def elsewhere(self, *pointers: str) -> list[str]:
        """Return what is wrong in fields that the form does not have."""
        return [words for pointer, words in self.fields.items() if pointer not in pointers]


def wrong_of(problem: ApiProblem) -> Wrong:
    """Put a refusal into words for the page that asked."""
    text = problem.detail
    return Wrong(
        text=f"{text[:1].upper()}{text[1:]}".rstrip(".") + ".",
        fix=problem.fix,
        fields=problem.fields,
    )


def go_on(path: str, said: str | None = None, *, undo: Undo | None = None) -> Response:
    """Go to another page after something was done, and tell there what."""
    away = RedirectResponse(path, HTTPStatus.SEE_OTHER)
    if said is not None:
        packed = json.dumps(
            [said[:_SAID_LONGEST], [undo.path, dict(undo.fields)] if undo else None]
        )
        away.set_cookie(
            _SAID_COOKIE,
            base64.urlsafe_b64encode(packed.encode()).decode(),
            max_age=_SAID_FOR_S,
            httponly=True,
            samesite="strict",
        )
    return away


def said_in(request: Request) -> Said | None:
    """Return what the page before wants told; whatever else stands in the cookie is nothing."""
    packed = request.cookies.get(_SAID_COOKIE)
    if not packed:
        return None
    try:
        text, undo = json.loads(base64.urlsafe_b64decode(packed))
        return Said(text=_text(text), undo=_undo(undo))
    except (ValueError, TypeError):
        return None


def forget_said(page: Response) -> None:
    """Tell it once."""
    page.delete_cookie(_SAID_COOKIE, httponly=True, samesite="strict")


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError
    return found[:_SAID_LONGEST]


def _undo(found: object) -> Undo | None:
    if found is None:
        return None
    path, fields = found if isinstance(found, list) else ("", None)
    if not isinstance(fields, dict):
        raise TypeError
    path = _text(path)
    if not path.startswith("/") or path.startswith(("//", "/\\")):
        raise ValueError
    return Undo(path=path, fields={_text(name): _text(value) for name, value in fields.items()})
