"""One seed: a shop is opened, everything goes wrong for hours, then everything must come right.

::

    chaos_s                        right_within_s      silence_s
    ├── trade, faults ────────────┤├── quiet ─────────┤├── nothing may be sent ──┤
                                  │     └ every live label right, measured
                                  └ faults stop, trade stops, what is open is answered
"""

import json
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, update

from esl.domain.ids import GatewayId, LabelId, Sku
from esl.domain.place import Neutral, Pairing, StorePolicy, UnknownLabels
from esl.domain.template_rule import TemplateRule
from esl.domain.till_channel import TillChannel, TillSetting
from esl.services import catalogue, pairing, templates, till_channels
from esl.store import places, till_settings
from esl.store.tables import labels as label_table
from simulator.gateway import GatewayOptions, SimGateway
from simulator.label import SimLabel
from tests.builders import STORE, a_store, build_shelf, label_id, the_gallery
from tests.chaos import keys
from tests.chaos.broker import Broker, Weather
from tests.chaos.campaigns import Campaigns
from tests.chaos.disk import Disk, SharedFile
from tests.chaos.errands import own_template
from tests.chaos.model import Change, Model
from tests.chaos.nemesis import Nemesis
from tests.chaos.office import Office, open_office
from tests.chaos.oracles import Oracles
from tests.chaos.panels import ONE_SLOT, TWO_SLOTS
from tests.chaos.process import UPKEEP_S, Process
from tests.chaos.profile import Profile
from tests.chaos.requests import Request
from tests.chaos.safe_till import SafeTill
from tests.chaos.scene import Scene
from tests.chaos.shop import Ceiling
from tests.chaos.till import Till
from tests.chaos.world import CLOCK_IS_TURNED, Violation, World

FIRST_PRICE = 129
CHECKED_EVERY_S = 1.0
ANSWERS_EVERY_S = 300.0
_REMOVES = 0.25
_ADOPTS = 0.3
_OWN_TEMPLATE = 0.5
_CLOCK_IS_TURNED = 0.4  # of the seeds with promotions
_KEEPS_ORDER = 0.4  # of the stores that have promotions: dearer on labels first


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of one seed."""

    seed: int
    virtual_s: float = 0.0
    applied: Counter[str] = field(default_factory=Counter)
    evaluated: Counter[str] = field(default_factory=Counter)
    shown_events: int = 0
    turned: int = 0  # moments of promotions
    commands: int = 0
    convergence_s: float = 0.0
    steps: int = 0
    seconds: float = 0.0
    violation: Violation | None = None
    notes: list[str] = field(default_factory=list)
    fingerprint: str = ""


class Stage:
    """The folder and the two disks that all seeds of this program use one after another."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108  a folder of our own in it
        self._folder = tempfile.TemporaryDirectory(
            prefix="esl-chaos-", dir=memory if memory.is_dir() else None
        )
        self.file = SharedFile(Path(self._folder.name))
        self.file.renew()
        self.disks = [Disk(self.file.path), Disk(self.file.path)]

    def renew(self) -> None:
        """Begin with an empty database."""
        for disk in self.disks:
            disk.fill(full=False)
            disk.drop()
        self.file.renew()

    def close(self) -> None:
        """Remove everything."""
        for disk in self.disks:
            disk.drop()
        self.file.release()
        self._folder.cleanup()


class Story:
    """A world with one shop in it."""

    def __init__(
        self, stage: Stage, seed: int, profile: Profile, *, weather: Weather | None = None
    ) -> None:
        stage.renew()
        self.profile = profile
        self.world = World(seed)
        if profile.promotes and self.world.random.random() < _CLOCK_IS_TURNED:
            self.world.begins = self.world.random.choice(CLOCK_IS_TURNED)
        self.model = Model()
        self.file = stage.file
        self.books = self.file.read()
        self.oracles = Oracles(self.world, self.model, self.books, stage.file.path)
        self.oracles.right_within_s = profile.right_within_s
        self.oracles.neutral_within_s = profile.neutral_within_s
        self.broker = Broker(self.world, weather or _draw_weather(self.world))
        self._stock(stage.disks[0])
        self.ceilings = self._hang_gateways()
        self.processes = [
            Process(
                name,
                world=self.world,
                broker=self.broker,
                disk=disk,
                oracles=self.oracles,
                profile=profile,
                happened=self._happened,
            )
            for name, disk in zip(("controller-1", "controller-2"), stage.disks, strict=True)
        ]
        self.processes[1].wanted = False
        self.till = Till(
            self.world,
            self.processes,
            self.oracles,
            self.model,
            gateways=[ceiling.name for ceiling in self.ceilings],
            every_s=profile.trade_every_s,
        )
        self.till.house_time = self._house_time
        self.office = Office(
            self.world, self.processes, self.oracles, every_s=profile.office_every_s
        )
        scene = Scene(
            world=self.world,
            broker=self.broker,
            file=self.file,
            processes=self.processes,
            ceilings=self.ceilings,
            labels=self.labels,
            oracles=self.oracles,
            ends_s=profile.chaos_s,
        )
        self.nemesis = Nemesis(scene, every_s=profile.fault_every_s)
        self.convergence_s = 0.0

    # -- the shop ------------------------------------------------------------------------------

    def _stock(self, disk: Disk) -> None:
        profile = self.profile
        names = [GatewayId(f"gw-{n + 1}") for n in range(profile.gateways)]
        with disk.database.writing.begin() as tx:
            build_shelf(
                tx,
                labels_count=profile.labels,
                gateways=names,
                price_minor=FIRST_PRICE,
                now=self.world.begins,
            )
            one_slot = [label_id(n) for n in range(profile.labels) if n % 4 == 3]
            tx.execute(
                update(label_table)
                .where(label_table.c.label_id.in_(one_slot))
                .values(panel_id=ONE_SLOT.panel_id)
            )
            self._set_policies(tx)
            self._set_promotions(tx)
            if profile.office_every_s is not None:
                open_office(tx, self.oracles, self.world.begins)
        for number in range(profile.labels):
            sku = f"sku-{number}"
            self.model.names[sku] = f"Jogurt {sku}"
            self.model.add(label_id(number), sku)
            self.model.apply(Change(sku=sku, price_minor=FIRST_PRICE, source="api"))
        if self.model.is_safe:
            self.oracles.tills.charges.update(dict.fromkeys(self.model.names, FIRST_PRICE))
            for label, sku in self._second_labels():
                self.model.pair(label, sku)
        self.labels = {
            label_id(n): SimLabel(label_id(n), ONE_SLOT if label_id(n) in one_slot else TWO_SLOTS)
            for n in range(profile.labels)
        }

    def _set_policies(self, tx: Connection) -> None:
        """Some stores have a template of their own; some remove what may show no price."""
        random = self.world.random
        self.oracles.removes = random.random() < _REMOVES
        self.oracles.adopts = random.random() < _ADOPTS
        policy = StorePolicy(
            neutral=Neutral.TASK if self.oracles.removes else Neutral.FACE,
            unknown_labels=UnknownLabels.ADOPT if self.oracles.adopts else UnknownLabels.IGNORE,
            adopt_until=self.world.begins + timedelta(seconds=self.profile.chaos_s / 2),
        )
        places.put_store_policy(tx, STORE, policy)
        if random.random() < _OWN_TEMPLATE:
            new, gallery = own_template(0), frozenset(the_gallery())
            templates.save_template(
                tx, STORE, new, self.world.begins, actor="tests", gallery=gallery
            )
            rules = [TemplateRule(template=new.name)]
            templates.put_rules(tx, STORE, rules, self.world.begins, gallery=gallery, seen=None)
            self.model.template = new.digest

    def _set_promotions(self, tx: Connection) -> None:
        """Some have promotions; their tills hear of them by another way, or in safe order."""
        if not self.profile.promotes:
            return
        catalogue.put_store(tx, a_store(law="none"), self.world.begins)
        self.model.campaigns = Campaigns()
        if self.world.random.random() >= _KEEPS_ORDER:
            setting = TillSetting(store_id=STORE, channel=TillChannel.OWN)
            till_settings.put_setting(tx, setting, sealed=None)
            return
        self.model.is_safe = True
        pairs = [Pairing(label_id=LabelId(n), sku=Sku(sku)) for n, sku in self._second_labels()]
        pairing.pair_labels(tx, STORE, pairs, self.world.begins, single=False)
        safe = TillSetting(store_id=STORE, channel=TillChannel.PULL, is_safe=True)
        till_channels.put_till(tx, safe, self.world.begins, actor="tests")

    def _second_labels(self) -> list[tuple[str, str]]:
        """Name the labels that hang beside others of the same product, and which that is."""
        count = self.profile.labels
        return [(label_id(n), f"sku-{n - count // 2}") for n in range(count * 3 // 4, count)]

    def _hang_gateways(self) -> list[Ceiling]:
        random, profile = self.world.random, self.profile
        labels = list(self.labels.values())
        return [
            Ceiling(
                self.world,
                self.broker,
                SimGateway(
                    f"gw-{number + 1}",
                    labels[number :: profile.gateways],
                    keys.FIRST,
                    random=random,
                    options=self._options(),
                ),
                self.oracles,
                labels,
                keeps_session=random.random() < 0.4,
                queue_longest=random.choice((10, 100, 1000)),
            )
            for number in range(profile.gateways)
        ]

    def _options(self) -> GatewayOptions:
        profile = self.profile
        return GatewayOptions(
            paint_s=profile.paint_s,
            jitter=0.2,
            beacon_s=profile.beacon_s,
            heartbeat_s=profile.heartbeat_s,
            capacity=self.world.random.choice((2, 8, 128)),
            label_timeout_s=profile.label_timeout_s,
            rest_s=profile.rest_s,
            radio=profile.radio,
        )

    def _happened(self, request: Request, answer: str, now: datetime) -> None:
        """A request was committed: the truth has changed."""
        self.model.now = now
        self.oracles.audit.look()
        left = request.leaves(self.model, json.loads(answer))
        self.oracles.audit.expect(request.key, left)
        places = {n: len(shelf.truths) for n, shelf in self.model.shelves.items()}
        expected = request.happened(self.model, json.loads(answer))
        stirred = [n for n, shelf in self.model.shelves.items() if len(shelf.truths) > places[n]]
        self.world.note(f"committed {request.key} {request.body}: {answer}")
        self.oracles.note_stirred(stirred)
        self.oracles.answers.check_decision(request.key, answer, expected)

    # -- its day -------------------------------------------------------------------------------

    def run(self) -> None:
        """Live through everything.

        Raises:
            Violation: An invariant does not hold.
        """
        self.open()
        self.till.begin()
        self.office.begin()
        self.nemesis.begin()
        self.world.run_until(self.profile.chaos_s)
        self.close()

    def open(self) -> None:
        """Give gateways power, and start the first controller."""
        for ceiling in self.ceilings:
            ceiling.switch_on()
        self.processes[0].start()
        if self.model.is_safe:
            ask, tills = self.till.ask, self.oracles.tills
            SafeTill(self.world, self.processes, tills, ask).begin()
        self.world.after(ANSWERS_EVERY_S, self._check_answers)

    def close(self) -> None:
        """End all faults and all trade; then everything must come right, and be silent.

        Raises:
            Violation: It does not.
        """
        self.nemesis.calm()
        self.world.note("faults stop")
        self._end_day()
        self._come_right()
        self._stay_silent()

    def _end_day(self) -> None:
        self.office.stopped = True
        self.till.end_day(self._house_time())

    def _house_time(self) -> datetime:
        first = self.processes[0]
        if first.controller is None:
            return first.clocks.wall()
        return first.controller.time.now()

    def _check_answers(self) -> None:
        self.oracles.answers.check_stored()
        if self.profile.office_every_s is not None:  # only there is anything sealed
            self.oracles.audit.check_chain()
        self.world.after(ANSWERS_EVERY_S, self._check_answers)

    def _come_right(self) -> None:
        """I4 and the neutral face: measure from the moment at which the last fault ended."""
        profile, world = self.profile, self.world
        began_s = world.now_s
        while self.till.open:
            world.run_until(world.now_s + CHECKED_EVERY_S)
            self._end_day()
            self.oracles.check(
                "I1", world.now_s < began_s + 180, f"unanswered: {sorted(self.till.open)}"
            )
        answered_s = world.now_s
        end_s = answered_s + profile.right_within_s
        wrong_s = began_s
        while world.now_s < end_s:
            world.run_until(world.now_s + CHECKED_EVERY_S)
            if self.oracles.wrong(self.labels.values()):
                wrong_s = world.now_s
            if world.now_s > began_s + profile.neutral_within_s:
                left = self.oracles.overpriced(self.labels.values())
                self.oracles.check("neutral", not left, "; ".join(left))
        self.convergence_s = wrong_s - began_s
        self.oracles.flips.check_over()
        self.oracles.edges.check_over()
        wrong = self.oracles.wrong(self.labels.values())
        rows = [self.oracles.state_of(text.split()[0]) for text in wrong]
        self.oracles.check("I4", not wrong, "; ".join([*wrong, *rows]))
        self.oracles.answers.check_stored()
        self.oracles.check_books()

    def _stay_silent(self) -> None:
        """I14: when all is right, nothing is sent."""
        world, profile = self.world, self.profile
        world.run_until(world.now_s + profile.quiet_s)
        self.oracles.quiet_from_s = world.now_s
        world.run_until(world.now_s + profile.silence_s)
        wrong = self.oracles.wrong(self.labels.values())
        self.oracles.check("I4", not wrong, "right, and then wrong again: " + "; ".join(wrong))
        self.oracles.check("I14", True, "")  # noqa: FBT003
        first = self.processes[0]
        if first.controller is not None:
            now = first.controller.time.now()
            self.oracles.check_verdicts(first.disk.database, now)
            self.oracles.orders.check_all(now, slack_s=2 * UPKEEP_S)
            self.oracles.check_tasks()
            self.oracles.audit.hear(now)
        if self.profile.office_every_s is not None:
            self.oracles.audit.check_over()

    def outcome(self, violation: Violation | None, seconds: float) -> Outcome:
        """Sum up."""
        return Outcome(
            seed=self.world.seed,
            virtual_s=self.world.now_s,
            applied=self.world.applied,
            evaluated=self.oracles.evaluated,
            shown_events=self.oracles.shown_events,
            turned=self.oracles.edges.turned,
            commands=self.oracles.commands,
            convergence_s=self.convergence_s,
            steps=self.world.steps,
            seconds=seconds,
            violation=violation,
            notes=self.world.notes(),
            fingerprint=self.world.fingerprint(),
        )


def _draw_weather(world: World) -> Weather:
    random = world.random
    bad = random.choice((0.3, 1.0, 3.0))
    return Weather(
        loses=0.01 * bad,
        repeats=0.02 * bad,
        delays=0.02 * bad,
        repeats_longest_s=random.choice((5.0, 60.0, 3600.0)),
        spoils=random.choice((0.0, 0.0, 0.002)),
    )


def run_seed(stage: Stage, seed: int, profile: Profile) -> Outcome:
    """Run one seed to its end, or to its first violation."""
    began_s = time.perf_counter()
    story = Story(stage, seed, profile)
    violation: Violation | None = None
    try:
        story.run()
    except Violation as found:
        violation = found
    finally:
        story.books.close()
    return story.outcome(violation, time.perf_counter() - began_s)
