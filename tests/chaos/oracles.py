"""What must hold, whatever happens. Every question asked is counted.

=========  =========================================================================
I1, I7     an answer given is stored with its effect, once; a key means one thing
I2         a glass never goes back: not in revision, not in what was true of it
I3         what the books hold to be shown was on that glass; settled means right
I4         after the faults every live label comes right in time, and stays so
I5         a glass shows only what was signed for it, recorded before it was sent
I6         commands a label, work of a gateway and queues are bounded
I8         decisions on prices follow each source's own numbers
I9         a price that is doubted holds once another person has approved it, not before
I10        a flip begins once, at its moment; a timed show never comes before it; promotions
           begin and end once at theirs, none is missed, none undone
I12        every decision has its entry, and the chain over all of it verifies, pruned or not
I13        who lost a right has no effect from then on; what is done in one store stays there
I14        when all is right nothing is sent
I15        in a store that asks for it, the till never charges more than a label says
alive      no step of the product fails by an error of its own
verdicts   every accepted price has one in its time, and "shown" was really shown
neutral    no live label shows a price without a valid offer for long
twins      an id in quarantine is used by two, and nothing is sent to it
strangers  a label that nobody registered is told nothing
orders     every command that people ask for ends, and as its gateway said
=========  =========================================================================

I11 (two dispatchers) is all of them while two run. `Violation` ends the seed.
"""

import sqlite3
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from esl.domain.verdict import Outcome
from esl.services.verdicts import verdicts_of_change
from esl.store.database import Database
from gateway.wire.codec import decode_commands
from gateway.wire.messages import Cancel, Command, Put, Show, ShowEntry
from gateway.wire.signing import open_sealed
from simulator.label import SimLabel
from tests.builders import STORE
from tests.chaos import keys
from tests.chaos.access_oracle import AccessOracle
from tests.chaos.answer_oracle import HOUR_S, AnswerOracle
from tests.chaos.audit_oracle import AuditOracle
from tests.chaos.edge_oracle import EdgeOracle
from tests.chaos.flip_oracle import FlipOracle
from tests.chaos.glass import Says, read_glass
from tests.chaos.model import Model, PlannedFlip
from tests.chaos.order_oracle import OrderOracle
from tests.chaos.till_oracle import TillOracle
from tests.chaos.world import Violation, World

PICTURES_AN_HOUR = 130
"""One a minute to a label that never answers, at a pause of a minute stretched or shortened by
half; and as many again for what sessions and beacons make due at once."""

_BOOKS = (
    "SELECT label_id, gateway_id, wanted_rev, sent_rev, settled_rev, shown_rev, shown_digest,"
    " incarnation, due_at, problem, quarantine FROM label"
)
_ISSUED = "SELECT digest FROM issued WHERE label_id = ? AND rev = ?"
_ACCEPTED = (
    "SELECT rev, sku, price_minor, was_minor, received_at FROM price_event"
    " WHERE decision = 'accepted' AND store_id = ? ORDER BY rev DESC LIMIT 40"
)
_FRAME = "SELECT 1 FROM frame WHERE digest = ?"
_QUARANTINED = "SELECT label_id FROM label WHERE quarantine > 0"
_TASKS = "SELECT label_id FROM remove_task WHERE done_at IS NULL"
_TWINS_STIR = 10  # reasons to send at once that two alternating labels give in an hour
_VERDICT_DUE = timedelta(seconds=900 + 60)  # the store's policy time, and upkeep's pauses


def _lately(times_s: deque[float], now_s: float) -> int:
    while times_s and times_s[0] < now_s - HOUR_S:
        times_s.popleft()
    return len(times_s)


def _told(command: Command) -> frozenset[str]:
    """Name the labels that a command about pictures concerns; none for any other."""
    match command:
        case Put():
            return frozenset((command.label,))
        case Show() | Cancel():
            return frozenset(entry.label for entry in command.entries)
        case _:
            return frozenset()


def is_right(says: Says | None, truth: Says | None) -> bool:
    """Say whether a glass shows what it must; a blank one shows no price, as a neutral one."""
    if truth is None or truth.is_neutral:
        return says is None or says.is_neutral
    return says == truth


@dataclass(slots=True)
class Glass:
    """What one label's glass has shown in its present incarnation, and how it was told to."""

    incarnation: int = 1
    rev: int = 0
    digest: bytes = b""
    place: int = 0  # among the model's truths of it
    says: Says | None = None
    early: PlannedFlip | None = None  # whose picture it shows by a timed show
    shown: set[tuple[int, str]] = field(default_factory=set)
    haunted: bool = False  # the glass fell back after its report, or its id is used twice
    alive: bool = True
    right_since_s: float | None = None


class Oracles:
    """Watches a world. ``books`` is a connection that sees what is committed."""

    def __init__(self, world: World, model: Model, books: sqlite3.Connection, path: Path) -> None:
        self.evaluated: Counter[str] = Counter()
        self.shown_events = 0
        self.commands = 0
        self._world = world
        self._model = model
        self._books = books
        self._glass: dict[str, Glass] = defaultdict(Glass)
        self._signed: dict[str, set[tuple[int, bytes]]] = defaultdict(set)
        self._sent_s: dict[str, deque[float]] = defaultdict(deque)
        self._stirred_s: dict[str, deque[float]] = defaultdict(deque)
        self._wanted: dict[str, int] = {}
        self._prices: dict[str, set[tuple[str | None, int | None, int | None]]] = defaultdict(set)
        self._version = -1
        self.quiet_from_s: float | None = None
        self.answers = AnswerOracle(world, books, self._check)
        self.flips = FlipOracle(world, model, books, self._check)
        self.edges = EdgeOracle(world, model, books, self._check)
        self.orders = OrderOracle(model, books, self._check)
        self.tills = TillOracle(world, model, books, self._check, self._hangs)
        self.access = AccessOracle(books, self._check)
        self.audit = AuditOracle(world, books, path, self._check)
        self.adopts = False  # the store's policy for labels that nobody registered
        self._twins: dict[str, SimLabel] = {}
        self._twinned: set[str] = set()
        self._doubled: set[str] = set()  # those whose twin is there now
        self._held: set[str] = set()  # in quarantine, as the books last said
        self._freed_s: dict[str, float] = {}  # when a label left quarantine
        self.right_within_s = self.neutral_within_s = 0.0  # what it gets then, as after the faults
        self._strangers: dict[str, tuple[int, bytes]] = {}
        self.removes = False  # the store's policy: people take neutral labels off the shelf

    # -- what is sent --------------------------------------------------------------------------

    def watch_down(self, payload: bytes) -> None:
        """A controller publishes commands: look into them before anyone else does."""
        header, body = open_sealed(payload, keys.BOTH)
        for command in decode_commands(body).messages:
            self.commands += 1
            if self.quiet_from_s is not None and not (
                self._is_for_the_dead(command) or self._is_for_the_freed(command)
            ):
                self._check("I14", self._world.now_s < self.quiet_from_s, f"sent {command}")
            self._watch_quarantine(command)
            if isinstance(command, Put):
                self._watch_picture(command)
                if not command.offset:
                    self._watch_often(command.label)
            elif isinstance(command, Show):
                self.flips.watch_show(header.gateway, command)
                for entry in command.entries:
                    self._watch_show(entry)
            else:
                self.orders.watch_sent(header.gateway, command)

    def _watch_quarantine(self, command: Command) -> None:
        """A picture for an id that two labels use would land on both."""
        if not isinstance(command, Put | Show):
            return
        told = _told(command)
        unknown = sorted(told - set(self._model.shelves))
        self._check("strangers", not unknown, f"{unknown} are told something")
        if self._twinned & told:
            held = self._quarantined() & told
            self._check("twins", not held, f"{sorted(held)} are sent pictures")

    def _quarantined(self) -> frozenset[str]:
        if not self._twinned:
            return frozenset()
        return frozenset(row["label_id"] for row in self._books.execute(_QUARANTINED))

    def _freed_lately(self, within_s: float) -> frozenset[str]:
        """Name the labels that left quarantine no longer ago."""
        since_s = self._world.now_s - within_s
        return frozenset(label for label, freed_s in self._freed_s.items() if freed_s > since_s)

    def _beyond_help(self, within_s: float | None = None) -> frozenset[str]:
        """Name the labels that nobody can put right, and those that get their time for it now."""
        within_s = self.right_within_s if within_s is None else within_s
        return self._quarantined() | self._freed_lately(within_s)

    def _is_for_the_dead(self, command: Command) -> bool:
        """A label that never answers may be tried again and again, slowly."""
        if isinstance(command, Cancel):
            # Nor is anybody sure of one that waits to be removed, or may be shown nothing else.
            unsure = self._tasks() | self._held
            return all(
                not self._glass[entry.label].alive or entry.label in unsure
                for entry in command.entries
            )
        return isinstance(command, Put) and not self._glass[command.label].alive

    def _is_for_the_freed(self, command: Command) -> bool:
        """A label that has just left quarantine is put right: nobody could before."""
        told = _told(command)
        return bool(told) and told <= self._freed_lately(self.right_within_s)

    def _watch_picture(self, put: Put) -> None:
        label, rev, digest = put.label, put.rev, put.digest
        if not put.show:
            kept = self._books.execute(_FRAME, (digest.hex(),)).fetchone()
            self._check("I5", kept is not None, f"{label} is to keep a picture unrecorded")
            return
        row = self._books.execute(_ISSUED, (label, rev)).fetchone()
        issued = row["digest"] if row is not None else None
        self._check(
            "I5", issued == digest.hex(), f"{label} is sent {rev} unrecorded, books: {issued}"
        )
        self._signed[label].add((rev, digest))

    def _watch_show(self, entry: ShowEntry) -> None:
        self._signed[entry.label].add((entry.rev, entry.digest))
        self.evaluated["I5"] += 1

    def _watch_often(self, label: str) -> None:
        self._sent_s[label].append(self._world.now_s)
        sent = self._count_lately(label)
        most = PICTURES_AN_HOUR + 6 * _lately(self._stirred_s[label], self._world.now_s)
        self._check("I6", sent <= most, f"{label} was sent {sent} pictures in an hour")

    def _count_lately(self, label: str) -> int:
        return _lately(self._sent_s[label], self._world.now_s)

    def look_at_moments(self, now: datetime) -> list[str]:
        """Flips and promotions may have turned by somebody's clock; return their labels."""
        self._model.now = now
        return [*self.flips.look(), *self.edges.look(now)]

    def note_stirred(self, labels: Iterable[str]) -> None:
        """Something gives a reason to send to labels at once: a new truth, a memory lost."""
        for label in labels:
            self._stirred_s[label].append(self._world.now_s)

    # -- the glass -----------------------------------------------------------------------------

    def watch_glass(self, label: SimLabel) -> None:
        """A label may show something else than before."""
        if label.label_id not in self._model.shelves:
            held = self._strangers.setdefault(label.label_id, (label.shown_rev, label.shown_digest))
            untouched = (label.shown_rev, label.shown_digest) == held
            self._check("strangers", untouched, f"{label.label_id} was painted")
            return
        if self._twins.get(label.label_id) is label:
            self._watch_twin(label)
            return
        glass = self._glass[label.label_id]
        if label.incarnation != glass.incarnation:
            alive, self._glass[label.label_id] = glass.alive, (glass := Glass())
            glass.incarnation, glass.alive = label.incarnation, alive
            glass.haunted = label.label_id in self._doubled
        if (label.shown_rev, label.shown_digest) == (glass.rev, glass.digest):
            return
        name = label.label_id
        self._world.note(f"{name} shows {label.shown_rev} {read_glass(label.shown_pixels)}")
        self.shown_events += 1
        self._check(
            "I2", label.shown_rev > glass.rev, f"{name} went from {glass.rev} to {label.shown_rev}"
        )
        signed = (label.shown_rev, label.shown_digest) in self._signed[name]
        self._check("I5", signed, f"{name} shows {label.shown_rev}, never signed for it")
        says = read_glass(label.shown_pixels)
        if glass.early is not None and glass.says is not None:
            # What came by a timed show has become the truth since: nothing older may follow.
            glass.place = self._model.place_of(name, glass.says, glass.place) or glass.place
        place = self._model.place_of(name, says, glass.place) if says else None
        glass.early = None
        if place is None and says is not None:
            glass.early = self.flips.judge_early(
                name, label.shown_rev, label.shown_digest, says, glass.place
            )
            place = glass.place if glass.early is not None else None
        self._check("I2", place is not None, f"{name} shows {says}, its truth was newer or other")
        glass.says = says
        if says is not None:
            self._prices[name].add((says.sku, says.price_minor, says.was_minor))
        glass.place = place or 0
        glass.rev, glass.digest = label.shown_rev, label.shown_digest
        glass.shown.add((label.shown_rev, label.shown_digest.hex()))
        glass.haunted = name in self._doubled  # the other may have reported something newer
        self.tills.judge(name)

    def _hangs(self, label_id: str) -> Says | None:
        """Say what customers read; nothing where no controller can know it, or prevent it."""
        glass = self._glass[label_id]
        is_early = glass.early is not None and glass.early.show_at > self._world.wall()
        return None if glass.haunted or is_early or label_id in self._doubled else glass.says

    def _watch_twin(self, twin: SimLabel) -> None:
        """A second label of an id: what it shows was meant for that id, and nobody can tell."""
        glass = self._glass[twin.label_id]
        glass.haunted = True
        shown = (twin.shown_rev, twin.shown_digest.hex())
        if not twin.shown_digest or shown in glass.shown:
            return
        signed = (twin.shown_rev, twin.shown_digest) in self._signed[twin.label_id]
        self._check("I5", signed, f"the twin of {twin.label_id} shows {twin.shown_rev}")
        glass.shown.add(shown)
        says = read_glass(twin.shown_pixels)
        if says is not None:
            self._prices[twin.label_id].add((says.sku, says.price_minor, says.was_minor))

    def note_twin(self, twin: SimLabel) -> None:
        """From now on two labels use an id."""
        self._twins[twin.label_id] = twin
        self._twinned.add(twin.label_id)
        self._doubled.add(twin.label_id)
        self._glass[twin.label_id].haunted = True
        self.note_stirred([twin.label_id] * _TWINS_STIR)

    def note_twin_gone(self, label_id: str) -> None:
        """One label uses the id again; what the books hold of it is the other's, maybe."""
        self._doubled.discard(label_id)
        self._glass[label_id].haunted = True

    def note_fell_back(self, label: SimLabel) -> None:
        """A fault made a glass show an earlier picture, after it had reported a later one."""
        glass = self._glass[label.label_id]
        glass.rev, glass.digest = label.shown_rev, label.shown_digest
        glass.place, glass.says, glass.early = 0, None, None
        glass.haunted = True

    def note_haunted(self, label_id: str) -> None:
        """A fault makes what the books hold of a label uncertain till it shows something new."""
        self._glass[label_id].haunted = True

    def note_dead(self, label_id: str) -> None:
        """A label will never show anything else."""
        self._glass[label_id].alive = False

    # -- the books -----------------------------------------------------------------------------

    def check_books(self) -> None:
        """What the controller holds to be true of labels, against their glass; if it changed."""
        [version] = self._books.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return
        self._version = version
        for row in self._books.execute(_BOOKS):
            label_id = row["label_id"]
            if label_id not in self._model.shelves:
                adopted = self.adopts and row["wanted_rev"] == 0
                self._check("strangers", adopted, f"{label_id} is ours: {dict(row)}")
                continue
            two = label_id in self._twinned or not row["quarantine"]
            self._check("twins", two, f"{label_id} is one label, and in quarantine")
            if row["quarantine"]:
                self._held.add(label_id)
            elif label_id in self._held:
                self._held.remove(label_id)
                self._freed_s[label_id] = self._world.now_s
            glass = self._glass[label_id]
            wanted = self._wanted.get(label_id, 0)
            self._check(
                "I2",
                row["wanted_rev"] >= wanted,
                f"{label_id} wants {row['wanted_rev']} < {wanted}",
            )
            self._wanted[label_id] = row["wanted_rev"]
            if row["incarnation"] != glass.incarnation or not glass.alive:
                continue
            shown = (row["shown_rev"], row["shown_digest"])
            if row["shown_digest"]:
                self._check("I3", shown in glass.shown, f"{label_id} never showed {shown}")
            settled = (
                row["due_at"] is None
                and row["problem"] is None
                and row["settled_rev"] >= row["wanted_rev"] > 0
            )
            if settled and not glass.haunted:
                self._check_settled(label_id, glass, reported=row["shown_rev"] == glass.rev)

    def _check_settled(self, label_id: str, glass: Glass, *, reported: bool) -> None:
        truth = self._model.truth(label_id)
        right = is_right(glass.says, truth) or (
            glass.early is not None and self.flips.may_differ(glass.early, reported=reported)
        )
        right = right or self.tills.is_held(label_id)
        self._check("I3", right, f"{label_id} is called settled, shows {glass.says}, not {truth}")

    # -- coming right --------------------------------------------------------------------------

    def wrong(self, labels: Iterable[SimLabel]) -> list[str]:
        """List live labels that do not show what they must, and why."""
        found = []
        tasks, helpless = self._tasks(), self._beyond_help()
        for label in labels:
            if label.dead or label.label_id in helpless:  # a problem is open for those
                continue
            self.evaluated["I4"] += 1
            truth = self._model.truth(label.label_id)
            says = read_glass(label.shown_pixels)
            if truth is not None and truth.is_neutral and label.label_id in tasks:
                continue
            if not is_right(says, truth):
                found.append(f"{label.label_id} shows {says}, must show {truth}")
        return found

    def overpriced(self, labels: Iterable[SimLabel]) -> list[str]:
        """List live labels that show a price which no valid offer has, and nobody is to remove."""
        found = []
        helped = self._tasks() | self._beyond_help(self.neutral_within_s)
        for label in labels:
            says = read_glass(label.shown_pixels)
            truth = self._model.truth(label.label_id)
            if label.dead or says is None or says.is_neutral or label.label_id in helped:
                continue
            self.evaluated["neutral"] += 1
            if truth is None or truth.is_neutral:
                found.append(f"{label.label_id} still shows {says}")
        return found

    def _tasks(self) -> frozenset[str]:
        """Name the labels that a person is asked to take off the shelf."""
        return frozenset(row["label_id"] for row in self._books.execute(_TASKS))

    def check_tasks(self) -> None:
        """At the end nobody is asked to remove a label that shows what it must.

        Of one in quarantine nobody knows what it shows, and it may be told nothing: whoever was
        asked to remove it is asked on, also when it has got a price again.
        """
        for label_id in sorted(self._tasks() - self._beyond_help()):
            truth, glass = self._model.truth(label_id), self._glass[label_id]
            needed = truth is None or truth.is_neutral or not glass.alive
            self._check("neutral", needed, f"{label_id} is to be removed and shows {glass.says}")

    def check_verdicts(self, database: Database, now: datetime) -> None:
        """What became of prices is told: of those above the policy time, and of living labels."""
        changes = self._books.execute(_ACCEPTED, (STORE,)).fetchall()
        helpless = self._beyond_help()
        for change in changes:
            with database.read() as tx:
                told = verdicts_of_change(tx, STORE, change["rev"], now)
            is_old = now - datetime.fromisoformat(f"{change['received_at']}+00:00") > _VERDICT_DUE
            for verdict in told.verdicts:
                label, glass = verdict.label_id, self._glass[verdict.label_id]
                of = f"{label}: {verdict}, revision {change['rev']}"
                pending = verdict.outcome is Outcome.PENDING
                # An id in quarantine is sent nothing: its verdict comes with the policy time.
                settles = glass.alive and label not in helpless
                self._check("verdicts", not pending or not (is_old or settles), of)
                plain = not self._model.is_promoted(change["sku"])
                if verdict.outcome is Outcome.SHOWN and verdict.sku == change["sku"] and plain:
                    price = (verdict.sku, change["price_minor"], change["was_minor"])
                    self._check("verdicts", price in self._prices[label], f"{of}: never was")

    def state_of(self, label_id: str) -> str:
        """Describe a label's row, for a message."""
        for row in self._books.execute(_BOOKS + " WHERE label_id = ?", (label_id,)):
            return str(dict(row))
        return "no row"

    def check(self, invariant: str, holds: bool, what: str) -> None:  # noqa: FBT001
        """Ask one question."""
        self._check(invariant, holds, what)

    def _check(self, invariant: str, holds: bool, what: str) -> None:  # noqa: FBT001
        self.evaluated[invariant] += 1
        if not holds:
            self._world.note(f"VIOLATION {invariant}: {what}")
            self._world.violated = Violation(invariant, what)
            raise self._world.violated
