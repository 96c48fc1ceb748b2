"""A product's past as the law is asked about it: its history, with the asked price put behind.

::

    history, as written down     … 100 │ 100 │                       last.at
    the run began after that                 └─ 80 reduced           at its beginning
    the price changed within it        80 reduced ─┴─ 88 reduced     when the till said so
    it is written down already         80 reduced                    nothing is put behind
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from esl.domain.law.prior_price import PriorPrice, Reason, Step, StepKind, lowest_price
from esl.domain.law.profile import Profile

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


class Past:
    """The history of one product, store and channel until a moment, in ms since 1970."""

    __slots__ = ("_at_ms", "_history", "_on_sale_from_ms", "_profile", "_stated_minor", "_zone")

    def __init__(
        self,
        profile: Profile,
        at_ms: int,
        history: Sequence[Step],
        *,
        zone: ZoneInfo | None,
        stated_minor: int | None,
        on_sale_from_ms: int | None,
    ) -> None:
        self._profile = profile
        self._at_ms = at_ms
        while history and history[-1].at_ms > at_ms:  # asked about the past
            history = history[:-1]
        self._history = history
        self._zone = zone
        self._stated_minor = stated_minor
        self._on_sale_from_ms = on_sale_from_ms

    def before(self, begins: datetime | None) -> PriorPrice:
        """Find the prior price of something that began then, and is no reduction itself."""
        at_ms = self._at_ms if begins is None else min(self._at_ms, epoch_ms(begins))
        history = self._history
        if begins is None and history and history[-1].kind is not StepKind.REGULAR:
            return self._lowest(history, at_ms)  # it runs already, since it was written down
        kept = len(history)
        while kept and history[kept - 1].at_ms >= at_ms:
            kept -= 1
        seen = [Step(one.at_ms, one.price_minor) for one in history[kept - 1 : kept]]
        return self._lowest([*history[: max(kept - 1, 0)], *seen], at_ms)

    def prior(
        self, price_minor: int, kind: StepKind, *, begins: datetime | None, changed: datetime | None
    ) -> PriorPrice:
        """Find the prior price of a reduction.

        ``begins`` is when its run began, ``changed`` when the till last said something.
        """
        history = self._history
        if not (history and history[-1].price_minor == price_minor and history[-1].kind is kind):
            history = [
                *history,
                Step(self._from_ms(begins, price_minor, changed), price_minor, kind),
            ]
        return self._lowest(history, self._at_ms)

    def _from_ms(self, begins: datetime | None, price_minor: int, changed: datetime | None) -> int:
        """Say since when the price asked about holds: its run's begin, or a change within it."""
        if begins is None:  # it began when it was saved; had it begun before, it were written down
            return self._at_ms
        since_ms = min(epoch_ms(begins), self._at_ms)
        if not self._history or since_ms > self._history[-1].at_ms:
            return since_ms
        last = self._history[-1]
        if last.price_minor == price_minor:
            return last.at_ms
        changed_ms = epoch_ms(changed) if changed is not None else 0
        # What held is written down: a change that is not there came after all that is.
        return changed_ms if last.at_ms < changed_ms < self._at_ms else self._at_ms

    def _lowest(self, history: Sequence[Step], at_ms: int) -> PriorPrice:
        found = lowest_price(
            history,
            at_ms,
            self._profile,
            on_sale_from_ms=self._on_sale_from_ms,
            zone=self._zone,
        )
        if found.reason is Reason.HISTORY_TOO_SHORT and self._stated_minor is not None:
            return found._replace(price_minor=self._stated_minor, reason=Reason.STATED)
        return found


def epoch_ms(moment: datetime) -> int:
    """Return an instant as milliseconds since 1970."""
    return (moment - _EPOCH) // _MS
