"""Files that were found in a source's folder, and how far each is.

::

    found ──▶ taken ────▶ gone     its job has ended, and it was moved away
          └─▶ refused ──▶ gone     not worth a job: it is empty, or too large
                 │
                 └──────▶ stays    over, but it cannot be moved: remembered as long as it lies there

A file of which another copy of the same bytes comes is another file. What tells it from one that
was taken before is that it lies there again after it was gone.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from esl.domain.ids import SourceId, has_control

TITLE_LONGEST = 200


class FileState(StrEnum):
    """Where a file is on its way."""

    TAKEN = "taken"
    REFUSED = "refused"
    STAYS = "stays"
    GONE = "gone"


class Outcome(StrEnum):
    """Where a file was moved, or would have been."""

    DONE = "done"
    REJECTED = "rejected"


class ResultState(StrEnum):
    """How far the result file of a file is."""

    NONE = "none"  # none is asked for
    WANTED = "wanted"  # not written yet
    OPEN = "open"  # written; labels have still to say what they show
    WHOLE = "whole"  # nothing will be added


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFile:
    """A file that was found. ``name`` is as `os.fsdecode` makes it of its bytes.

    ``is_repeat`` says that ``job_id`` is the job of an earlier file of the same bytes, and that
    nothing had changed since. ``rev_before`` is the installation's last revision before.
    """

    number: int
    source: SourceId
    instance: str
    sha256: str
    name: str
    size_bytes: int
    modified_ns: int
    state: FileState
    outcome: Outcome | None = None
    job_id: str | None = None
    is_repeat: bool = False
    problem: str = ""
    result: ResultState = ResultState.NONE
    result_due: datetime | None = None
    rev_before: int = 0
    seen_at: datetime

    @property
    def title(self) -> str:
        """Its name as people and databases can read it."""
        return title_of(self.name)


def title_of(name: str) -> str:
    """Return a name without what cannot be printed; ``name`` is as `os.fsdecode` makes it."""
    read = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c for c in read if not has_control(c))[:TITLE_LONGEST] or "file"


def instance_of(name: str, size_bytes: int, modified_ns: int, sha256: str) -> str:
    """Return what tells a file that lies in a folder from every other, 64 characters."""
    raw = name.encode("utf-8", "surrogateescape")
    said = b"%d %d %b %b" % (size_bytes, modified_ns, sha256.encode(), raw)
    return hashlib.sha256(said).hexdigest()
