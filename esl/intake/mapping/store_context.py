"""Which store a row is of, and what follows from it: currency and time zone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from esl.domain.ids import StoreId


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A store, as far as reading needs to know it."""

    store_id: StoreId
    currency: str
    timezone: tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreContext:
    """Where rows go: to ``place``, or where ``route`` says for the source's name of a store.

    ``route`` is asked once a name, and answers None for a store that is unknown or that the
    source may not speak for.
    """

    place: Place | None = None
    route: Callable[[str], Place | None] | None = None
