"""Run a worker: the delivery part of a controller, until a signal or a fault ends it."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final

import structlog
import uvicorn

from api.audit.keeper import AuditKeeper
from api.books import open_books
from api.broker_access.address import broker_at
from api.connections import PatientProtocol
from api.delivery import Delivery, open_delivery, worker_id_of
from api.listening import QuietServer, listen_on, server_log
from api.memory import share_one_heap, spare_what_stays
from api.metrics.meters import Meters
from api.neighbours import check_shared, hear, open_bell, ring_of
from api.signing import installation_key
from api.stage_clock import StageClock
from api.syslog.sender import Syslog, open_syslog
from api.worker_app import worker_app
from esl.domain.clock import EffectiveClock
from esl.domain.errors import SetupError
from esl.domain.panel_file import load_panels
from esl.settings import Settings
from esl.store.bell import Ring
from esl.store.database import Database
from esl.store.writer import Writer
from gateway.painter import LAYERS_KEPT
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.text.fonts import Fonts

LOOPBACK: Final = "127.0.0.1"
_SHUTDOWN_S: Final = 2

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Everything a running worker is made of; open it, then `run` it."""

    settings: Settings
    database: Database
    writer: Writer
    clock: EffectiveClock
    delivery: Delivery
    stages: StageClock
    meters: Meters
    syslog: Syslog | None
    audit: AuditKeeper

    async def run(self) -> None:
        """Send, listen, and pass checkpoints on, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.delivery.run(), name="delivery")
            tasks.create_task(self.audit.run(), name="audit")


async def work(settings: Settings, name: str) -> None:
    """Run until SIGTERM or SIGINT; then give the gateways back.

    Raises:
        SetupError: It cannot start, or another process took its name.
    """
    share_one_heap()
    refusals: list[BaseException] = []
    listener = None
    if settings.worker_port is not None:
        listener = listen_on(
            LOOPBACK, settings.worker_port, fix="give each worker its own worker_port"
        )
    async with contextlib.AsyncExitStack() as stack:
        if listener is not None:
            stack.enter_context(contextlib.closing(listener))
        workshop = await stack.enter_async_context(open_worker(settings, name))
        spare_what_stays()
        where = f", and answers on {_url_of(listener)}" if listener is not None else ""
        print(f"ESL worker {name} delivers{where}", flush=True)  # noqa: T201
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(workshop.run(), name="workshop")
                running.add_done_callback(lambda _: stop.set())
                if listener is None:
                    await stop.wait()
                else:
                    with server_log():
                        await _answer(workshop, listener, stop)
                running.cancel()
        except* SetupError as group:
            refusals = list(_leaves(group))
    if refusals:
        raise refusals[0]


@contextlib.asynccontextmanager
async def open_worker(settings: Settings, name: str) -> AsyncIterator[Workshop]:
    """Open the delivery part of a controller, without its front doors.

    Raises:
        SetupError: Something of it cannot be opened; says what and what to do.
    """
    check_shared(settings, "a worker")
    panels = load_panels(settings.panels_file)
    async with contextlib.AsyncExitStack() as stack:
        syslog = stack.enter_context(open_syslog(settings))
        books = stack.enter_context(open_books(settings, lock=f"worker-{name}.lock"))
        key = installation_key(settings, books, may_make=False)
        delivery: Delivery | None = None
        bell = stack.enter_context(open_bell(books, lambda ring: hear(ring, None, None, delivery)))
        delivery = await stack.enter_async_context(
            open_delivery(
                settings,
                books,
                worker_id=worker_id_of(settings, name),
                broker=broker_at(settings.mqtt_url or "", settings),
                key=key,
                panels=panels,
                renderer=Renderer(fonts=Fonts(settings.fonts_folder), products_kept=LAYERS_KEPT),
                gallery=load_gallery(),
                tell=lambda notice: bell.ring(ring_of(notice)),
                leases_changed=lambda: bell.ring(Ring(leases=True)),
            )
        )
        yield Workshop(
            settings=settings,
            database=books.database,
            writer=books.writer,
            clock=books.clock,
            delivery=delivery,
            stages=books.stages,
            meters=books.meters,
            syslog=syslog,
            audit=AuditKeeper(settings, books, key, delivery.mqtt, syslog=syslog, seals=False),
        )


async def _answer(workshop: Workshop, listener: socket.socket, stop: asyncio.Event) -> None:
    """Answer on the worker's own port until it shall stop."""
    server = QuietServer(
        uvicorn.Config(
            worker_app(workshop),
            http=PatientProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_S,
        )
    )

    async def end() -> None:
        await stop.wait()
        server.should_exit = True

    async with asyncio.TaskGroup() as tasks:
        ending = tasks.create_task(end(), name="end of the worker's port")
        await server.serve(sockets=[listener])
        ending.cancel()


def _url_of(listener: socket.socket) -> str:
    return f"http://{LOOPBACK}:{listener.getsockname()[1]}"


def _leaves(failure: BaseException) -> Iterator[BaseException]:
    """Take the groups off what failed in tasks of tasks."""
    if isinstance(failure, BaseExceptionGroup):
        for inner in failure.exceptions:
            yield from _leaves(inner)
    else:
        yield failure
