"""When a source is silent: by a time of day, on days when clocks change, and again and again."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from esl.domain.source import Expected

ZAGREB = ZoneInfo("Europe/Zagreb")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("by", "heard", "now", "is_late"),
    [
        # Yesterday's list came hours late: it is not today's.
        (time(5, 30), utc(3, 9, 9), utc(3, 10, 4, 29), False),
        (time(5, 30), utc(3, 9, 9), utc(3, 10, 4, 30), True),
        # In the evening before: it is.
        (time(5, 30), utc(3, 9, 16, 30), utc(3, 10, 4, 30), False),
        (time(5, 30), utc(3, 9, 16, 29), utc(3, 10, 4, 30), True),
        # For a time in the evening the whole day counts.
        (time(23), utc(3, 9, 23), utc(3, 10, 22), False),
        (time(23), utc(3, 9, 22, 59), utc(3, 10, 22), True),
        # 02:30 does not exist on 29 March: it is 03:30 by the new time.
        (time(2, 30), None, utc(3, 29, 1, 29), True),  # of the day before
        (time(2, 30), utc(3, 28, 20), utc(3, 29, 1, 29), False),
        (time(2, 30), utc(3, 28, 20), utc(3, 29, 1, 30), False),
        (time(2, 30), utc(3, 28, 12), utc(3, 29, 1, 30), True),
        # 02:30 comes twice on 25 October: the first counts.
        (time(2, 30), utc(10, 24, 2), utc(10, 25, 0, 29), False),
        (time(2, 30), utc(10, 24, 2), utc(10, 25, 0, 30), True),
        (time(2, 30), utc(10, 24, 2), utc(10, 25, 1, 30), True),
        # 05:30 is an hour later in UTC from 25 October on.
        (time(5, 30), utc(10, 24, 8), utc(10, 25, 4, 29), False),
        (time(5, 30), utc(10, 24, 8), utc(10, 25, 4, 30), True),
    ],
)
def test_a_day_s_word_is_due_in_the_store_s_time(
    by: time, heard: datetime | None, now: datetime, *, is_late: bool
) -> None:
    found = Expected(by=by).deadline_passed(now, heard, LONG_AGO, ZAGREB)
    assert (found is not None) == is_late


def test_what_lay_before_it_was_expected_is_not_held_against_it() -> None:
    expected = Expected(by=time(5, 30))
    assert expected.deadline_passed(utc(3, 10, 12), None, utc(3, 10, 5), ZAGREB) is None
    assert expected.deadline_passed(utc(3, 11, 5), None, utc(3, 10, 5), ZAGREB) == utc(3, 11, 4, 30)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (Expected(by=time(5, 30)), "by 05:30"),
        (Expected(every=timedelta(minutes=10)), "every 10 min"),
        (Expected(every=timedelta(seconds=90)), "every 90 s"),
    ],
)
def test_it_is_said_as_people_do(expected: Expected, words: str) -> None:
    assert expected.as_text() == words
