"""Any REST API that answers JSON lists, by what its source declares of it.

    paging     what asks for the page after this one
    none       there is one page
    keyset     ``page_param=<key of the last item>``, items by rising key: the only safe way
    page       ``page_param=2``; ``page_first`` says where it begins to count
    offset     ``page_param=<items read>``
    cursor     ``page_param=<next>``, ``next`` being a path into the answer
    next       ``next`` is the next page's address, in the answer
    link       it stands in the ``Link`` header, as rel="next"

Where the shop can be asked for what changed, ``since_param`` says how. Its own clock is the
``Date`` of its first answer. Page numbers and offsets may pass over an item while others are
deleted; the whole reading of each day finds it.
"""

import email.utils
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import jmespath

from api.listeners.connectors.errors import NothingThere, ShopRefused
from api.listeners.connectors.fetch import Answer, Fetcher
from api.listeners.connectors.place import Items, as_body, text_of

_LINK_NEXT = re.compile(r'<([^<>]{1,2000})>[^,<]*;\s*rel="?next"?')
_ADDRESS_LONGEST = 2000


class Paging(StrEnum):
    """How an API is asked for the next page."""

    NONE = "none"
    KEYSET = "keyset"
    PAGE = "page"
    OFFSET = "offset"
    CURSOR = "cursor"
    NEXT = "next"
    LINK = "link"


class SinceForm(StrEnum):
    """How an API writes an instant."""

    ISO = "iso"
    UNIX = "unix"
    UNIX_MS = "unix_ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestRules:
    """What a source declares of its API. ``items``, ``key`` and ``next`` are JMESPath."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    items: str = "@"
    key: str = "id"
    paging: Paging = Paging.NONE
    page_param: str = "page"
    page_first: int = 1
    page_size: int = 100  # a page with fewer items is the last
    next: str = "next"
    since_param: str | None = None
    since_form: SinceForm = SinceForm.ISO
    overlap: timedelta = timedelta(minutes=2)
    object_path: str | None = None  # "/items/{id}"; None: events cannot name single items


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericRest:
    """One API."""

    fetcher: Fetcher
    rules: RestRules

    def newest(self) -> str:
        """Return the shop's own clock, if it can be asked for changes at all."""
        if self.rules.since_param is None:
            return ""
        answer = self.fetcher.get(self.rules.path, self.rules.query)
        try:
            now = email.utils.parsedate_to_datetime(answer.headers.get("date", ""))
        except ValueError:
            raise ShopRefused(
                "the shop's answers have no Date header, so its clock is not known; "
                "leave since_param out"
            ) from None
        return now.astimezone(UTC).isoformat()

    def items(self, *, since: str, after: str) -> Items:
        """Read the page that ``after`` says."""
        rules = self.rules
        query = dict(rules.query)
        if since and rules.since_param is not None:
            query[rules.since_param] = self._written(since)
        follows = rules.paging in (Paging.NEXT, Paging.LINK)
        if after and follows:
            answer = self.fetcher.get(after)
        else:
            if rules.paging is not Paging.NONE and not follows:
                start = str(rules.page_first) if rules.paging is Paging.PAGE else ""
                if after or start:
                    query[rules.page_param] = after or start
            answer = self.fetcher.get(rules.path, query)
        value = answer.json()
        found = _search(rules.items, value)
        if not isinstance(found, list):
            raise ShopRefused(f"the answer has no list at items: {rules.items[:80]}")
        listed = [one for one in found if isinstance(one, dict)]
        last, more = self._next(answer, value, listed, after)
        return Items(bodies=[as_body(one) for one in listed], last=last, more=more)

    def objects(self, names: Sequence[str]) -> list[bytes]:
        """Read single items, if it was declared where they stand."""
        if self.rules.object_path is None:
            return []
        bodies: list[bytes] = []
        for name in names:
            try:
                found = self.fetcher.get(
                    self.rules.object_path.replace("{id}", quote(name, safe=""))
                ).json()
            except NothingThere:
                continue
            if isinstance(found, dict):
                bodies.append(as_body(found))
        return bodies

    def close(self) -> None:
        """Let the connection go."""
        self.fetcher.close()

    def back(self, since: str) -> str:
        """Allow for what was saved late."""
        try:
            return (datetime.fromisoformat(since) - self.rules.overlap).isoformat()
        except ValueError:
            return ""

    def _written(self, since: str) -> str:
        instant = datetime.fromisoformat(since)
        match self.rules.since_form:
            case SinceForm.UNIX:
                return str(int(instant.timestamp()))
            case SinceForm.UNIX_MS:
                return str(int(instant.timestamp()) * 1000)
            case SinceForm.ISO:
                return instant.isoformat().replace("+00:00", "Z")

    def _next(
        self, answer: Answer, value: Any, found: Sequence[Mapping[str, Any]], after: str
    ) -> tuple[str, bool]:
        rules = self.rules
        full = len(found) >= rules.page_size
        match rules.paging:
            case Paging.NONE:
                return "", False
            case Paging.KEYSET:
                key = text_of(_search(rules.key, found[-1])) if found else ""
                if full and not key:
                    raise ShopRefused(f"the last item has nothing at key: {rules.key[:80]}")
                return key, full
            case Paging.PAGE:
                return str(int(after or rules.page_first) + 1), full
            case Paging.OFFSET:
                return str(int(after or 0) + len(found)), full
            case Paging.CURSOR | Paging.NEXT:
                following = text_of(_search(rules.next, value))
                return following[:_ADDRESS_LONGEST], bool(following)
            case Paging.LINK:
                link = _LINK_NEXT.search(answer.headers.get("link", ""))
                return (link[1] if link else ""), link is not None


def _search(expression: str, value: Any) -> Any:
    try:
        return jmespath.search(expression, value)
    except (jmespath.exceptions.JMESPathError, TypeError, RecursionError) as exc:
        raise ShopRefused(f"the answer does not fit the expression {expression[:80]}") from exc
