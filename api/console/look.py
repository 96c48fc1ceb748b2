"""What a person looks at: a store, one state or all, a search, and how many tiles at most.

All of it stands in the address, so it can be kept as a bookmark, sent to a colleague, and
drawn without a script.
"""

import unicodedata
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query

from api.console.words import STATE_OF, State
from esl.domain.label import Phase
from esl.store.wall_counts import WallEntry

TILES_AT_ONCE = 500
"""Tiles drawn before somebody asks for more."""

TILES_MOST = 20_000
"""More than any store hangs; a browser has drawn them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Which labels a person looks at."""

    store: str = ""  # as it came; "" is the first store
    state: State | None = None
    search: str = ""
    most: int = TILES_AT_ONCE

    @property
    def phases(self) -> frozenset[Phase] | None:
        """The phases to show; None is all."""
        if self.state is None:
            return None
        return frozenset(phase for phase, state in STATE_OF.items() if state is self.state)

    @property
    def is_filtered(self) -> bool:
        """Say whether some labels of the store are left out."""
        return self.state is not None or bool(self.search)

    def finds(self, entry: WallEntry) -> bool:
        """Say whether the search is for this label: each of its words is in id, SKU or name."""
        text = fold(f"{entry.label_id} {entry.sku or ''} {entry.name or ''}")
        return all(word in text for word in fold(self.search).split())

    def at(self, path: str, **more: str) -> str:
        """Return the address of ``path`` for this look."""
        query = {"store": self.store, "show": self.state or "", "q": self.search} | more
        if self.most != TILES_AT_ONCE:
            query["most"] = str(self.most)
        kept = {name: value for name, value in query.items() if value}
        return f"{path}?{urlencode(kept)}" if kept else path

    def showing(self, state: State | None) -> "Look":
        """The same look, at one state or at all."""
        return replace(self, state=state, most=TILES_AT_ONCE)

    def further(self) -> "Look":
        """The same look, at more tiles."""
        return replace(self, most=self.most + TILES_AT_ONCE)


def fold(text: str) -> str:
    """Make texts alike that people take for the same: ``Čaj`` is ``caj``, ``STRASSE`` ``Straße``.

    Databases differ in this, and SQLite knows only ASCII; so searching is done here.
    """
    parted = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parted if not unicodedata.combining(c))


def look_of(
    store: Annotated[str, Query(max_length=64)] = "",
    show: State | None = None,
    q: Annotated[str, Query(max_length=100)] = "",
    most: Annotated[int, Query(ge=1, le=TILES_MOST)] = TILES_AT_ONCE,
) -> Look:
    """Read a look from an address."""
    return Look(store=store, state=show, search=q.strip(), most=most)


Looking = Annotated[Look, Depends(look_of)]
