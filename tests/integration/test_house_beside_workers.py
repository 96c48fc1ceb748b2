"""A controller without delivery: what it tells workers, and what its pages learn from them."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from api.house import House, open_house
from esl.domain.ids import LabelId
from esl.settings import Settings
from esl.store.bell import Bell, Ring
from esl.store.database import Database
from esl.store.tables import gateways
from gateway.worker import Notice
from tests.builders import GATEWAY, STORE, build_shelf

PATIENCE_S = 10.0


class Neighbour:
    """Another process on the same database, as far as it rings and hears."""

    def __init__(self, database: Database) -> None:
        self.heard = Ring()
        self.bell = Bell(database, monotonic_s=time.monotonic, heard=self._hear)

    def _hear(self, ring: Ring) -> None:
        self.heard |= ring


@pytest.fixture
async def house(tmp_path: Path, fresh_postgres_url: str) -> AsyncIterator[House]:
    """A controller without delivery, running; its broker is only written into enrolments."""
    settings = Settings(
        data_dir=tmp_path / "data",
        database_url=fresh_postgres_url,
        mqtt_url="mqtt://u:p@127.0.0.1:1",
    )
    async with open_house(settings, delivers=False) as house:
        running = asyncio.create_task(house.run())
        yield house
        running.cancel()
        await asyncio.wait([running])


@pytest.fixture
def neighbour(
    house: House,  # noqa: ARG001  it has made the tables
    fresh_postgres_url: str,
) -> Iterator[Neighbour]:
    """Another process that hears the house."""
    with closing(Database(fresh_postgres_url)) as database:
        neighbour = Neighbour(database)
        neighbour.bell.start()
        yield neighbour
        neighbour.bell.close()


async def _until_heard(neighbour: Neighbour, house: House, ring: Ring) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while neighbour.heard | ring != neighbour.heard:
            house.tell_changed(Notice(labels=(LabelId("l-1"),)))
            await asyncio.sleep(0.05)


async def test_a_change_that_was_committed_here_is_due_there(
    house: House, neighbour: Neighbour
) -> None:
    assert house.delivery is None
    await _until_heard(neighbour, house, Ring(due=True, labels=frozenset({LabelId("l-1")})))


async def test_a_new_gateway_is_told_to_those_who_may_lease_it(
    house: House, neighbour: Neighbour
) -> None:
    await _until_heard(neighbour, house, Ring(due=True))
    house.let_in(GATEWAY, STORE)
    async with asyncio.timeout(PATIENCE_S):
        while not neighbour.heard.leases:  # noqa: ASYNC110  heard in a thread
            await asyncio.sleep(0.05)


async def test_a_page_that_is_open_here_shows_what_was_reported_there(
    house: House, neighbour: Neighbour
) -> None:
    with house.live.watching() as watcher:
        async with asyncio.timeout(PATIENCE_S):
            told = asyncio.create_task(watcher.changes())
            while not told.done():
                neighbour.bell.ring(Ring(labels=frozenset({LabelId("l-7")})))
                await asyncio.wait([told], timeout=0.1)
            assert told.result().labels == ("l-7",)


async def test_gateways_are_on_the_line_by_their_holders_word_while_it_is_fresh(
    house: House, neighbour: Neighbour
) -> None:
    def hear(seconds_ago: float) -> None:
        with house.database.writing.begin() as tx:
            moment = house.clock.now()
            heard = moment.fromtimestamp(moment.timestamp() - seconds_ago, moment.tzinfo)
            tx.execute(update(gateways).values(online=True, heard_at=heard))

    async def until(online: set[str]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while house.online() != online:
                neighbour.bell.ring(Ring(gateways=True))
                await asyncio.sleep(0.1)

    def fill() -> None:
        with house.database.writing.begin() as tx:
            build_shelf(tx)

    await asyncio.to_thread(fill)
    assert house.online() == set()
    await asyncio.to_thread(hear, 1)
    await until({GATEWAY})
    await asyncio.to_thread(hear, 3600)  # its holder was killed, and nobody took the word back
    await until(set())
