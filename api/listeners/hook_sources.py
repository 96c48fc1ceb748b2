"""Which sources may call, and the secrets their calls are checked with."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from api.token_memory import always
from esl.intake.hooks.request import HookSecrets
from esl.intake.hooks.verifiers import HookKind

_REMEMBERED = 1000
_BELIEVED_S = 5.0
"""The net under the bell, over which other processes say at once that a source was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSource:
    """A registered source that calls us."""

    source_id: str
    kind: HookKind
    secrets: HookSecrets


class SourceSecrets(Protocol):
    """Where sources and their secrets are kept."""

    def lookup(self, source_id: str) -> HookSource | None:
        """Return the source that may call under this name; None where there is none.

        Called in a thread. May raise `esl.domain.errors.Unavailable`.
        """
        ...


class RememberedSources:
    """`SourceSecrets` that asks another at most every `_BELIEVED_S` for one name.

    Names that nobody has are remembered too, so that asking for them costs what asking for
    others does. Used by many threads. ``hears`` says whether what other processes change reaches
    us; while it does not, each is asked for.
    """

    def __init__(
        self,
        behind: SourceSecrets,
        monotonic_s: Callable[[], float],
        hears: Callable[[], bool] = always,
    ) -> None:
        self._behind = behind
        self._hears = hears
        self._changes = 0
        self._monotonic_s = monotonic_s
        self._known: OrderedDict[str, tuple[HookSource | None, float]] = OrderedDict()
        self._changing = threading.Lock()

    def lookup(self, source_id: str) -> HookSource | None:
        """Return the source, as it was up to `_BELIEVED_S` ago."""
        now_s = self._monotonic_s()
        with self._changing:
            known, changes = self._known.get(source_id), self._changes
        if known is not None and known[1] > now_s and self._hears():
            return known[0]
        found = self._behind.lookup(source_id)
        with self._changing:
            if changes != self._changes:
                return found  # read before the change, perhaps: right for who asked before it
            self._known[source_id] = (found, now_s + _BELIEVED_S)
            self._known.move_to_end(source_id)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def forget_all(self) -> None:
        """Ask again for every source: one was changed, here or in another process."""
        with self._changing:
            self._changes += 1
            self._known.clear()
