"""Records as the audit chain seals them: read by id, written one way, hashed.

A record is ``[kind, version, id, …]`` with the columns below in their order, as compact JSON.
Columns that may change later are left out: of a price event, whether labels ever showed it
(``layer``). A migration that adds columns adds a version; what was sealed keeps its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from esl.domain.chain import RecordKind, Run, leaf_hash
from esl.store.bulk import Bulk

Row = tuple[Any, ...]

_HEAD: Final = 2  # kind and version stand before the id


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    table: str
    moment: str  # when it was written down
    columns: tuple[str, ...]  # the first is the id
    instants: frozenset[str]


VERSION: Final = 1
NAMES: Final[Mapping[RecordKind, str]] = {
    RecordKind.AUDIT: "audit_entry",
    RecordKind.PRICE: "price_event",
    RecordKind.DISPLAY: "display_log",
    RecordKind.PUBLISHED: "published_payload",
}
"""The tables that are sealed."""

_SHAPES: Final[Mapping[tuple[RecordKind, int], _Shape]] = {
    (RecordKind.AUDIT, 1): _Shape(
        table="audit_entry",
        moment="at",
        columns=("entry_id", "at", "actor", "action", "store_id", "subject", "reason", "detail"),
        instants=frozenset({"at"}),
    ),
    (RecordKind.PRICE, 1): _Shape(
        table="price_event",
        moment="received_at",
        columns=(
            *("event_id", "store_id", "sku", "source", "source_seq", "source_time"),
            *("price_minor", "currency", "was_minor", "unit_price_minor", "badge", "decision"),
            *("rev", "actor", "received_at", "batch_id", "regular_minor", "member_minor"),
            *("multibuy_quantity", "multibuy_minor", "multibuy_pay_for", "member_condition"),
            *("reasons", "why"),
        ),
        instants=frozenset({"source_time", "received_at"}),
    ),
    (RecordKind.DISPLAY, 1): _Shape(
        table="display_log",
        moment="recorded_at",
        columns=(
            *("entry_id", "label_id", "rev", "digest", "incarnation", "gateway_id", "session"),
            *("painted_at", "recorded_at"),
        ),
        instants=frozenset({"painted_at", "recorded_at"}),
    ),
    (RecordKind.PUBLISHED, 1): _Shape(
        table="published_payload",
        moment="written_at",
        columns=(
            *("payload_id", "gateway_id", "session", "counter", "key_id", "sha256", "root"),
            *("commands", "signature", "sent_at", "written_at"),  # `leaves` are under the root
        ),
        instants=frozenset({"sent_at", "written_at"}),
    ),
}


def columns_of(kind: RecordKind, version: int = VERSION) -> tuple[str, ...]:
    """Name the values of a record, after its kind and version."""
    return _SHAPES[kind, version].columns


class _Reads:
    """The statements that read records of one kind, in a database's own words."""

    def __init__(self, kind: RecordKind, version: int, *, on_sqlite: bool) -> None:
        shape = _SHAPES[kind, version]
        key = shape.columns[0]

        def spelt(column: str) -> str:
            if column not in shape.instants or on_sqlite:
                return f"t.{column}"
            return f"to_char(t.{column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"

        head = f"SELECT {int(kind)}, {version}, {', '.join(map(spelt, shape.columns))}"
        rows = f"{head} FROM {shape.table} AS t"
        order = f"ORDER BY t.{key} LIMIT :most"
        self.after = Bulk(f"{rows} WHERE t.{key} > :after {order}")
        self.between = Bulk(f"{rows} WHERE t.{key} > :after AND t.{key} <= :last {order}")
        self.within = Bulk(
            f"{head} FROM {{rows}} CROSS JOIN {shape.table} AS t"
            f" WHERE t.{key} >= CAST(j.value->>0 AS bigint)"
            f" AND t.{key} <= CAST(j.value->>1 AS bigint) ORDER BY t.{key} LIMIT :most"
        )
        newest = f"SELECT t.{key} FROM {shape.table} AS t"  # noqa: S608  our own  # nosec B608
        self.newest = Bulk(f"{newest} ORDER BY t.{key} DESC LIMIT 1")
        self.place = _HEAD + shape.columns.index(shape.moment)


_READS: Final = {
    (kind, version, on_sqlite): _Reads(kind, version, on_sqlite=on_sqlite)
    for kind, version in _SHAPES
    for on_sqlite in (True, False)
}


def _reads(tx: Connection, kind: RecordKind, version: int) -> _Reads:
    return _READS[kind, version, tx.dialect.name == "sqlite"]


def rows_after(
    tx: Connection, kind: RecordKind, after: int, *, most: int, version: int = VERSION
) -> list[Row]:
    """Load the next records after an id."""
    return _reads(tx, kind, version).after.run(tx, after=after, most=most)


def newest_id(tx: Connection, kind: RecordKind) -> int:
    """Return the highest id of a kind; 0: there is no record."""
    return next((int(row[0]) for row in _reads(tx, kind, VERSION).newest.run(tx)), 0)


def rows_between(
    tx: Connection, kind: RecordKind, version: int, after: int, last: int, *, most: int
) -> list[Row]:
    """Load the records after an id, up to another."""
    return _reads(tx, kind, version).between.run(tx, after=after, last=last, most=most)


def rows_within(
    tx: Connection, kind: RecordKind, runs: Sequence[Run], *, most: int, version: int = VERSION
) -> list[Row]:
    """Load the records whose ids lie in runs, by id."""
    found = _reads(tx, kind, version).within.run(tx, sorted(runs), most=most)
    return sorted(found, key=id_of)[:most]


def id_of(row: Row) -> int:
    """Return a record's id."""
    return int(row[_HEAD])


def moments_of(tx: Connection, rows: Sequence[Row]) -> list[str]:
    """Return when each record of one kind was written down, UTC, as text."""
    if not rows:
        return []
    place = _reads(tx, RecordKind(rows[0][0]), rows[0][1]).place
    return [str(row[place]) for row in rows]


def record_bytes(row: Row) -> bytes:
    """Write a record as it is hashed."""
    return msgspec.json.encode(row)


def leaf_of(row: Row) -> bytes:
    """Hash a record."""
    return leaf_hash(msgspec.json.encode(row))


def is_plain(row: Row) -> bool:
    """Say whether a record holds what records hold: bytes would be written like a text."""
    return all(value is None or isinstance(value, str | int) for value in row)
