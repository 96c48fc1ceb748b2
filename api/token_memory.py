"""Tokens that were right a moment ago, so that a request need not ask the database for its own.

::

    right ─▶ believed for `BELIEVED`, or until one is revoked, here or in another process
                                               └ heard over the bell; while that is silent,
                                                 nothing is believed
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from esl.domain.access import Principal
from esl.services import access

_REMEMBERED: Final = 1000
BELIEVED: Final = timedelta(seconds=5)
"""A token that was right stays right this long without asking the database again: the net under
the bell, whose line may be dead before anybody notices."""


def always() -> bool:
    """Say that whatever is revoked is heard of: there is no other process."""
    return True


class TokenMemory:
    """Hash of the token to principal, `_REMEMBERED` at most.

    Used by many threads. What was read from the database before a revocation and arrives after
    it is not remembered: `revocations` tells. ``hears`` says whether other processes' revocations
    reach us.
    """

    def __init__(self, hears: Callable[[], bool] = always) -> None:
        self._known: OrderedDict[str, tuple[Principal, float]] = OrderedDict()
        self._changing = threading.Lock()
        self._hears = hears
        self.revocations = 0

    def recall(self, token: str, now_s: float) -> Principal | None:
        """Return the principal of a token checked less than `BELIEVED` ago."""
        found = self._known.get(access.hash_secret(token))
        return found[0] if found is not None and found[1] > now_s and self._hears() else None

    def remember(self, token: str, principal: Principal, now_s: float, *, revocations: int) -> None:
        """Note that a token was right, when there had been this many ``revocations``."""
        with self._changing:
            if revocations != self.revocations:
                return
            self._known[access.hash_secret(token)] = (principal, now_s + BELIEVED.total_seconds())
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def forget_all(self) -> None:
        """Ask the database again, for every token."""
        with self._changing:
            self.revocations += 1
            self._known.clear()
