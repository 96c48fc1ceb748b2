"""Two labels with one id: found by words that no single label could say in turn.

A label's incarnation only rises, within it the revision it shows only rises, and its panel model
never changes. A beacon that says less than we know may be an old one that came late, or a refresh
that failed. But a label that says less, then the full again, then less again is two labels::

    incarnation   5   3   5   3   5   3        ─▶ quarantine, and a problem for a person
                      1       2       3  contradictions, each after a good word,
                                         each half a minute or more after the last

Nothing is sent to an id in quarantine: a picture meant for one of the two would land on both.
It ends when half an hour has brought good words and no contradiction: somebody took one away.

The other way round, a label that says less three times, half a minute apart, and never the full
word again, is right: what we knew was a lie or a spoiled message. One false beacon of a higher
incarnation must not outbid the honest ones for ever.

Pure: instants are passed in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

CONTRADICTIONS = 3
LONELY = 3
APART = timedelta(seconds=30)
FORGOTTEN_AFTER = timedelta(minutes=30)


@dataclass(slots=True)
class Suspect:
    """What was heard of an id that contradicted itself."""

    incarnation: int  # the good word: what the contradiction fell short of
    panel: str
    rev: int
    last_at: datetime  # of the last contradiction
    count: int = 1
    good_since: bool = False  # a good word came after the last contradiction
    lonely: int = 1  # contradictions in a row, apart, without a good word
    lonely_at: datetime | None = None

    def is_good(self, incarnation: int, panel: str, rev: int) -> bool:
        """Say whether a word is what the label says when it is well."""
        return panel == self.panel and (incarnation, rev) >= (self.incarnation, self.rev)

    def hear_good(self) -> None:
        """Note a good word."""
        self.good_since = True
        self.lonely = 0

    def is_right(self) -> bool:
        """Say whether the contradictions are the label's word, and what we knew was none."""
        return self.lonely >= LONELY

    def contradict(self, now: datetime) -> bool:
        """Count a contradiction; say whether two labels must be speaking."""
        if now - (self.lonely_at or self.last_at) >= APART or self.lonely == 0:
            self.lonely += 1
            self.lonely_at = now
        if now - self.last_at > FORGOTTEN_AFTER:
            self.count, self.good_since, self.last_at = 1, False, now
        elif self.good_since and now - self.last_at >= APART:
            self.count += 1
            self.good_since = False
            self.last_at = now
        return self.count >= CONTRADICTIONS

    def is_cleared(self, now: datetime) -> bool:
        """Say whether only one label has been speaking for long enough."""
        return self.good_since and now - self.last_at > FORGOTTEN_AFTER
