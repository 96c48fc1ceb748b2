"""The composition root: opens everything in order, hands it out, closes it in reverse."""

import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from random import Random

import structlog

from api.clock import MachineClock
from api.live import LiveBoard
from api.private_files import hold_data_folder, make_data_folder, signing_key
from api.stage_clock import StageClock
from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.clock import EffectiveClock
from esl.domain.panel import Panels
from esl.domain.panel_file import load_panels
from esl.services.access import hash_secret
from esl.settings import Settings
from esl.store import places
from esl.store.database import Database
from esl.store.migrate import migrate, time_acted_until
from esl.store.writer import Writer
from gateway.broker import EmbeddedBroker, Waiter, embedded_broker
from gateway.clock import HouseClock
from gateway.dispatcher import Dispatcher
from gateway.inbox import Inbox
from gateway.mqtt import BrokerAddress, MqttConnection, connect
from gateway.pacing import Backoff
from gateway.painter import Painter
from gateway.roster import Roster
from gateway.wire.signing import SigningKey
from gateway.worker import TOPICS, Worker
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.template.template import Template
from renderer.text.fonts import Fonts

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything a running controller is made of."""

    settings: Settings
    database: Database
    writer: Writer
    clock: EffectiveClock
    key: SigningKey
    broker: BrokerAddress
    embedded: EmbeddedBroker | None
    mqtt: MqttConnection
    roster: Roster
    inbox: Inbox
    worker: Worker
    panels: Panels
    fonts: Fonts
    renderer: Renderer
    gallery: Mapping[str, Template]  # the templates that every store has
    live: LiveBoard
    stages: StageClock
    operator_token: str  # of the commands on this machine; lives as long as this process

    @property
    def broker_is_embedded(self) -> bool:
        """Say whether the broker is our own child."""
        return self.embedded is not None

    @property
    def operator(self) -> Principal:
        """Whoever can read the runtime file owns the machine, and may do everything."""
        return Principal(name="operator", scopes=frozenset(Scope), stores=frozenset({ALL_STORES}))

    def is_operator(self, token: str) -> bool:
        """Say whether a token is the operator's."""
        return secrets.compare_digest(hash_secret(token), hash_secret(self.operator_token))


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The open database of a data folder that nobody else uses."""

    database: Database
    writer: Writer
    clock: EffectiveClock
    stages: StageClock


@contextlib.contextmanager
def open_books(settings: Settings) -> Iterator[Books]:
    """Hold the data folder, open and migrate its database, and write to it.

    Raises:
        SetupError: The folder is in use, or the database cannot be opened or is newer.
    """
    machine = MachineClock()
    make_data_folder(settings.data_dir)
    with hold_data_folder(settings.data_dir):
        database = Database(settings.database_address)
        try:
            backup = migrate(database, machine.wall())
            if backup is not None:
                log.info("database upgraded", backup=str(backup))
            with database.read() as tx:
                clock = EffectiveClock(machine, not_before=time_acted_until(tx))
            stages = StageClock()
            writer = Writer(database, machine.monotonic_s, stages=stages)
            writer.start()
            try:
                yield Books(database=database, writer=writer, clock=clock, stages=stages)
            finally:
                writer.close()
        finally:
            database.close()


@contextlib.asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """Open a controller: books, broker, connection and worker. Run ``house.worker.run()`` in it.

    Raises:
        SetupError: Something of it cannot be opened; says what and what to do.
    """
    panels = load_panels(settings.panels_file)
    async with contextlib.AsyncExitStack() as stack:
        books = stack.enter_context(open_books(settings))
        key = signing_key(settings.data_dir)
        if settings.mqtt_url is None:
            waiter = Waiter(monotonic_s=time.monotonic, sleep_s=time.sleep)
            embedded = stack.enter_context(embedded_broker(settings.data_dir / "run", waiter))
            broker = embedded.address
        else:
            embedded = None
            broker = BrokerAddress.from_url(settings.mqtt_url)
        roster = Roster(window=settings.window)
        with books.database.read() as tx:
            roster.add((g.gateway_id, g.store_id) for g in places.list_gateways(tx))
        backoff = Backoff(
            random=Random(secrets.randbits(64)),  # noqa: S311  spreads retries, guards nothing
            base_s=settings.patience_s,
            longest_s=settings.patience_longest_s,
        )
        fonts = Fonts(settings.fonts_folder)
        renderer, gallery = Renderer(fonts=fonts), load_gallery()
        live = LiveBoard()
        inbox = Inbox(
            writer=books.writer,
            roster=roster,
            clock=books.clock,
            backoff=backoff,
            stages=books.stages,
            panels=panels,
        )
        mqtt = await stack.enter_async_context(
            connect(broker, f"esl-controller-{key.key_id}", TOPICS)
        )
        worker = Worker(
            mqtt=mqtt,
            dispatcher=Dispatcher(
                database=books.database,
                writer=books.writer,
                roster=roster,
                painter=Painter(renderer=renderer, panels=panels, gallery=gallery),
                panels=panels,
                key=key,
                clock=books.clock,
                backoff=backoff,
                stages=books.stages,
            ),
            inbox=inbox,
            clock=HouseClock(writer=books.writer, roster=roster, clock=books.clock),
            tell=live.tell,
        )
        yield House(
            settings=settings,
            database=books.database,
            writer=books.writer,
            clock=books.clock,
            key=key,
            broker=broker,
            embedded=embedded,
            mqtt=mqtt,
            roster=roster,
            inbox=inbox,
            worker=worker,
            panels=panels,
            fonts=fonts,
            renderer=renderer,
            gallery=gallery,
            live=live,
            stages=books.stages,
            operator_token=f"esl_operator_{secrets.token_urlsafe(32)}",
        )
