"""Where a connector is, what it reads, and how all of them move on.

Items are read by rising key, never by page number: an item that changes while we read neither
hides another nor comes up twice at a border. Before the first page of a run the shop is asked for
its newest time; that becomes the next cursor, so that whatever changed during the run is read
again by the next one. Only the shop's own times are ever compared, less an overlap for what was
committed late; our clock may be wrong by hours.

    cursor    newest time of the last whole run, as the shop writes it; "" is everything
    progress  of a run that is not whole: its begin, its cursor to be, the last key
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from api.listeners.connectors.errors import ShopRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Items that were read, each as a body for the source's mapping.

    ``progress`` is "" where the run has ended; then ``cursor`` is where the next one begins.
    ``whole`` says that the run reads everything, whenever it changed.
    """

    bodies: Sequence[bytes]
    cursor: str
    progress: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Some items by rising key. ``last`` is the greatest; ``more`` if others may follow."""

    bodies: Sequence[bytes]
    last: str = ""
    more: bool = False


class Connector(Protocol):
    """One shop system."""

    def newest(self) -> str:
        """Return when anything last changed, as the shop writes it; "" for nothing at all."""
        ...

    def items(self, *, since: str, after: str) -> Items:
        """Read items that changed at ``since`` or later, with keys beyond ``after``.

        "" is from the beginning.
        """
        ...

    def objects(self, names: Sequence[str]) -> list[bytes]:
        """Read single items by the names that events gave them, without those that are gone."""
        ...

    def close(self) -> None:
        """Let the connection go; the next question opens another."""
        ...

    def back(self, since: str) -> str:
        """Return a time the connector's overlap before ``since``, as the shop writes it."""
        ...


def read_page(connector: Connector, *, cursor: str, progress: str, whole: bool = False) -> Page:
    """Read the next page of a run, or begin one; ``whole`` reads everything again.

    Raises:
        ShopError: It could not be read; the place stays where it was.
    """
    run = _Run.of_text(progress)
    if run is None:
        newest = connector.newest()
        since = connector.back(cursor) if cursor and not whole else ""
        run = _Run(since=since, newest=newest or cursor, after="")
    items = connector.items(since=run.since, after=run.after)
    if not items.more:
        return Page(bodies=items.bodies, cursor=run.newest, whole=not run.since)
    if not items.last or items.last == run.after:
        raise ShopRefused("the shop answers with the same page again and again")
    return Page(
        bodies=items.bodies,
        cursor=cursor,
        whole=not run.since,
        progress=_Run(since=run.since, newest=run.newest, after=items.last).as_text(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    since: str
    newest: str
    after: str

    @classmethod
    def of_text(cls, text: str) -> "_Run | None":
        return cls(**json.loads(text)) if text else None

    def as_text(self) -> str:
        return json.dumps({"since": self.since, "newest": self.newest, "after": self.after})


def earlier(text: str, by: timedelta, *, sep: str = "T", timespec: str = "seconds") -> str:
    """Move a time back, written as the shop writes it: with its offset or without.

    Raises:
        ShopRefused: The shop wrote something else.
    """
    try:
        moved = datetime.fromisoformat(text) - by
    except (ValueError, OverflowError):
        raise ShopRefused("the shop's time of the last change is not a time") from None
    return moved.isoformat(sep, timespec).replace("+00:00", "Z")


def as_body(item: Mapping[str, Any]) -> bytes:
    """Write one item for its mapping."""
    return json.dumps(item).encode()


def objects_of(value: Any, *path: str) -> list[dict[str, Any]]:
    """Return the objects of a list within an answer.

    Raises:
        ShopRefused: There is no such list.
    """
    for step in path:
        value = dict_of(value).get(step)
    if not isinstance(value, list):
        raise ShopRefused("the shop's answer is not what its API promises; check the address")
    return [one for one in value if isinstance(one, dict)]


def dict_of(value: Any) -> dict[str, Any]:
    """Return an object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def text_of(value: Any) -> str:
    """Return a text or an integer as text; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)
