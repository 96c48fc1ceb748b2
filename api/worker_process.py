"""Run a worker: the delivery part of a controller, until a signal or a fault ends it."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator

import structlog

from api.books import open_books
from api.broker_access.address import broker_at
from api.delivery import Delivery, open_delivery, worker_id_of
from api.memory import share_one_heap, spare_what_stays
from api.neighbours import check_shared, hear, open_bell, ring_of
from api.signing import installation_key
from esl.domain.errors import SetupError
from esl.domain.panel_file import load_panels
from esl.settings import Settings
from esl.store.bell import Ring
from gateway.painter import LAYERS_KEPT
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.text.fonts import Fonts

log = structlog.get_logger()


async def work(settings: Settings, name: str) -> None:
    """Run until SIGTERM or SIGINT; then give the gateways back.

    Raises:
        SetupError: It cannot start, or another process took its name.
    """
    share_one_heap()
    refusals: list[BaseException] = []
    async with open_worker(settings, name) as delivery:
        spare_what_stays()
        print(f"ESL worker {name} delivers", flush=True)  # noqa: T201
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(delivery.run(), name="delivery")
                running.add_done_callback(lambda _: stop.set())
                await stop.wait()
                running.cancel()
        except* SetupError as group:
            refusals = list(_leaves(group))
    if refusals:
        raise refusals[0]


@contextlib.asynccontextmanager
async def open_worker(settings: Settings, name: str) -> AsyncIterator[Delivery]:
    """Open the delivery part of a controller, without its front doors.

    Raises:
        SetupError: Something of it cannot be opened; says what and what to do.
    """
    check_shared(settings, "a worker")
    panels = load_panels(settings.panels_file)
    async with contextlib.AsyncExitStack() as stack:
        books = stack.enter_context(open_books(settings, lock=f"worker-{name}.lock"))
        delivery: Delivery | None = None
        bell = stack.enter_context(open_bell(books, lambda ring: hear(ring, None, None, delivery)))
        delivery = await stack.enter_async_context(
            open_delivery(
                settings,
                books,
                worker_id=worker_id_of(settings, name),
                broker=broker_at(settings.mqtt_url or "", settings),
                key=installation_key(settings, books, may_make=False),
                panels=panels,
                renderer=Renderer(fonts=Fonts(settings.fonts_folder), products_kept=LAYERS_KEPT),
                gallery=load_gallery(),
                tell=lambda notice: bell.ring(ring_of(notice)),
                leases_changed=lambda: bell.ring(Ring(leases=True)),
            )
        )
        yield delivery


def _leaves(failure: BaseException) -> Iterator[BaseException]:
    """Take the groups off what failed in tasks of tasks."""
    if isinstance(failure, BaseExceptionGroup):
        for inner in failure.exceptions:
            yield from _leaves(inner)
    else:
        yield failure
