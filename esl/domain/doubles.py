"""Two labels with one id: found by words that no single label could say in turn.

A label's incarnation only rises, within it the revision it shows only rises, and its panel model
never changes. A beacon that says less than we know may be an old one that came late, or a refresh
that failed. But a label that says less, then the full again, then less again is two labels::

    incarnation   5   3   5   3   5   3   5   3    ─▶ quarantine, and a problem for a person
                      1       2       3       4  contradictions, each after a good word, half a
                                                 minute or more after the last, and all in one
                                                 session of one gateway in the order it said them

The last condition tells them from messages that come again after an hour, when the controller has
been restarted and no longer knows that they are old: those come in any order and of any session.

Nothing is sent to an id in quarantine: a picture meant for one of the two would land on both.
It ends when half an hour has brought good words and no contradiction: somebody took one away.
What of that half an hour was listened through is kept with the label, minute by minute: a
controller that is restarted again and again goes on from there, and hours in which nobody
listened do not count.

The other way round, a label that says less three times, half a minute apart, and never the full
word again, is right: what we knew was a lie or a spoiled message. One false beacon of a higher
incarnation must not outbid the honest ones for ever.

Pure: instants are passed in.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

CONTRADICTIONS = 4
LONELY = 3
APART = timedelta(seconds=30)
FORGOTTEN_AFTER = timedelta(minutes=30)

Source = tuple[str, str]
"""A gateway and one of its sessions."""

_SOURCES_MOST = 4
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class _Stream:
    """The contradictions that one session passed on."""

    seq: int
    at: datetime
    count: int = 1
    lonely: int = 1  # in a row, without a good word
    good_since: bool = False


@dataclass(slots=True)
class Suspect:
    """What was heard of an id that contradicted itself."""

    incarnation: int  # the good word: what the contradiction fell short of
    panel: str
    rev: int
    last_at: datetime  # of the last contradiction, or since when it is watched
    good_since: bool = False  # a good word came after that
    kept_min: int = 0  # minutes of quiet that are kept with the label
    _streams: dict[Source, _Stream] = field(default_factory=dict)

    def is_good(self, incarnation: int, panel: str, rev: int) -> bool:
        """Say whether a word is what the label says when it is well."""
        return panel == self.panel and (incarnation, rev) >= (self.incarnation, self.rev)

    def hear_good(self) -> None:
        """Note a good word."""
        self.good_since = True
        for stream in self._streams.values():
            stream.good_since = True
            stream.lonely = 0

    def contradict(self, by: Source, seq: int, now: datetime) -> bool:
        """Count a contradiction; say whether two labels must be speaking."""
        self.last_at, self.good_since = now, False
        stream = self._streams.get(by)
        if stream is None or now - stream.at > FORGOTTEN_AFTER:
            self._streams.pop(by, None)
            if len(self._streams) >= _SOURCES_MOST:
                del self._streams[next(iter(self._streams))]
            self._streams[by] = _Stream(seq, now)
            return False
        if seq <= stream.seq or now - stream.at < APART:
            return False
        stream.seq, stream.at = seq, now
        stream.lonely += 1
        stream.count += int(stream.good_since)
        stream.good_since = False
        return stream.count >= CONTRADICTIONS

    def is_right(self) -> bool:
        """Say whether the contradictions are the label's word, and what we knew was none."""
        return any(stream.lonely >= LONELY for stream in self._streams.values())

    def quiet_min(self, now: datetime) -> int:
        """Count the whole minutes in which one label alone was speaking, as far as they matter."""
        return int(min(max(now - self.last_at, timedelta()), FORGOTTEN_AFTER) / _MINUTE)

    def is_cleared(self, now: datetime) -> bool:
        """Say whether only one label has been speaking for long enough."""
        return self.good_since and now - self.last_at > FORGOTTEN_AFTER
