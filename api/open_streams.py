"""How many streams are open at once, of one client and of all."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from esl.domain.errors import TooOften

STREAMS_OF_ONE = 20
_COME_BACK_S = 30


class OpenStreams:
    """Counts the streams of one kind; everything runs on the loop."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[None]:
        """Count a stream while the block runs.

        Raises:
            TooOften: There are too many already, of this asker or of all.
        """
        if self._open[name] >= STREAMS_OF_ONE or self._open.total() >= self._most:
            raise TooOften(
                "too many event streams are open; close those you need no more",
                again_after_s=_COME_BACK_S,
            )
        self._open[name] += 1
        try:
            yield
        finally:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]
