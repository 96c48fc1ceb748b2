"""The delivery part of a process: everything between the database and the broker.

SQLite        one process has it, and speaks with every gateway
PostgreSQL    any number of processes have it; each speaks with the gateways that it leases
"""

import asyncio
import contextlib
import hashlib
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random

from api.books import Books
from api.clock import MachineClock
from esl.domain.panel import Panels
from esl.settings import Settings
from esl.store import places
from esl.store.broker_logins import revoked_gateways
from gateway.aside import Aside
from gateway.clock import HouseClock
from gateway.dispatcher import Dispatcher
from gateway.easel import Easel
from gateway.inbox import Inbox
from gateway.lease_keeper import LeaseKeeper
from gateway.leases import Leases
from gateway.ledger import Ledger
from gateway.mqtt import BrokerAddress, MqttConnection, connect
from gateway.orders import OrderBook
from gateway.pacing import Backoff
from gateway.painter import Painter
from gateway.render_pool import RenderPool, count_workers, open_easel
from gateway.roster import Roster
from gateway.signals import SignalDispatcher
from gateway.staging import StagingDispatcher
from gateway.upkeep import Upkeep
from gateway.wire.signing import SigningKey
from gateway.worker import TOPICS, Notice, Worker
from renderer.render import Renderer
from renderer.template.template import Template

_HOST_LONGEST = 40
"""Of a worker's name: with the rest it has to fit its column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The part that sends and listens; ``keeper`` is None where there is nobody to share with."""

    mqtt: MqttConnection
    roster: Roster
    inbox: Inbox
    worker: Worker
    keeper: LeaseKeeper | None

    async def run(self) -> None:
        """Send and listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if self.keeper is not None:
                tasks.create_task(self.keeper.run(), name="leases")
            tasks.create_task(self.worker.run(), name="worker")


@contextlib.asynccontextmanager
async def open_delivery(
    settings: Settings,
    books: Books,
    *,
    worker_id: str,
    broker: BrokerAddress,
    key: SigningKey,
    panels: Panels,
    renderer: Renderer,
    gallery: Mapping[str, Template],
    tell: Callable[[Notice], None],
    leases_changed: Callable[[], None],
) -> AsyncIterator[Delivery]:
    """Open the delivery part; ``tell`` and ``leases_changed`` are called on the loop."""
    roster = Roster(window=settings.window)
    shares = not books.database.is_sqlite
    leases = None
    if shares:
        leases = Leases(
            writer=books.writer, worker_id=worker_id, monotonic_s=MachineClock().monotonic_s
        )
    else:
        with books.database.read() as tx:
            out = revoked_gateways(tx)
            here = [g for g in places.list_gateways(tx) if g.gateway_id not in out]
            roster.add((g.gateway_id, g.store_id) for g in here)
    backoff = Backoff(
        random=Random(secrets.randbits(64)),  # noqa: S311  spreads retries, guards nothing
        base_s=settings.patience_s,
        longest_s=settings.patience_longest_s,
    )
    orders = OrderBook()
    inbox = Inbox(
        writer=books.writer,
        roster=roster,
        clock=books.clock,
        backoff=backoff,
        stages=books.stages,
        panels=panels,
        aside=Aside(orders),
    )
    painter = Painter(renderer=renderer, panels=panels, gallery=gallery)
    pool = RenderPool(
        Easel(painter=painter, panels=panels, stages=books.stages),
        partial(open_easel, settings.fonts_folder, settings.panels_file),
        workers=count_workers(settings.render_workers),
    )
    client_id = f"esl-worker-{worker_id}" if shares else f"esl-controller-{key.key_id}"
    async with (
        contextlib.AsyncExitStack() as stack,
        connect(broker, client_id, () if shares else TOPICS) as mqtt,
    ):
        stack.callback(pool.close)
        worker = Worker(
            mqtt=mqtt,
            dispatcher=Dispatcher(
                database=books.database,
                writer=books.writer,
                roster=roster,
                painter=painter,
                panels=panels,
                key=key,
                clock=books.clock,
                backoff=backoff,
                stages=books.stages,
                pool=pool,
                leases=leases,
            ),
            inbox=inbox,
            clock=HouseClock(writer=books.writer, roster=roster, clock=books.clock),
            tell=tell,
            signals=SignalDispatcher(
                database=books.database,
                writer=books.writer,
                roster=roster,
                orders=orders,
                key=key,
                clock=books.clock,
            ),
            staging=StagingDispatcher(
                database=books.database,
                writer=books.writer,
                roster=roster,
                painter=painter,
                easel=Easel(painter=painter, panels=panels),
                panels=panels,
                key=key,
                clock=books.clock,
                backoff=backoff,
                leases=leases,
            ),
            upkeep=Upkeep(
                database=books.database,
                writer=books.writer,
                clock=books.clock,
                silent_after=settings.silent_after,
                keeping=settings.keeping,
            ),
            ledger=Ledger(writer=books.writer, clock=books.clock, key=key),
        )
        keeper = None
        if leases is not None:
            keeper = LeaseKeeper(leases=leases, roster=roster, mqtt=mqtt, changed=leases_changed)
        yield Delivery(mqtt=mqtt, roster=roster, inbox=inbox, worker=worker, keeper=keeper)


def worker_id_of(settings: Settings, name: str) -> str:
    """Name a worker: the same at each start, another on each machine and for each data folder."""
    folder = hashlib.sha256(str(settings.data_dir.resolve()).encode()).hexdigest()[:8]
    return f"{socket.gethostname()[:_HOST_LONGEST]}-{folder}-{name}"
