"""Pages of short lists: all of one is read, and a page of it answered.

For what a shop has some tens of: stores, zones, sources. Long lists are cut by the database.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import BaseModel, Field

from esl.domain.ids import SLUG_MAX_CHARACTERS

PAGE_MOST = 1000

Item = TypeVar("Item")


class ShortPage(BaseModel, extra="forbid"):
    """Which part of a short list, which is in the order of its ids."""

    after: str = Field(
        default="",
        max_length=SLUG_MAX_CHARACTERS,
        pattern=r"^[A-Za-z0-9._-]*$",
        description="“after” of the page before.",
    )
    limit: int = Field(default=PAGE_MOST, ge=1, le=PAGE_MOST)


class PageOfStore(ShortPage):
    """Likewise, of one store if wanted."""

    store: str | None = Field(
        default=None, max_length=SLUG_MAX_CHARACTERS, description="Left out: all you may see."
    )


def cut(
    found: Iterable[Item], page: ShortPage, name: Callable[[Item], str]
) -> tuple[list[Item], str | None]:
    """Return the page that is asked for, and what leads to the next one, if there is more."""
    behind = sorted((one for one in found if name(one) > page.after), key=name)
    shown = behind[: page.limit]
    return shown, name(shown[-1]) if len(behind) > page.limit else None
