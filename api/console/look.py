"""What a person looks at: a store, one state or all, a search, and how many tiles at most.

All of it stands in the address, so it can be kept as a bookmark, sent to a colleague, and
drawn without a script.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query

from api.console.words import STATE_OF, WANT_ATTENTION, State
from esl.domain.label import Phase
from esl.services.wall_groups import GroupBy

TILES_AT_ONCE = 500
"""Tiles drawn before somebody asks for more."""

TILES_MOST = 20_000
"""More than any store hangs; a browser has drawn them."""


ATTENTION: Final = "attention"
"""Stands in addresses for all states that want a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Which labels a person looks at."""

    store: str = ""  # as it came; "" is the first store
    state: State | None = None
    wants_attention: bool = False  # all states that want a person
    search: str = ""
    by: GroupBy | None = None
    most: int = TILES_AT_ONCE

    @property
    def phases(self) -> frozenset[Phase] | None:
        """The phases to show; None is all."""
        if self.wants_attention:
            return frozenset(phase for phase, state in STATE_OF.items() if state in WANT_ATTENTION)
        if self.state is None:
            return None
        return frozenset(phase for phase, state in STATE_OF.items() if state is self.state)

    @property
    def is_filtered(self) -> bool:
        """Say whether some labels of the store are left out."""
        return self.phases is not None or bool(self.search)

    @property
    def shown(self) -> str:
        """What an address says of the states; "" is all of them."""
        return ATTENTION if self.wants_attention else self.state or ""

    def at(self, path: str, **more: str) -> str:
        """Return the address of ``path`` for this look."""
        query = {"store": self.store, "show": self.shown, "q": self.search}
        query |= {"by": self.by or ""} | more
        if self.most != TILES_AT_ONCE:
            query["most"] = str(self.most)
        kept = {name: value for name, value in query.items() if value}
        return f"{path}?{urlencode(kept)}" if kept else path

    def showing(self, state: State | None) -> "Look":
        """The same look, at one state or at all."""
        return replace(self, state=state, wants_attention=False, most=TILES_AT_ONCE)

    def further(self) -> "Look":
        """The same look, at more tiles."""
        return replace(self, most=self.most + TILES_AT_ONCE)


def look_of(
    store: Annotated[str, Query(max_length=64)] = "",
    show: State | Literal["attention"] | None = None,
    q: Annotated[str, Query(max_length=100)] = "",
    by: GroupBy | Literal[""] = "",
    most: Annotated[int, Query(ge=1, le=TILES_MOST)] = TILES_AT_ONCE,
) -> Look:
    """Read a look from an address."""
    return Look(
        store=store,
        state=show if isinstance(show, State) else None,
        wants_attention=show == ATTENTION,
        search=q.strip(),
        by=GroupBy(by) if by else None,
        most=most,
    )


Looking = Annotated[Look, Depends(look_of)]
