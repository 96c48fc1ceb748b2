"""The delivery rules as a state machine: Hypothesis writes the story, and shortens what fails.

The same world as the seeds, without their nemesis: each rule is one thing that happens, time
passes only by `time_passes`, and the oracles watch every step. At the end of each story the
faults stop, and everything must come right and fall silent.
"""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.builders import label_id
from tests.chaos.broker import Weather
from tests.chaos.disk import Dies
from tests.chaos.errands import cancel_request, plan_request, withdraw_request
from tests.chaos.model import Change
from tests.chaos.profile import DEFAULT
from tests.chaos.requests import name_request, pair_request, price_request
from tests.chaos.story import Stage, Story

LABELS, GATEWAYS = 4, 2
SMALL = replace(DEFAULT, labels=LABELS, gateways=GATEWAYS, quiet_s=30.0, silence_s=120.0)

_labels = st.integers(0, LABELS - 1)
_gateways = st.integers(0, GATEWAYS - 1)
_skus = _labels.map("sku-{}".format)


class Deliveries(RuleBasedStateMachine):
    """One shop, and everything that may happen in it."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.keys = 0
        self.seqs: dict[str, int] = {}
        self.story: Story | None = None

    @initialize(seed=st.integers(0, 1000), loses=st.sampled_from((0.0, 0.05)))
    def open(self, seed: int, loses: float) -> None:
        weather = Weather(loses=loses, repeats=loses, delays=loses)
        self.story = Story(self.stage, seed, SMALL, weather=weather)
        self.story.open()
        self.story.world.run_until(20.0)

    def _key(self) -> str:
        self.keys += 1
        return f"rule-{self.keys}"  # the shop's own programs count keys as well

    # -- trade ---------------------------------------------------------------------------------

    @rule(sku=_skus, price=st.sampled_from((99, 129, 149)), skips=st.integers(1, 3))
    def price_changes(self, sku: str, price: int, skips: int) -> None:
        self.seqs[sku] = self.seqs.get(sku, 0) + skips
        change = Change(sku=sku, price_minor=price, seq=self.seqs[sku])
        self.story.till.ask(price_request(self._key(), [change]))

    @rule(sku=_skus, price=st.sampled_from((99, 777)))
    def late_price_arrives(self, sku: str, price: int) -> None:
        change = Change(sku=sku, price_minor=price, source=f"late-{self.keys}", seq=1)
        self.story.till.ask(price_request(self._key(), [change]))

    @rule(label=_labels, sku=_skus)
    def label_is_paired(self, label: int, sku: str) -> None:
        self.story.till.ask(pair_request(self._key(), label_id(label), sku))

    @rule(sku=_skus)
    def product_is_renamed(self, sku: str) -> None:
        key = self._key()
        self.story.till.ask(name_request(key, sku, f"Sir {key}"))

    @rule(skus=st.sets(_skus, min_size=1, max_size=2), ahead_s=st.sampled_from((5, 45, 120)))
    def flip_is_planned(self, skus: set[str], ahead_s: int) -> None:
        key = self._key()
        show_at = self.story.world.wall().replace(microsecond=0) + timedelta(seconds=ahead_s)
        changes = [Change(sku=s, price_minor=888, source=f"flip-{key}") for s in sorted(skus)]
        self.story.till.ask(plan_request(key, show_at, changes))

    @rule()
    @precondition(lambda self: self.story is not None and self.story.model.planned())
    def flip_is_cancelled(self) -> None:
        flip = self.story.model.planned()[0]
        self.story.till.ask(cancel_request(self._key(), flip.flip_id))

    @rule(sku=_skus)
    def price_is_withdrawn(self, sku: str) -> None:
        self.story.till.ask(withdraw_request(self._key(), sku))

    # -- time ----------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from((0.02, 0.3, 1.0, 3.0, 17.0, 70.0)))
    def time_passes(self, seconds: float) -> None:
        self.story.world.run_until(self.story.world.now_s + seconds)

    @rule(jump_s=st.sampled_from((-7200, -30, 30, 7200)), second=st.booleans())
    def wall_clock_jumps(self, jump_s: int, second: bool) -> None:  # noqa: FBT001
        self.story.processes[second].clocks.ahead_s += jump_s

    # -- machines and network ------------------------------------------------------------------

    @rule(moment=st.sampled_from(list(Dies)), number=st.integers(1, 30))
    def controller_will_die(self, moment: Dies, number: int) -> None:
        self.story.processes[0].disk.arm(moment, number)

    @rule()
    def controller_dies(self) -> None:
        self.story.processes[0].crash("by rule")

    @rule(edition=st.sampled_from((1, 2)))
    def second_controller_comes(self, edition: int) -> None:
        second = self.story.processes[1]
        second.wanted = True
        second.renderer.edition = edition
        second.start()

    @rule()
    def second_controller_goes(self) -> None:
        second = self.story.processes[1]
        second.wanted = False
        if second.running:
            second.stop()

    @rule(keeps=st.booleans(), away_s=st.sampled_from((1.0, 40.0)))
    @precondition(lambda self: self.story is not None and self.story.broker.up)
    def broker_restarts(self, keeps: bool, away_s: float) -> None:  # noqa: FBT001
        self.story.broker.restart(away_s, keeps_memory=keeps)

    @rule(number=_gateways, half_open=st.booleans())
    def gateway_is_cut_off(self, number: int, half_open: bool) -> None:  # noqa: FBT001
        client = self.story.ceilings[number].client
        if client.connected and client.reachable:
            self.story.broker.cut(client, half_open=half_open)

    @rule(number=_gateways)
    def gateway_is_reached_again(self, number: int) -> None:
        self.story.broker.heal(self.story.ceilings[number].client)

    @rule(number=_gateways)
    def gateway_boots(self, number: int) -> None:
        self.story.ceilings[number].switch_off()
        self.story.ceilings[number].switch_on()

    # -- labels --------------------------------------------------------------------------------

    @rule(number=_labels)
    def label_forgets(self, number: int) -> None:
        shelf = self.story.nemesis.shelf
        shelf._forget(self.story.labels[label_id(number)])

    @rule(number=_labels, asleep=st.booleans())
    def label_sleeps_or_wakes(self, number: int, asleep: bool) -> None:  # noqa: FBT001
        self.story.labels[label_id(number)].asleep = asleep

    @rule(number=_labels, gateways=st.sets(_gateways, min_size=1))
    def label_is_carried(self, number: int, gateways: set[int]) -> None:
        homes = [self.story.ceilings[n] for n in sorted(gateways)]
        self.story.nemesis.scene.hang(self.story.labels[label_id(number)], homes)

    # -- what must hold ------------------------------------------------------------------------

    @invariant()
    def the_books_are_honest(self) -> None:
        if self.story is not None:
            self.story.oracles.check_books()
            self.story.oracles.answers.check_stored()

    def teardown(self) -> None:
        try:
            if self.story is not None:
                self.story.close()
                self.story.books.close()
        finally:
            self.stage.close()


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(
    max_examples=20,
    stateful_step_count=40,
    derandomize=True,  # the seeds explore; this one shortens
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
