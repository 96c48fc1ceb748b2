"""What must be looked after and nobody waits for: verdicts, tasks, problems, batteries, old rows.

Each chore looks first, with a read, and writes only where something is to be written: in a shop
where all is well nothing is.

================ ========= ==================================================================
prices for later 1 s       hold, or hold no longer
prices of zones  1 s       are told to the stores, some at a time until all know
dearer prices    1 s       go to the till, once all labels show them
overdue updates  5 s       get their verdict: failed
needless tasks   5 s       end
leaving labels   5 s       are forgotten by their gateway
commands         5 s       expire
problems         15 s      are opened and closed
batteries        1 h       one sample a day
history          1 h       ages, by the time that passed: what a wrong clock says is not enough
old rows         1 day     go, a thousand each 5 s until the round is over
================ ========= ==================================================================
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from esl.domain.clock import EffectiveClock
from esl.domain.ids import LabelId
from esl.domain.keeping import Keeping
from esl.services import fleet, neutral, problems, retirement, schedule, tilling, verdicts
from esl.services.ageing import Ageing
from esl.services.retention import Forgetting
from esl.services.zones import telling
from esl.store import commands, till_labels, zone_tasks
from esl.store.database import Database
from esl.store.write_group import Priority, Writes
from gateway.signals import forget_order

AT_ONCE_S = 1.0
OFTEN_S = 5.0
SOMETIMES_S = 15.0
SELDOM_S = 3600.0
DAILY_S = 86_400.0

STORES_A_STEP = 200
"""Pieces of what zones say that stores are told before other chores have their turn."""


class Upkeep:
    """The chores; `step` is called by one thread at a time, as often as one likes.

    ``silent_after`` is how long a label may be unheard before it is missed; ``keeping`` how long
    history is kept, the usual where it is None.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writes,
        clock: EffectiveClock,
        silent_after: timedelta,
        keeping: Keeping | None = None,
    ) -> None:
        self._database = database
        self._writer = writer
        self._clock = clock
        self._silent_after = silent_after
        self._turned: list[LabelId] = []
        self._forgetting = Forgetting(database=database, writer=writer, keeping=keeping)
        self._is_forgetting = False
        self._ageing = Ageing(database=database, writer=writer, clock=clock)
        self._aged: datetime | None = None  # until `_age` has looked
        now_s = clock.monotonic_s()
        self._next_s: dict[Callable[[], None], float] = {
            self._turn_prices: now_s,
            self._tell_zones: now_s,
            self._grant_tills: now_s,
            self._note_overdue: now_s,
            self._close_tasks: now_s,
            self._let_labels_go: now_s,
            self._expire_commands: now_s,
            self._find_problems: now_s,
            self._sample_batteries: now_s,
            self._age: now_s,
            self._forget_the_old: now_s + SELDOM_S,
        }
        self._pause_s = dict.fromkeys(self._next_s, OFTEN_S) | {
            self._turn_prices: AT_ONCE_S,
            self._tell_zones: AT_ONCE_S,
            self._grant_tills: AT_ONCE_S,
            self._find_problems: SOMETIMES_S,
            self._sample_batteries: SELDOM_S,
            self._age: SELDOM_S,
            self._forget_the_old: DAILY_S,
        }

    def step(self) -> tuple[LabelId, ...]:
        """Do the chores whose turn it is; return the labels whose prices have turned.

        Raises:
            Unavailable: The database did not answer; the next step goes on.
        """
        now_s = self._clock.monotonic_s()
        for chore, due_s in self._next_s.items():
            if due_s <= now_s:
                chore()
                self._next_s[chore] = now_s + self._pause_s[chore]
        if self._is_forgetting:
            self._next_s[self._forget_the_old] = now_s + OFTEN_S
        turned, self._turned = tuple(self._turned), []
        return turned

    def turn_prices(self) -> tuple[LabelId, ...]:
        """Let prices hold, or hold no longer, whose moment has come; return their labels.

        May be called by any thread, also beside `step`: each edge is turned once.

        Raises:
            Unavailable: The database did not answer; the next look does it.
        """
        now = self._clock.now()
        with self._database.read() as tx:
            due_at = schedule.next_due(tx)
        if due_at is None or due_at > now:
            return ()
        turned: list[LabelId] = []
        more = True
        while more:
            edges = self._writer.write(lambda tx: schedule.apply_due(tx, now))
            more = edges.more
            turned += edges.labels
        return tuple(turned)

    def _turn_prices(self) -> None:
        self._turned += self.turn_prices()

    def _tell_zones(self) -> None:
        """Let stores follow their zones; what is left after some pieces waits for other chores."""
        left = STORES_A_STEP
        while left > 0:
            with self._database.read() as tx:
                waiting = zone_tasks.stores_waiting(tx, most=left)
            if not waiting:
                return
            left -= len(waiting)
            while waiting:
                now = self._clock.now()
                some = partial(telling.tell_some, store_ids=waiting, now=now)
                labels, done = self._writer.write(some, priority=Priority.BULK)
                self._turned += labels
                waiting = waiting[done:]

    def _grant_tills(self) -> None:
        with self._database.read() as tx:
            if not tilling.is_anything_unconfirmed(tx):
                return
            has_former = till_labels.has_former_pairings(tx)
            confirmed = tilling.confirmed_products(tx)
        if has_former:
            self._write(till_labels.end_former_pairings)
        now = self._clock.now()
        for store_id in confirmed:
            self._write(partial(tilling.confirm_labels, store_id=store_id, now=now))

    def _note_overdue(self) -> None:
        now = self._clock.now()
        with self._database.read() as tx:
            overdue = verdicts.find_overdue(tx, now)
        if overdue:
            self._write(lambda tx: verdicts.note_overdue(tx, overdue, now))

    def _close_tasks(self) -> None:
        now = self._clock.now()
        with self._database.read() as tx:
            some = neutral.has_open_tasks(tx)
        if some:
            self._write(lambda tx: neutral.close_needless_tasks(tx, now))

    def _let_labels_go(self) -> None:
        now = self._clock.now()
        with self._database.read() as tx:
            leaving = [
                (label, forget_order(label.gateway_id, label.label_id, label.epoch))
                for label in retirement.find_leaving(tx, now)
                if label.gateway_id is not None
            ]
        if leaving:
            self._write(lambda tx: retirement.let_go(tx, leaving, now))

    def _expire_commands(self) -> None:
        now = self._clock.now()
        with self._database.read() as tx:
            some = commands.any_open(tx)
        if some:
            self._write(lambda tx: commands.expire_commands(tx, now))

    def _find_problems(self) -> None:
        now = self._clock.now()
        with self._database.read() as tx:
            changes = problems.find_changes(
                tx, now, silent_after=self._silent_after, clock_held=self._clock.held
            )
        if changes:
            self._write(lambda tx: problems.write_changes(tx, changes, now))

    def _sample_batteries(self) -> None:
        now = self._clock.now()
        self._write(lambda tx: fleet.sample_batteries(tx, now))

    def _age(self) -> None:
        self._aged = self._ageing.step()

    def _forget_the_old(self) -> None:
        if self._aged is not None:
            self._is_forgetting = self._forgetting.step(self._clock.now(), self._aged)

    def _write(self, work: Callable[[Connection], object]) -> None:
        self._writer.write(work, priority=Priority.HOUSEKEEPING)
