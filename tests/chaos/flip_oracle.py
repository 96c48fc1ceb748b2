"""What must hold of prices for a moment, and of the timed shows that carry them.

::

    a flip      begins once, not before its moment, and none is forgotten
    a show      is armed for the moment of its flip, recorded before it is sent, and only then
                comes upon the glass: not before its moment by its gateway's clock
    a picture   shown by one is what the label would have shown then, and nothing older
    a cancel    leaves no label that is called settled with the picture of what was cancelled
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from esl.domain.label import Lane
from gateway.wire.messages import Show
from tests.chaos.glass import Says
from tests.chaos.model import Model, PlannedFlip, Stands, milliseconds_of
from tests.chaos.world import World

Check = Callable[[str, bool, str], None]

TRUSTED_MS = 5 * 60_000
"""How far a gateway's clock may be off that keeps instants (`gateway.inbox`)."""

_EPSILON_MS = 1
_FLIPS = "SELECT flip_id, state, show_at, ended_at FROM flip WHERE kind = 0 ORDER BY flip_id"
_ISSUED = "SELECT digest FROM issued WHERE label_id = ? AND rev = ?"
_LANES = (
    "SELECT label_id, lane FROM label WHERE due_at IS NOT NULL AND lane > ?"
    " AND label_id IN (SELECT label_id FROM pairing WHERE sku = ?)"
)
_BEGUN_EVENTS = "SELECT count(*) FROM price_event WHERE source = ?"
_STATES = {0: Stands.PLANNED, 1: Stands.BEGUN, 2: Stands.CANCELLED}


@dataclass(frozen=True, slots=True)
class Armed:
    """A timed show as it was sent."""

    gateway: str
    at_ms: int
    digest: bytes


class FlipOracle:
    """Watches flips. ``check`` asks a question; ``ahead_ms`` are gateway clocks at their worst."""

    def __init__(self, world: World, model: Model, books: sqlite3.Connection, check: Check) -> None:
        self.ahead_ms: dict[str, float] = defaultdict(float)
        self._world = world
        self._model = model
        self._books = books
        self._check = check
        self._armed: dict[tuple[str, int], list[Armed]] = defaultdict(list)

    # -- timed shows ---------------------------------------------------------------------------

    def watch_show(self, gateway: str, show: Show) -> None:
        """A controller arms timed shows."""
        if show.at is None:
            return
        for entry in show.entries:
            row = self._books.execute(_ISSUED, (entry.label, entry.rev)).fetchone()
            issued = row["digest"] if row is not None else None
            self._check(
                "I5",
                issued == entry.digest.hex(),
                f"{entry.label} is to show {entry.rev} later, unrecorded: {issued}",
            )
            planned = self._model.flips_of(entry.label, show.at)
            self._check("I10", bool(planned), f"{entry.label}: no flip is planned for {show.at}")
            self._armed[entry.label, entry.rev].append(Armed(gateway, show.at, entry.digest))

    def judge_early(
        self, label: str, rev: int, digest: bytes, says: Says, place: int
    ) -> PlannedFlip | None:
        """Weigh a picture that is none of a label's truths: it may be that of a timed show.

        ``place`` is that of the truth it showed before. None if no such show was ever armed.
        """
        shows = [a for a in self._armed[label, rev] if a.digest == digest]
        if not shows:
            return None
        now_ms = milliseconds_of(self._world.wall())
        in_time = [a for a in shows if now_ms + self.ahead_ms[a.gateway] + _EPSILON_MS >= a.at_ms]
        early_s = (min(a.at_ms for a in shows) - now_ms) / 1000
        self._check("I10", bool(in_time), f"{label} shows {rev} {early_s:.1f} s early")
        for armed in in_time:
            for flip in self._model.flips_of(label, armed.at_ms):
                if any(p >= place and future == says for p, future in flip.futures[label]):
                    return flip
        return None

    def may_differ(self, flip: PlannedFlip, *, reported: bool) -> bool:
        """Say whether a settled label may show a flip's picture that is not the truth.

        Only between the moment and the flip's beginning; and before it, by a clock that is off,
        as long as nobody has reported it.
        """
        if flip.stands is not Stands.PLANNED:
            return False
        too_early_ms = milliseconds_of(flip.show_at) - milliseconds_of(self._world.wall())
        return not (reported and too_early_ms > TRUSTED_MS)

    # -- flips ---------------------------------------------------------------------------------

    def look(self) -> list[str]:
        """Compare flips with the books after a commit; return the labels that they changed."""
        touched: list[str] = []
        for row in self._books.execute(_FLIPS):
            flip = self._model.flips.get(row["flip_id"])
            if flip is None or flip.stands is not Stands.PLANNED:
                continue
            stands = _STATES.get(row["state"])
            number = f"flip {flip.flip_id}"
            self._check("I10", stands in (Stands.PLANNED, Stands.BEGUN), f"{number}: {dict(row)}")
            if stands is not Stands.BEGUN:
                continue
            begun_at = datetime.fromisoformat(f"{row['ended_at']}+00:00")
            early_s = (flip.show_at - begun_at).total_seconds()
            self._check("I10", early_s <= 0, f"{number} begins {early_s:.1f} s early")
            self._world.note(f"{number} begins")
            self._model.begin(flip.flip_id)
            self._check_lanes(flip)
            touched += flip.futures
        return touched

    def _check_lanes(self, flip: PlannedFlip) -> None:
        for sku in flip.changes:
            slow = self._books.execute(_LANES, (int(Lane.FLIP), sku)).fetchall()
            self._check("I10", not slow, f"flip {flip.flip_id} in {[tuple(row) for row in slow]}")

    def check_over(self) -> None:
        """At the end no flip is left, and each has changed prices once or never."""
        left = [flip.flip_id for flip in self._model.planned()]
        self._check("I10", not left, f"flips that neither began nor were cancelled: {left}")
        for row in self._books.execute(_FLIPS):
            flip = self._model.flips.get(row["flip_id"])
            known = flip is not None and _STATES.get(row["state"]) is flip.stands
            self._check("I10", known, f"flip {dict(row)}, in truth {flip}")
        for flip in self._model.flips.values():
            source = next(iter(flip.changes.values())).source
            [events] = self._books.execute(_BEGUN_EVENTS, (source,)).fetchone()
            most = len(flip.changes) if flip.stands is Stands.BEGUN else 0
            self._check("I10", events == most, f"flip {flip.flip_id}: {events} events, not {most}")
