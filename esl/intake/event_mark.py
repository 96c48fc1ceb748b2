"""The id of an event in the stream: how far its reader has heard, and when that was.

    1772345678-815.93.17.5502.40      seconds of the epoch, then a number in each book of `Places`

Whoever comes back says it as ``Last-Event-ID`` and goes on after it.
"""

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from esl.domain.errors import InvalidInput
from esl.domain.subscription import Places

LONGEST: Final = 120
_NUMBER: Final = "[0-9]{1,18}"
_NUMBERS: Final = r"\.".join([_NUMBER] * len(Places._fields))
_MARK: Final = re.compile(f"([0-9]{{1,11}})-({_NUMBERS})")


class Mark(NamedTuple):
    """Up to where somebody has heard, and when."""

    at: datetime
    places: Places


def mark_text(at: datetime, places: Places) -> str:
    """Write the id of what is sent at a moment."""
    return f"{int(at.timestamp())}-{'.'.join(map(str, places))}"


def parse_mark(text: str) -> Mark:
    """Read an id that was sent to a reader.

    Raises:
        InvalidInput: It is none.
    """
    found = _MARK.fullmatch(text) if text.isascii() else None
    if found is None:
        raise InvalidInput.at(
            "/Last-Event-ID",
            "no id of an event of this stream",
            fix="Send the last id that came, as it came; or none, to hear from now on.",
        )
    numbers = map(int, found[2].split("."))
    return Mark(datetime.fromtimestamp(int(found[1]), UTC), Places(*numbers))
