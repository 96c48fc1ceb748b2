"""The other processes on the same database: what we let them know, and what they tell us."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from api.books import Books
from api.clock import MachineClock
from api.delivery import Delivery
from api.live import LiveBoard
from api.presence import Presence
from esl.domain.errors import SetupError
from esl.settings import Settings
from esl.store.bell import Bell, Ring
from gateway.worker import Notice


def _nothing_believed() -> None:
    pass


@contextlib.contextmanager
def open_bell(
    books: Books, heard: Callable[[Ring], None], doubt: Callable[[], None] = _nothing_believed
) -> Iterator[Bell]:
    """Ring other processes, and hear them on the loop.

    ``doubt`` is called in the bell's thread, at once, when access has changed: a loop that is
    busy must not let a revoked token in.
    """
    loop = asyncio.get_running_loop()

    def hand_over(ring: Ring) -> None:
        if ring.access:
            doubt()
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is left to tell
            loop.call_soon_threadsafe(heard, ring)

    bell = Bell(books.database, monotonic_s=MachineClock().monotonic_s, heard=hand_over)
    bell.start()
    try:
        yield bell
    finally:
        bell.close()


def ring_of(notice: Notice) -> Ring:
    """Say to other processes what people can see has changed."""
    return Ring(gateways=notice.gateways, labels=frozenset(notice.labels), touched=notice.touched)


def check_shared(settings: Settings, what: str) -> None:
    """Check that the parts of a controller that is spread over processes can meet.

    Raises:
        SetupError: They share no database or no broker.
    """
    if settings.database_address.startswith("sqlite"):
        raise SetupError(
            f"{what} needs PostgreSQL: two processes that write one SQLite file keep each other "
            f"waiting. Set database_url to postgresql://…, or run esl serve alone"
        )
    if settings.mqtt_url is None:
        raise SetupError(
            f"{what} needs the address of the broker that all share: set mqtt_url; the embedded "
            f"broker belongs to one process"
        )


def hear(
    ring: Ring, live: LiveBoard | None, presence: Presence | None, delivery: Delivery | None
) -> None:
    """Do what another process rang for; on the loop."""
    if delivery is not None:
        if ring.due:
            delivery.worker.wake()
        if ring.leases and delivery.keeper is not None:
            delivery.keeper.look()
    if ring.gateways and presence is not None:
        presence.look()
    if live is not None and (ring.labels or ring.gateways or ring.touched):
        live.tell(Notice(labels=tuple(ring.labels), gateways=ring.gateways, touched=ring.touched))
