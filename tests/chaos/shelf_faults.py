"""What goes wrong with gateways and labels."""

from simulator.label import FULL_UV, LOWEST_MV, SimLabel
from tests.chaos.panels import TWO_SLOTS
from tests.chaos.scene import Scene
from tests.chaos.shop import Ceiling

_TWIN_LONGEST_S = 900.0
_TWIN_GONE_FOR_S = 600.0
_EMPTY_UV = 2_000_000
_DAY_S = 86_400.0
_FALLS_BACK_MOST = 2  # a label whose refreshes fail again and again is broken, or is two labels


class ShelfFaults:
    """Faults of gateways and labels."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.world = scene.world
        self._fell_back: dict[str, int] = {}
        self._strangers = 0

    def reboot_gateway(self) -> None:
        """A gateway boots again."""
        ceiling = self.scene.some(self.scene.ceilings)
        if ceiling.powered:
            ceiling.switch_off()
            self.world.count("gateway reboots", ceiling.name)
            self.world.after(self.world.between(1, 60), ceiling.switch_on)

    def flap_gateway(self) -> None:
        """A gateway boots again and again."""
        ceiling = self.scene.some(self.scene.ceilings)
        self._flap(ceiling, self.world.random.randint(5, 60))

    def _flap(self, ceiling: Ceiling, times: int) -> None:
        if times <= 0 or self.scene.over:
            return
        if ceiling.powered:
            ceiling.switch_off()
            self.world.count("gateway flaps", ceiling.name)
            ceiling.switch_on()
        self.world.after(self.world.between(4, 6), self._flap, ceiling, times - 1)

    def power_off_gateway(self) -> None:
        """A gateway is without power for long."""
        ceiling = self.scene.some(self.scene.ceilings)
        if ceiling.powered:
            ceiling.switch_off()
            self.world.count("gateway off", ceiling.name)
            self.world.after(self.world.between(100, 1200), ceiling.switch_on)

    def power_cut(self) -> None:
        """All gateways lose power, and come back at once."""
        if any(ceiling.powered for ceiling in self.scene.ceilings):
            self.world.count("power cut")
            away_s = self.world.between(1, 60)
            for ceiling in self.scene.ceilings:
                ceiling.switch_off()
                self.world.after(away_s, ceiling.switch_on)

    def lose_gateway(self) -> None:
        """A gateway is gone for good; its labels are heard by others."""
        left = self.scene.standing()
        if len(left) <= 1 or self.world.random.random() < 0.5:
            return
        lost = self.scene.some(left)
        lost.switch_off()
        lost.gone = True
        self.world.count("gateway gone for good", lost.name)
        for label_id, label in list(lost.labels.items()):
            if self.scene.labels.get(label_id) is not label:
                del lost.labels[label_id]  # none of ours, or a twin
                continue
            home = self.scene.some([ceiling for ceiling in left if ceiling is not lost])
            self.scene.hang(label, [home])

    def shrink_gateway(self) -> None:
        """A gateway has less room than it had."""
        ceiling = self.scene.some(self.scene.ceilings)
        self._resize(ceiling, self.world.random.choice((1, 2, 4)))
        self.world.count("gateway has less room", ceiling.name)
        self.world.after(self.world.between(20, 400), self._resize, ceiling, None)

    def _resize(self, ceiling: Ceiling, capacity: int | None) -> None:
        options = ceiling.gateway._options
        ceiling.gateway._queue.capacity = options.capacity if capacity is None else capacity

    def skew_gateway(self) -> None:
        """A gateway's clock is set."""
        ceiling = self.scene.some(self.scene.ceilings)
        ceiling.set_clock(self.world.random.choice((-_DAY_S, -300.0, 0.0, 300.0, _DAY_S)))
        self.world.count("gateway clock set", f"{ceiling.name} {ceiling.clocks.ahead_s:.0f} s")

    def label_sleeps(self) -> None:
        """A label hears nothing for a while."""
        label = self.scene.some_label()
        if label.asleep:
            return
        label.asleep = True
        self.world.count("label asleep", label.label_id)
        asleep_s = self.world.random.choice((30, 300, 1500)) * self.world.random.random()
        self.world.after(asleep_s, self._wake_up, label)

    def _wake_up(self, label: SimLabel) -> None:
        label.asleep = False

    def label_reboots(self) -> None:
        """A refresh under way is lost."""
        for label in self.scene.shuffled():
            if label.painting is not None:
                label.reboot()
                self.world.count("refresh lost", label.label_id)
                return

    def label_moves(self) -> None:
        """A label is carried to another gateway."""
        label = self.scene.some_label()
        there = self.scene.some(self.scene.standing())
        if label.label_id not in there.labels:
            self.world.count("label moved", f"{label.label_id} to {there.name}")
            self.scene.hang(label, [there])

    def label_overlaps(self) -> None:
        """A label is heard by two gateways for a while."""
        label = self.scene.some_label()
        there = self.scene.some(self.scene.standing())
        here = [c for c in self.scene.ceilings if label.label_id in c.labels]
        if len(here) == 1 and there not in here:
            self.world.count("label between two", f"{label.label_id} also by {there.name}")
            self.scene.hang(label, [*here, there])

    def label_forgets(self) -> None:
        """A label loses its memory, and shows nothing."""
        label = self.scene.some_label()
        if label.dead:
            return
        self.world.count("label forgets", label.label_id)
        self._forget(label)

    def label_dies(self) -> None:
        """A label never answers again."""
        label = self.scene.some_label()
        if self.world.random.random() < 0.3 and not label.dead:
            label.dead = True
            self.world.count("label dies", label.label_id)
            self.scene.oracles.note_dead(label.label_id)

    def label_falls_back(self) -> None:
        """A refresh failed after all: the glass is blank, and the label says so later."""
        for label in self.scene.shuffled():
            times = self._fell_back.get(label.label_id, 0)
            if times >= _FALLS_BACK_MOST or label.dead or label.painting is not None:
                continue
            if label.shown_rev > 0:
                self._fell_back[label.label_id] = times + 1
                self.world.count("glass falls back", label.label_id)
                label.shown_rev, label.shown_digest, label.shown_pixels = 0, b"", b""
                self.scene.oracles.note_fell_back(label)
                self.scene.oracles.note_stirred([label.label_id])
                return

    def label_runs_low(self) -> None:
        """A battery is empty; some time later somebody changes it."""
        label = self.scene.some_label()
        if label.battery_mv < LOWEST_MV or label.dead:
            return
        label.battery_uv = _EMPTY_UV
        self.world.count("battery low", label.label_id)
        self.world.after(self.world.between(60, 900), self._change_battery, label)

    def _change_battery(self, label: SimLabel) -> None:
        if label.battery_mv < LOWEST_MV:
            label.battery_uv = FULL_UV
            self._forget(label)

    def label_is_twinned(self) -> None:
        """A second label of the same id is heard by another gateway, and taken away in time."""
        label = self.scene.some_label()
        others = [c for c in self.scene.standing() if label.label_id not in c.labels]
        early = self.scene.is_early_enough(_TWIN_LONGEST_S + _TWIN_GONE_FOR_S)
        if not (others and early) or label.dead or label.label_id in self.scene.twins:
            return
        twin = SimLabel(label.label_id, label.panel)
        twin.incarnation = self.world.random.choice((1, label.incarnation))
        there = self.scene.some(others)
        there.take_up(twin)
        self.scene.twins[label.label_id] = twin
        self.scene.oracles.note_twin(twin)
        self.world.count("id used twice", f"{label.label_id} by {there.name}")
        self.world.after(self.world.between(60, _TWIN_LONGEST_S), self._end_twin, twin)

    def _end_twin(self, twin: SimLabel) -> None:
        for ceiling in self.scene.ceilings:
            if ceiling.labels.get(twin.label_id) is twin:
                del ceiling.labels[twin.label_id]
        self.scene.twins.pop(twin.label_id, None)
        self.scene.oracles.note_twin_gone(twin.label_id)

    def stranger_comes(self) -> None:
        """A label of the shop next door is heard, or a new one that nobody registered."""
        self._strangers += 1
        stranger = SimLabel(f"stranger-{self._strangers}", TWO_SLOTS)
        if self.world.random.random() < 0.5:
            stranger.shown_rev = self.world.random.choice((1, 50, 2**40))
            stranger.shown_digest = bytes(32)
        there = self.scene.some(self.scene.ceilings)
        there.take_up(stranger)
        self.world.count("unknown label", f"{stranger.label_id} at {there.name}")
        stays_s = self.world.between(60, 1200)
        self.world.after(stays_s, there.labels.pop, stranger.label_id, None)

    def _forget(self, label: SimLabel) -> None:
        label.lose_memory()
        self.scene.oracles.watch_glass(label)
        self.scene.oracles.note_stirred([label.label_id])

    def calm(self) -> None:
        """End what lasts; every label is heard by one gateway that stands."""
        for ceiling in self.scene.ceilings:
            self._resize(ceiling, None)
            ceiling.switch_on()
        for label in self.scene.labels.values():
            label.asleep = False
            self._change_battery(label)
            homes = [c for c in self.scene.standing() if label.label_id in c.labels]
            self.scene.hang(label, [self.scene.some(homes or self.scene.standing())])
