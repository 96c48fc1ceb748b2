"""The product's own objects of one run of a controller process, put together as `api.delivery`."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

from esl.domain.clock import EffectiveClock
from esl.domain.ids import GatewayId, LabelId
from esl.services.sealing import Sealing
from esl.store import places
from esl.store.migrate import time_acted_until
from gateway.aside import Aside
from gateway.clock import HouseClock
from gateway.dispatcher import Dispatcher
from gateway.easel import Easel
from gateway.inbox import Inbox
from gateway.ledger import Ledger
from gateway.link import Outgoing
from gateway.mqtt import Acknowledgement
from gateway.orders import OrderBook
from gateway.outbox import Outbox
from gateway.pacing import Backoff
from gateway.painter import Painter
from gateway.roster import Roster
from gateway.signals import SignalDispatcher
from gateway.staging import StagingDispatcher
from gateway.upkeep import Upkeep
from gateway.wire.signing import SigningKey
from tests.builders import the_gallery
from tests.chaos.clocks import MachineClocks
from tests.chaos.disk import Disk
from tests.chaos.glass import ReadableRenderer
from tests.chaos.inline_writer import InlineWriter
from tests.chaos.panels import PANELS
from tests.chaos.profile import Profile

SEALED_AFTER_S = 30.0
"""How long a record waits for its block: half of the product's, so that a seed has many blocks."""


class Controller:
    """One run of a process. Dropping it is the process's death.

    ``send`` begins to publish a payload; ``unsent`` is told of payloads that never left.
    """

    def __init__(
        self,
        disk: Disk,
        clocks: MachineClocks,
        profile: Profile,
        *,
        renderer: ReadableRenderer,
        random: Random,
        window: int,
        key: SigningKey,
        send: Callable[[Outgoing], Acknowledgement],
        unsent: Callable[[GatewayId, frozenset[LabelId]], None],
    ) -> None:
        database = disk.database
        with database.read() as tx:
            self.time = EffectiveClock(clocks, not_before=time_acted_until(tx))
            gateways = places.list_gateways(tx)
        self.writer = InlineWriter(database, clocks.monotonic_s)
        self.roster = Roster(window=window, random=Random(random.random()))
        self.roster.add((g.gateway_id, g.store_id) for g in gateways)
        backoff = Backoff(random=random, base_s=profile.patience_s, longest_s=profile.longest_s)
        orders = OrderBook()
        painter = Painter(
            renderer=renderer,  # type: ignore[arg-type]  draws like one
            panels=PANELS,
            gallery=the_gallery(),
        )
        self.dispatcher = Dispatcher(
            database=database,
            writer=self.writer,
            roster=self.roster,
            painter=painter,
            panels=PANELS,
            key=key,
            clock=self.time,
            backoff=backoff,
        )
        self.inbox = Inbox(
            writer=self.writer,
            roster=self.roster,
            clock=self.time,
            backoff=backoff,
            panels=PANELS,
            aside=Aside(orders),
        )
        self.house_clock = HouseClock(writer=self.writer, roster=self.roster, clock=self.time)
        self.signals = SignalDispatcher(
            database=database,
            writer=self.writer,
            roster=self.roster,
            orders=orders,
            key=key,
            clock=self.time,
        )
        self.staging = StagingDispatcher(
            database=database,
            writer=self.writer,
            roster=self.roster,
            painter=painter,
            easel=Easel(painter=painter, panels=PANELS),
            panels=PANELS,
            key=key,
            clock=self.time,
            backoff=backoff,
        )
        self.upkeep = Upkeep(
            database=database,
            writer=self.writer,
            clock=self.time,
            silent_after=timedelta(seconds=3 * profile.beacon_s),
        )
        self.ledger = Ledger(writer=self.writer, clock=self.time, key=key)
        self.outbox = Outbox(send, unsent, self.ledger.note)
        self.sealing = Sealing(
            database=database, writer=self.writer, clock=self.time, waits_most_s=SEALED_AFTER_S
        )
        self.key = key
