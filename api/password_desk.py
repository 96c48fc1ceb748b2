"""Where passwords are hashed and checked: two at once, and few in the queue.

Each takes 19 MiB and some 40 ms of a core. Without a bound, strangers could have a machine do
nothing else.
"""

import asyncio
from typing import Final

from esl.domain.errors import TooOften
from esl.services.passwords import hash_password, password_fits

AT_ONCE: Final = 2
QUEUE_MOST: Final = 32


class PasswordDesk:
    """One for a process; all of its doors go to it."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._here = 0

    async def hash(self, password: str) -> str:
        """Hash a password that was checked.

        Raises:
            TooOften: The queue is full.
        """
        self._queue()
        try:
            async with self._free:
                return await asyncio.to_thread(hash_password, password)
        finally:
            self._here -= 1

    async def fits(self, password: str, hashed: str | None) -> bool:
        """Say whether a password is the hashed one; of None, not, after as long.

        Raises:
            TooOften: The queue is full.
        """
        self._queue()
        try:
            async with self._free:
                return await asyncio.to_thread(password_fits, password, hashed)
        finally:
            self._here -= 1

    def _queue(self) -> None:
        if self._here >= AT_ONCE + QUEUE_MOST:
            raise TooOften("too many people sign in at this moment")
        self._here += 1
