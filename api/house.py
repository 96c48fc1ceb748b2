"""The composition root: opens everything in order, hands it out, closes it in reverse.

    one process        HTTP and delivery, on SQLite or PostgreSQL       esl serve
    many, PostgreSQL   HTTP alone, which keeps nothing to itself        esl serve --no-delivery
                       delivery alone                                   esl worker

Processes that share a database ring each other: what was committed here is due there, and what
was shown there changes on the pages that are open here.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import structlog

from api.audit.keeper import AuditKeeper
from api.backup.schedule import BackupKeeper
from api.books import open_books
from api.broker_access.address import broker_at
from api.broker_access.keeper import BrokerKeeper
from api.delivery import Delivery, open_delivery, worker_id_of
from api.imports.worker import ImportWorker
from api.listeners.listeners import Listeners
from api.live import LiveBoard
from api.metrics.meters import Meters
from api.neighbours import check_shared, hear, open_bell, ring_of
from api.presence import Presence
from api.secret_box import make_box_key
from api.signing import installation_key
from api.stage_clock import StageClock
from api.syslog.sender import Syslog, open_syslog
from api.token_memory import TokenMemory
from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.clock import EffectiveClock
from esl.domain.ids import GatewayId, StoreId
from esl.domain.panel import Panels
from esl.domain.panel_file import load_panels
from esl.services.access import hash_secret
from esl.settings import Settings
from esl.store.bell import Bell, Ring
from esl.store.database import Database
from esl.store.writer import Writer
from gateway.broker import EmbeddedBroker, Waiter, embedded_broker
from gateway.mqtt import BrokerAddress
from gateway.painter import LAYERS_KEPT
from gateway.wire.signing import SigningKey
from gateway.worker import Notice
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.template.template import Template
from renderer.text.fonts import Fonts

SERVE = "serve"
"""What ``esl serve`` is called among the workers."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything a running controller is made of; open it, then `run` it.

    ``delivery`` is None where other processes deliver; ``bell`` and ``presence`` are None where
    there are no other processes.
    """

    settings: Settings
    database: Database
    writer: Writer
    clock: EffectiveClock
    key: SigningKey
    broker: BrokerAddress
    embedded: EmbeddedBroker | None
    delivery: Delivery | None
    bell: Bell | None
    presence: Presence | None
    panels: Panels
    fonts: Fonts
    renderer: Renderer
    gallery: Mapping[str, Template]  # the templates that every store has
    live: LiveBoard
    stages: StageClock
    meters: Meters
    listeners: Listeners
    imports: ImportWorker
    tokens: TokenMemory
    access: BrokerKeeper
    audit: AuditKeeper
    backups: BackupKeeper
    syslog: Syslog | None
    operator_token: str  # of the commands on this machine; lives as long as this process

    async def run(self) -> None:
        """Do all that runs without anyone asking, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if self.delivery is not None:
                tasks.create_task(self.delivery.run(), name="delivery")
            if self.presence is not None:
                tasks.create_task(self.presence.run(), name="presence")
            tasks.create_task(self.listeners.run(self.tell_changed), name="listeners")
            tasks.create_task(self.imports.run(self.tell_changed), name="imports")
            tasks.create_task(self.backups.run(), name="backups")
            tasks.create_task(self.access.run(), name="access at the broker")
            tasks.create_task(self.audit.run(), name="audit")

    def tell_changed(self, notice: Notice) -> None:
        """A change was committed: deliver it, and show it on every open page."""
        if self.delivery is not None:
            self.delivery.worker.wake()
        self.live.tell(notice)
        self._ring(Ring(due=True) | ring_of(notice))

    def online(self) -> frozenset[GatewayId]:
        """Return the gateways that are on the line."""
        if self.presence is not None:
            return self.presence.online()
        return self.delivery.roster.online() if self.delivery is not None else frozenset()

    def let_in(self, gateway_id: GatewayId, store_id: StoreId) -> None:
        """Let a gateway that was just registered be heard, here or by whom it is leased to."""
        if self.bell is None and self.delivery is not None:
            self.delivery.roster.add([(gateway_id, store_id)])
        if self.delivery is not None and self.delivery.keeper is not None:
            self.delivery.keeper.look()
        self._ring(Ring(leases=True))
        self.access.look()

    def let_out(self, gateway_id: GatewayId) -> None:
        """Listen to a gateway no more: its login was revoked."""
        if self.bell is None and self.delivery is not None:
            self.delivery.roster.remove([gateway_id])
        if self.delivery is not None and self.delivery.keeper is not None:
            self.delivery.keeper.look()
        self._ring(Ring(leases=True))
        self.access.look()

    def _ring(self, ring: Ring) -> None:
        if self.bell is not None:
            self.bell.ring(ring)

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


@contextlib.asynccontextmanager
async def open_house(settings: Settings, *, delivers: bool = True) -> AsyncIterator[House]:
    """Open a controller; run ``house.run()`` in it. Without ``delivers``, workers deliver.

    Raises:
        SetupError: Something of it cannot be opened; says what and what to do.
    """
    panels = load_panels(settings.panels_file)
    async with contextlib.AsyncExitStack() as stack:
        if not delivers:
            check_shared(settings, "a controller without delivery")
        syslog = stack.enter_context(open_syslog(settings))
        books = stack.enter_context(open_books(settings))
        key = installation_key(settings, books)
        make_box_key(settings.data_dir)
        if settings.mqtt_url is None:
            waiter = Waiter(monotonic_s=time.monotonic, sleep_s=time.sleep)
            embedded = stack.enter_context(embedded_broker(settings.data_dir / "run", waiter))
            broker = embedded.address
        else:
            embedded = None
            broker = broker_at(settings.mqtt_url, settings)
        imports = ImportWorker(settings, books)
        fonts = Fonts(settings.fonts_folder)
        renderer, gallery = Renderer(fonts=fonts, products_kept=LAYERS_KEPT), load_gallery()
        live = LiveBoard()
        bell: Bell | None = None
        presence: Presence | None = None
        delivery: Delivery | None = None

        def hears() -> bool:
            return books.database.is_sqlite or (bell is not None and bell.listens)

        tokens = TokenMemory(hears)
        listeners = Listeners(settings, books, imports, broker=broker, hears=hears)

        def doubt() -> None:
            tokens.forget_all()
            listeners.door.forget_sources()

        if not books.database.is_sqlite:
            presence = Presence(
                books.database, books.clock, lambda: live.tell(Notice(gateways=True))
            )
            bell = stack.enter_context(
                open_bell(books, lambda ring: hear(ring, live, presence, delivery), doubt)
            )

        def tell(notice: Notice) -> None:
            live.tell(notice)
            if bell is not None:
                bell.ring(ring_of(notice))
            if presence is not None and notice.gateways:
                presence.look()

        if delivers:
            delivery = await stack.enter_async_context(
                open_delivery(
                    settings,
                    books,
                    worker_id=worker_id_of(settings, SERVE),
                    broker=broker,
                    key=key,
                    panels=panels,
                    renderer=renderer,
                    gallery=gallery,
                    tell=tell,
                    leases_changed=lambda: bell.ring(Ring(leases=True)) if bell else None,
                )
            )
        yield House(
            settings=settings,
            database=books.database,
            writer=books.writer,
            clock=books.clock,
            key=key,
            broker=broker,
            embedded=embedded,
            delivery=delivery,
            bell=bell,
            presence=presence,
            panels=panels,
            fonts=fonts,
            renderer=renderer,
            gallery=gallery,
            live=live,
            stages=books.stages,
            meters=books.meters,
            listeners=listeners,
            imports=imports,
            tokens=tokens,
            access=BrokerKeeper(settings, books, broker),
            audit=AuditKeeper(
                settings, books, key, delivery.mqtt if delivery else None, syslog=syslog
            ),
            backups=BackupKeeper(settings, books),
            syslog=syslog,
            operator_token=f"esl_operator_{secrets.token_urlsafe(32)}",
        )
