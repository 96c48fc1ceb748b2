"""What one look of the doctor came to."""

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How a part does."""

    PASS = "pass"  # noqa: S105  no password
    WARN = "warn"  #: works, and somebody should know
    FAIL = "fail"
    SKIP = "skip"  #: could not be tried; the words say why


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One part, by name; ``fix`` says what to do, where there is something to do."""

    name: str
    result: Result
    words: str
    fix: str = ""


def passed(name: str, words: str) -> Finding:
    """Say that a part does well."""
    return Finding(name=name, result=Result.PASS, words=words)


def warned(name: str, words: str, fix: str) -> Finding:
    """Say what somebody should know."""
    return Finding(name=name, result=Result.WARN, words=words, fix=fix)


def failed(name: str, words: str, fix: str) -> Finding:
    """Say what is wrong."""
    return Finding(name=name, result=Result.FAIL, words=words, fix=fix)


def skipped(name: str, words: str, fix: str = "") -> Finding:
    """Say what could not be tried."""
    return Finding(name=name, result=Result.SKIP, words=words, fix=fix)
