"""The seam between the engine of hot folders and where a folder is: on this machine, or by SFTP.

    FOLDER/                 files are put here; result files are written here
      done/                 files that were taken
      rejected/             files that were not, each with ``NAME.error.txt``

Names are the sender's, and may hold anything but ``/`` and NUL: bytes that are not UTF-8 are lone
surrogates, as `os.fsdecode` makes them.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from esl.domain.errors import EslError

DONE = "done"
REJECTED = "rejected"

LISTED_MOST = 10_000
"""Files that `Folder.list` returns at once; those behind them follow once these are moved away."""

NAME_LONGEST_BYTES = 255
"""Of most file systems."""


class FolderUnreachable(EslError):
    """The folder as a whole cannot be worked with; says why and what to do, for a person.

    ``may_pass`` says that it may be over in a minute, as a connection that broke: it becomes a
    problem when it lasts. Any other is one at once.
    """

    def __init__(self, words: str, *, may_pass: bool = False) -> None:
        self.may_pass = may_pass
        super().__init__(words)


class FileUnusable(EslError):
    """One file cannot be read, moved or written, the others may be; says why in words."""


class FileGone(FileUnusable):
    """The file is not there any more, is no plain file now, or another one has taken its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A plain file in a folder. ``modified_ns`` is the time its server says, in ns since 1970."""

    name: str
    size_bytes: int
    modified_ns: int


class Folder(Protocol):
    """A folder of files. All calls block, none longer than a minute without progress.

    ``trouble`` says what is wrong with a part of it while the rest is worked with; "" is nothing.
    Every call may raise `FolderUnreachable`: whoever uses the folder then closes it, and opens
    another one later. Calls come from one thread at a time.
    """

    trouble: str

    def list(self, wanted: Callable[[str], bool]) -> list[Found]:
        """List the plain files with wanted names, the oldest `LISTED_MOST` of them (`oldest`).

        No links, folders, pipes or devices. ``wanted`` is asked before anything else is.
        """
        ...

    def look(self, name: str) -> Found | None:
        """Say how a file is at this moment; None if it is gone, or no plain file."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a plain file for reading; a context manager. Never follows a link, never waits.

        Raises:
            FileGone: It is not there any more, or is no plain file.
            FileUnusable: It may not be read.
        """
        ...

    def move(self, found: Found, folder: str) -> str:
        """Move a file into `DONE` or `REJECTED` at once; never over another file.

        The folder is made if it is missing. Returns the file's name there, which is another
        (`numbered`) where its own is taken. A file that was put in the place of the one that
        was found stays where it is, to be taken next: size and time are compared first.

        Raises:
            FileGone: It is not there any more, or is another by now.
            FileUnusable: It cannot be moved: the folder may be for reading alone.
        """
        ...

    def write(self, name: str, data: bytes, folder: str = "") -> None:
        """Write a file, whole or not at all, over one of this name; ``folder`` as for `move`.

        Raises:
            FileUnusable: It cannot be written.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone already is no error.

        Raises:
            FileUnusable: It cannot be removed.
        """
        ...

    def close(self) -> None:
        """Let go of the folder. Raises nothing."""
        ...


def oldest(found: Iterable[Found]) -> list[Found]:
    """Return the oldest files of many, `LISTED_MOST` at most, in the order of their times."""
    return heapq.nsmallest(LISTED_MOST, found, key=lambda one: (one.modified_ns, one.name))


def numbered(name: str, number: int) -> str:
    """Return another name for a file whose own is taken: ``prices.csv`` is ``prices.2.csv``."""
    if number <= 1:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    return fitting(stem, f".{number}{dot}{ending}")


def fitting(name: str, ending: str) -> str:
    """Put an ending behind a name, which is shortened if both together are too long."""
    ending = _cut(ending, NAME_LONGEST_BYTES // 2)
    return _cut(name, NAME_LONGEST_BYTES - _size(ending)) + ending


def _cut(text: str, most_bytes: int) -> str:
    while _size(text) > most_bytes:
        text = text[:-1]
    return text


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))
