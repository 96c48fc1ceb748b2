"""The product's own objects of one run of a controller process, put together as `api.house` does."""

from random import Random

from esl.domain.clock import EffectiveClock
from esl.store import places
from esl.store.migrate import time_acted_until
from gateway.clock import HouseClock
from gateway.dispatcher import Dispatcher
from gateway.inbox import Inbox
from gateway.pacing import Backoff
from gateway.painter import Painter
from gateway.roster import Roster
from tests.builders import KEY, the_gallery
from tests.chaos.clocks import MachineClocks
from tests.chaos.disk import Disk
from tests.chaos.glass import ReadableRenderer
from tests.chaos.inline_writer import InlineWriter
from tests.chaos.profile import Profile
from tests.panels import PANELS


class Controller:
    """One run of a process. Dropping it is the process's death."""

    def __init__(
        self,
        disk: Disk,
        clocks: MachineClocks,
        profile: Profile,
        *,
        renderer: ReadableRenderer,
        random: Random,
        window: int,
    ) -> None:
        database = disk.database
        with database.read() as tx:
            self.time = EffectiveClock(clocks, not_before=time_acted_until(tx))
            gateways = places.list_gateways(tx)
        self.writer = InlineWriter(database, clocks.monotonic_s)
        self.roster = Roster(window=window)
        self.roster.add((g.gateway_id, g.store_id) for g in gateways)
        backoff = Backoff(random=random, base_s=profile.patience_s, longest_s=profile.longest_s)
        self.dispatcher = Dispatcher(
            database=database,
            writer=self.writer,
            roster=self.roster,
            painter=Painter(renderer=renderer, panels=PANELS, gallery=the_gallery()),  # type: ignore[arg-type]
            panels=PANELS,
            key=KEY,
            clock=self.time,
            backoff=backoff,
        )
        self.inbox = Inbox(
            writer=self.writer, roster=self.roster, clock=self.time, backoff=backoff
        )
        self.house_clock = HouseClock(writer=self.writer, roster=self.roster, clock=self.time)
