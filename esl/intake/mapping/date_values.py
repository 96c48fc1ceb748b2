"""Dates and times of a source, in the store's zone unless they bring their own offset.

A day alone is its first instant, or, as an end, the first instant after it: an offer to the 7th
holds on the 7th. An hour that a change of clocks makes come twice is the first as a begin and the
second as an end; in an hour that never comes, the clocks have already moved.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo

from esl.intake.mapping.bad_value import BadValue, shorten

_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_LONGEST = 40
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_DAY_ONLY = 10
_HAS_TIME = re.compile(r"%[HMSz]")

ReadInstant = Callable[[str, tzinfo], datetime]


def instant_reader(
    pattern: str | None, *, is_end: bool = False, also_iso: bool = False
) -> ReadInstant:
    """Make the function that reads an instant as UTC; without a pattern it reads ISO 8601.

    ``also_iso`` reads that too beside a pattern: cells of a spreadsheet that are dates come so.

    Raises:
        BadValue: From the function: it is no such instant.
    """
    parse = _parser(pattern, also_iso=also_iso)

    def read(text: str, zone: tzinfo) -> datetime:
        moment, is_day = parse(text)
        if is_day and is_end:
            moment += timedelta(days=1)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone, fold=1 if is_end else 0)
        return moment.astimezone(UTC)

    return read


def day_reader(pattern: str | None, *, also_iso: bool = False) -> Callable[[str], date]:
    """Make the function that reads a day; a time that stands with it is left out."""
    parse = _parser(pattern, also_iso=also_iso)
    return lambda text: parse(text)[0].date()


def _parser(pattern: str | None, *, also_iso: bool) -> Callable[[str], tuple[datetime, bool]]:
    wanted = pattern or "2026-03-01, 2026-03-01T06:00 or 2026-03-01T06:00:00Z"
    has_time = pattern is not None and _HAS_TIME.search(pattern) is not None

    def parse(text: str) -> tuple[datetime, bool]:
        try:
            if len(text) > _LONGEST or not text.isascii():
                raise ValueError  # noqa: TRY301  the same answer for every wrong text
            if pattern is not None and not (also_iso and _ISO.fullmatch(text)):
                moment, is_day = datetime.strptime(text, pattern), not has_time  # noqa: DTZ007
            elif _ISO.fullmatch(text):
                moment, is_day = datetime.fromisoformat(text), len(text) == _DAY_ONLY
            else:
                raise ValueError  # noqa: TRY301
        except (ValueError, OverflowError):
            raise BadValue(
                f"{shorten(text)} is no date", fix=f"The mapping expects {wanted}."
            ) from None
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise BadValue(
                f"{shorten(text)} is not within the years {_FIRST_YEAR} to {_LAST_YEAR}",
                fix='If it stands for "no date", say map: {"' + text[:20] + '": null}.',
            )
        return moment, is_day

    return parse
