"""What goes wrong with controllers, their clocks and their database."""

from tests.chaos import keys
from tests.chaos.broker import KEEPALIVE_S
from tests.chaos.disk import Dies
from tests.chaos.process import Process
from tests.chaos.scene import Scene

_ROTATION_S = 300.0


class MachineFaults:
    """Faults of controller processes and of the disk they share."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.world = scene.world
        self._rotates = False

    def kill_controller(self) -> None:
        """A process dies between its steps."""
        self.scene.some(self.scene.processes).crash("between steps")

    def arm_statement(self) -> None:
        """A process will die at some statement."""
        self.scene.some(self.scene.processes).disk.arm(
            Dies.AT_STATEMENT, self.world.random.choice((1, 2, 3, 5, 8, 13, 21, 34))
        )

    def arm_commit(self) -> None:
        """A process will die just before or just after a commit."""
        dies = self.world.random.choice((Dies.BEFORE_COMMIT, Dies.AFTER_COMMIT))
        self.scene.some(self.scene.processes).disk.arm(dies, self.world.random.choice((1, 2, 3)))

    def arm_publish(self) -> None:
        """A process will die after it recorded, before or in the middle of publishing."""
        process = self.scene.some(self.scene.processes)
        process.dies_publishing = self.world.random.choice((0, 0, 1, 2))

    def pause_controller(self) -> None:
        """A process is stopped for a while and knows nothing of it."""
        process = self.scene.some(self.scene.processes)
        if not process.running:
            return
        pause_s = self.world.between(2, 90)
        process.paused_until_s = self.world.now_s + pause_s
        self.world.count("controller paused", f"{process.name} {pause_s:.0f} s")
        if pause_s > KEEPALIVE_S * 1.5:
            self.world.after(KEEPALIVE_S * 1.5, self.scene.broker.expire, process.client)

    def second_controller(self) -> None:
        """A second process works on the same database, without a lease, for a while."""
        second = self.scene.processes[1]
        if second.wanted:
            return
        second.wanted = True
        second.renderer.edition = self.world.random.choice((1, 1, 2))
        second.start()
        self.world.count("two controllers", f"edition {second.renderer.edition}")
        self.world.after(self.world.between(20, 400), self._end_second)

    def _end_second(self) -> None:
        second = self.scene.processes[1]
        second.wanted = False
        if second.running:
            second.stop()

    def jump_wall_clock(self) -> None:
        """A machine's wall clock is set."""
        process = self.scene.some(self.scene.processes)
        jump_s = self.world.random.choice((-7200, -3600, -30, 30, 3600, 7200, 25 * 3600))
        process.clocks.ahead_s += jump_s
        self.scene.oracles.answers.leapt_s += max(0.0, jump_s)
        if process.running:
            self.world.count("wall clock jumps", f"{process.name} {jump_s} s")

    def lock_database(self) -> None:
        """A foreign program holds the database."""
        try:
            self.scene.file.hold()
        except Exception as exc:  # noqa: BLE001  it is held already, or full
            self.world.note(f"not held: {exc}")
            return
        self.world.count("database locked")
        self.world.after(self.world.between(0.5, 30), self.scene.file.release)

    def fill_database(self) -> None:
        """The disk is full."""
        for process in self.scene.processes:
            process.disk.fill(full=True)
        self.world.count("database full")

        def empty() -> None:
            for process in self.scene.processes:
                process.disk.fill(full=False)

        self.world.after(self.world.between(0.5, 30), empty)

    def rotate_key(self) -> None:
        """Controllers get another key; gateways are enrolled with both, and then with the new one.

        Each step waits for the one before, as people do it. What is on its way under the old key
        is refused, and comes again.
        """
        if self._rotates or not self.scene.is_early_enough(_ROTATION_S):
            return
        self._rotates = True
        self.world.count("key rotated")
        for ceiling in self.scene.ceilings:
            self.world.after(self.world.between(0, 60), ceiling.enrol, keys.BOTH)
            self.world.after(self.world.between(140, 200), ceiling.enrol, keys.NEXT)
        for process in self.scene.processes:
            self.world.after(self.world.between(70, 130), self._take_next_key, process)

    def _take_next_key(self, process: Process) -> None:
        process.key = keys.NEXT_KEY
        if process.running:
            process.crash("for its new key")

    def calm(self) -> None:
        """End what lasts; the first controller runs."""
        self.scene.file.release()
        for process in self.scene.processes:
            process.disk.fill(full=False)
            process.disk.disarm()
            process.dies_publishing = None
            process.paused_until_s = 0.0
        self.scene.processes[0].wanted = True
        self.scene.processes[0].start()
