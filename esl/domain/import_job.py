"""Import jobs: a file of a source, taken in pieces, each of which is stored with how far it got.

::

    queued ──▶ running ──▶ done
       │          │  ▲ └──▶ failed       the file as a whole cannot be believed: nothing was taken
       │          │  └────  a crash: the pieces that were stored are not taken again
       └──────────┴──────▶ cancelled     what was stored until then stays, and can be rolled back
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from esl.domain.ids import Sku, SourceId, StoreId


class ImportState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ImportMode(StrEnum):
    """What the absence of a product in a file means."""

    DELTA = "delta"  # nothing
    FULL = "full"  # the source no longer has it: it is retired, and its promotions end


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCounts:
    """What became of a file's products; ``rejected`` counts refusals, of rows and of products."""

    products: int = 0
    accepted: int = 0
    unchanged: int = 0
    superseded: int = 0
    quarantined: int = 0
    rejected: int = 0
    retired: int = 0
    labels: int = 0  # that want something new


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """A file that is to be taken, and how far it was.

    ``store_id`` None: rows name their store, and ``stores`` are those that may be named; None is
    all. They are what whoever handed it in might change then.
    """

    job_id: str
    source: SourceId
    store_id: StoreId | None
    state: ImportState
    mode: ImportMode
    dry_run: bool
    title: str
    path: str  # name of the spooled file, within the folder of its process
    sha256: str
    size_bytes: int
    mapping: str
    mapping_version: int | None  # None: the document came with the file
    batch_id: int | None
    cursor: int  # entries and problems that were taken for good
    rows: int  # of the file; 0 until it was checked
    counts: ImportCounts
    detail: str | None
    actor: str
    created_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    stores: frozenset[StoreId] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """What became of one row; ``row`` 0 is the file as a whole.

    ``decision`` is one of `esl.domain.pricing.Decision`, or ``left_out``: the row was taken
    without the field.
    """

    row: int
    decision: str
    field: str = ""
    reason: str = ""
    store_id: StoreId | None = None
    sku: Sku | None = None
    rev: int | None = None
    fix: str = ""  # what to do about it; ``reason`` says so too, at its end


LEFT_OUT = "left_out"
