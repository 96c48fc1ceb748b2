"""Draws one fault after another, of those this seed is prone to, and ends all of them in time."""

from tests.chaos.machine_faults import MachineFaults
from tests.chaos.network_faults import NetworkFaults
from tests.chaos.scene import Fault, Scene
from tests.chaos.shelf_faults import ShelfFaults

_PRONE = 0.7  # swarm testing: each seed lacks some faults, so that others are not drowned


class Nemesis:
    """Does harm every ``every_s`` on average until `calm`."""

    def __init__(self, scene: Scene, *, every_s: float) -> None:
        self.scene = scene
        self.machines = MachineFaults(scene)
        self.network = NetworkFaults(scene)
        self.shelf = ShelfFaults(scene)
        self._every_s = every_s
        everything = self._faults()
        prone = [drawn for drawn in everything if scene.world.random.random() < _PRONE]
        self._prone = prone or everything

    def _faults(self) -> list[tuple[Fault, int]]:
        machines, network, shelf = self.machines, self.network, self.shelf
        return [
            (machines.kill_controller, 3),
            (machines.arm_statement, 4),
            (machines.arm_commit, 4),
            (machines.arm_publish, 4),
            (machines.pause_controller, 2),
            (machines.second_controller, 2),
            (machines.jump_wall_clock, 2),
            (machines.lock_database, 2),
            (machines.fill_database, 1),
            (machines.rotate_key, 1),
            (network.restart_broker, 2),
            (network.cut_controller, 2),
            (network.cut_gateway, 4),
            (network.forge_report, 2),
            (shelf.reboot_gateway, 3),
            (shelf.flap_gateway, 1),
            (shelf.power_off_gateway, 1),
            (shelf.power_cut, 1),
            (shelf.lose_gateway, 1),
            (shelf.shrink_gateway, 2),
            (shelf.skew_gateway, 1),
            (shelf.label_sleeps, 4),
            (shelf.label_reboots, 3),
            (shelf.label_moves, 3),
            (shelf.label_overlaps, 2),
            (shelf.label_forgets, 3),
            (shelf.label_dies, 1),
            (shelf.label_falls_back, 2),
            (shelf.label_runs_low, 1),
            (shelf.label_is_twinned, 1),
            (shelf.stranger_comes, 2),
        ]

    def begin(self) -> None:
        """Start to do harm."""
        self._strike_later()

    def _strike_later(self) -> None:
        pause_s = self.scene.world.random.expovariate(1 / self._every_s)
        self.scene.world.after(pause_s, self._strike)

    def _strike(self) -> None:
        if self.scene.over:
            return
        faults = [fault for fault, _ in self._prone]
        weights = [weight for _, weight in self._prone]
        self.scene.world.random.choices(faults, weights)[0]()
        self._strike_later()

    def calm(self) -> None:
        """Let everything be in order again; the dead stay dead, and what is gone stays gone."""
        self.scene.over = True
        self.scene.world.faulty = False
        self.machines.calm()
        self.network.calm()
        self.shelf.calm()
