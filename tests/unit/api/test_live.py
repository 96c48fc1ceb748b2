"""Watchers gather what changed, and are let go when the controller stops."""

import asyncio

import pytest

from api.live import LiveBoard
from esl.domain.errors import Unavailable
from esl.domain.ids import LabelId
from gateway.worker import Notice

ONE, TWO = LabelId("l-1"), LabelId("l-2")


async def test_many_reports_of_one_label_are_one_entry() -> None:
    board = LiveBoard()
    with board.watching() as watcher:
        for _ in range(1000):
            board.tell(Notice(labels=(TWO, ONE)))
        board.tell(Notice(gateways=True))
        assert await watcher.changes() == Notice(labels=(ONE, TWO), gateways=True)
        board.tell(Notice(labels=(TWO,)))
        assert await watcher.changes() == Notice(labels=(TWO,))


async def test_whoever_waits_when_the_controller_stops_is_let_go() -> None:
    board = LiveBoard()
    with board.watching() as watcher:
        waiting = asyncio.create_task(watcher.changes())
        await asyncio.sleep(0)
        board.close()
        with pytest.raises(Unavailable, match="stopping"):
            await waiting


async def test_whoever_comes_after_that_is_let_go_at_once() -> None:
    board = LiveBoard()
    board.close()
    with board.watching() as watcher, pytest.raises(Unavailable):
        await watcher.changes()


async def test_nobody_is_told_after_leaving() -> None:
    board = LiveBoard()
    with board.watching() as watcher:
        pass
    board.tell(Notice(labels=(ONE,)))
    board.close()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await watcher.changes()
