"""Where two people may edit: the version that was read, and what becomes of an edit of another.

    GET                                → ETag: "5b3c…"; 304 to who has it: If-None-Match: "5b3c…"
    PUT, DELETE  If-Match: "5b3c…"     → 412 where it is another by now; `*`: where there is none
    PUT          If-None-Match: *      → 412 where there is one already
    neither                            → as it is sent: the last one counts

A version is made of what people set, in words, so it is the same in every process and after a
restart, and what the controller adds (when a source was heard) does not change it. It is compared
in the transaction that writes, behind a lock of the address: of two edits of the same version one
is refused.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Header, Request, Response
from sqlalchemy import Connection

from esl.domain.errors import EditConflict, InvalidInput, NotFound, VersionNotSaid
from esl.store.edit_locks import lock_for_edit

ANY: Final = "*"
_LONGEST: Final = 2000
_MADE_OF: Final = 24
"""Hex digits of a version: 96 bits, which no two contents share."""

Content = TypeVar("Content")


class Unchanged(Exception):
    """The asker has this version; answered by 304 without a body."""

    def __init__(self, etag: str) -> None:
        self.etag = etag
        super().__init__(etag)


def etag_of(content: Any) -> str:
    """Name a version of something by what it says: JSON, with instants."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_instant)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:_MADE_OF]}"'


class Reading:
    """What a request says of the version its sender has; answers with the one there is."""

    def __init__(self, response: Response, held: str | None) -> None:
        self._response = response
        self._held = held

    def of(self, content: Content) -> Content:
        """Answer with something that says nothing but what people set.

        Raises:
            Unchanged: The asker has just this.
        """
        self._response.headers["ETag"] = self.etag(content)
        return content

    def named(self, content: Content, etag: str) -> Content:
        """Answer with something whose version has a name of its own."""
        self._response.headers["ETag"] = etag
        return content

    def part(self, content: Content, edited: Any) -> Content:
        """Answer with something of which ``edited`` is what people set; the rest may change."""
        self._response.headers["ETag"] = etag_of(edited)
        return content

    def etag(self, content: Any) -> str:
        """Return the version for an answer that is made elsewhere.

        Raises:
            Unchanged: The asker has just this.
        """
        etag = etag_of(content)
        if self._held is not None and _names(self._held, etag):
            raise Unchanged(etag)
        return etag


class Edit:
    """What a request says of the version it changes."""

    def __init__(self, address: str, seen: str | None, not_there: str | None) -> None:
        self._address = address
        self._seen = seen
        self._not_there = not_there

    def check(self, tx: Connection, look: Callable[[], Any]) -> None:
        """Let an edit pass of the version there is; ``look`` returns what people set by now.

        To be called before anything is written. Others who edit the same wait until the commit.

        Raises:
            EditConflict: It is of another version.
            InvalidInput: ``If-None-Match`` names a version.
        """
        lock_for_edit(tx, self._address)
        if self._not_there is not None and self._not_there.strip() != ANY:
            raise InvalidInput.at(
                "",
                "an edit takes no If-None-Match but *, which adds and never replaces",
                fix="Send If-None-Match: *, or If-Match with the ETag that was read.",
            )
        if self._seen is None and self._not_there is None:
            return
        present = _present(look)
        if self._not_there is not None and present is not None:
            raise EditConflict("there is one already", present=present)
        if self._seen is None:
            return
        if present is None:
            raise EditConflict("there is none by now, so no version of it can be changed")
        if not _names(self._seen, present):
            raise EditConflict(f"somebody has changed it: it is {present} by now", present=present)


def demanded(request: Request, what: str) -> str | None:
    """Read the If-Match of an edit that wants one: the version's text, None for any.

    Raises:
        VersionNotSaid: There is no If-Match.
    """
    header = request.headers.get("if-match")
    if header is None:
        raise VersionNotSaid(f"the If-Match header is missing: which version of {what} was read?")
    text = header.strip()
    return None if text == ANY else text.removeprefix("W/").strip('"')


def _present(look: Callable[[], Any]) -> str | None:
    try:
        return etag_of(look())
    except NotFound:
        return None


def _names(header: str, etag: str) -> bool:
    """Say whether a list of ETags, or ``*``, names this one; also where a proxy made it weak."""
    named = {one.strip().removeprefix("W/") for one in header.split(",")}
    return ANY in named or etag in named


def _instant(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no version can be made of a {type(value).__name__}")


async def _reading(
    response: Response,
    if_none_match: Annotated[
        str | None,
        Header(
            alias="If-None-Match",
            max_length=_LONGEST,
            description="The ETag that you have: 304 where nothing has changed. What also tells of "
            "things that change by themselves is answered all the same.",
        ),
    ] = None,
) -> Reading:
    return Reading(response, if_none_match)


async def _edit(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            max_length=_LONGEST,
            description="The ETag that was read: 412 where it is another by now. Left out, or *: "
            "whatever is there is replaced.",
        ),
    ] = None,
    if_none_match: Annotated[
        str | None,
        Header(
            alias="If-None-Match",
            max_length=_LONGEST,
            description="* adds, and never replaces: 412 where there is one already.",
        ),
    ] = None,
) -> Edit:
    return Edit(request.scope["path"], if_match, if_none_match)


async def _removal(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            max_length=_LONGEST,
            description="The ETag that was read: 412 where it is another by now.",
        ),
    ] = None,
) -> Edit:
    return Edit(request.scope["path"], if_match, None)


Read = Annotated[Reading, Depends(_reading)]
Edited = Annotated[Edit, Depends(_edit)]
Removed = Annotated[Edit, Depends(_removal)]
