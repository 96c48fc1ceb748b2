"""Statements for whole batches: text SQL, all rows in one statement, on both databases.

SQLAlchemy runs ``executemany`` on SQLite as one step of the database per row, each of which
lets the other threads in: 25 µs a label, where one statement over all rows needs 2 (measured).
So the hot statements are text, written once, with what the databases say differently filled in:

================ =================================== ==========================================
in the text      SQLite                              PostgreSQL
================ =================================== ==========================================
``{rows}``       ``j``, a list of bound values       ``jsonb_array_elements(:rows) AS j(value)``
``{item}``       the row itself, where it is a text  the same
``j.value->>2``  third value of a row: ``j.v2``      the same, as text: cast what is no text
``{instant[2]}`` the same as an instant              the same as an instant
``{day[2]}``     the same, a date                    the same, a date
``{cut[2]}``     the same, bytes                     cut from ``:data``, which holds all of them
``{greatest}``   ``max``                             ``greatest``
``{no_index}``   ``+``: choose no index by this      nothing
``{skip}``       nothing                             ``FOR UPDATE SKIP LOCKED``
``{lock[label]}`` nothing                            ``FOR UPDATE OF label``
================ =================================== ==========================================

SQLite reads bound values in 0.03 µs each and values of JSON in 0.25, and parses a statement once
for each size that it comes in. So sizes are powers of two, up to `ROWS_MOST`, and a limit leaves
out what fills them up::

    WITH j(v0, v1) AS (SELECT * FROM (VALUES (?, ?), (?, ?)) LIMIT ?) UPDATE …

Three traps, each found by running into it. SQLite's planner may put the table outside and the
rows inside (255 µs a row in place of 7.6): write ``{rows} CROSS JOIN table``, hide other columns'
indexes behind ``{no_index}``, and let a test look at the plan. ``due_at`` and its like have
NUMERIC affinity and are compared as text: an instant enters a row through `instant_text` and no
other way. PostgreSQL locks rows in the order it meets them: sort rows by label.

Statements stand beside the functions that run them; those here are shared.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

import msgspec
from sqlalchemy import ClauseElement, Connection

from esl.store.columns import instant_text

Value = str | int | float | bool | bytes | None
Rows = Sequence[str] | Sequence[Sequence[Value]]
"""One array a row, all of one length; the statement knows its places. Or one text a row:
``{item}``. Bytes stand where it says ``{cut[…]}`` and nowhere else."""

ROWS_MOST = 512
"""Rows that one statement of SQLite takes; of more it takes several. Beyond this size a row gets
no cheaper, and each prepared statement holds 0.7 KB a row."""

_SCALAR = re.compile(r"(?<!:):([a-z_]+)")
_VALUE = re.compile(r"j\.value->>(\d+)")


class _Place:
    """Makes ``{instant[2]}`` of a statement's text what ``spelt`` says of place 2."""

    def __init__(self, spelt: Callable[[Any], str]) -> None:
        self._spelt = spelt

    def __getitem__(self, place: Any) -> str:
        return self._spelt(place)


_SQLITE: Final = {
    "rows": "j",
    "item": "j.v0",
    "instant": _Place(lambda n: f"j.v{n}"),
    "day": _Place(lambda n: f"j.v{n}"),
    "cut": _Place(lambda n: f"j.v{n}"),
    "lock": _Place(lambda _: ""),
    "greatest": "max",
    "no_index": "+",
    "skip": "",
}
_POSTGRESQL: Final = {
    "rows": "jsonb_array_elements(CAST(:rows AS jsonb)) AS j(value)",
    "item": "(j.value #>> '{}')",
    "instant": _Place(lambda n: f"CAST((j.value->>{n}) || '+00' AS timestamptz)"),
    "day": _Place(lambda n: f"CAST(j.value->>{n} AS date)"),
    "cut": _Place(
        lambda n: (
            f"substring(:data FROM CAST(j.value->{n}->>0 AS int) + 1"
            f" FOR CAST(j.value->{n}->>1 AS int))"
        )
    ),
    "lock": _Place(lambda table: f"FOR UPDATE OF {table}"),
    "greatest": "greatest",
    "no_index": "",
    "skip": "FOR UPDATE SKIP LOCKED",
}


class Bulk:
    """One statement of both databases; made once, at import, and run with batches.

    Named scalars are written ``:name`` and given to `run` by keyword.
    """

    def __init__(self, text: str) -> None:
        on_sqlite = _VALUE.sub(r"j.v\1", text.format_map(_SQLITE))
        self._scalars = _SCALAR.findall(on_sqlite)  # as often as they stand in the text
        self._body = _SCALAR.sub("?", on_sqlite)
        self._sqlite: dict[tuple[int, int], str] = {}
        plain = text.format_map(_POSTGRESQL).replace("%", "%%")
        self.postgresql = _SCALAR.sub(r"%(\1)s", plain)
        self.takes_rows = "{rows}" in text
        self._cuts = "{cut[" in text

    def sqlite(self, rows: int = 0, width: int = 0) -> str:
        """Return the text for SQLite; over so many rows of so many values each, if over any."""
        if not self.takes_rows:
            return self._body
        text = self._sqlite.get((rows, width))
        if text is None:
            names = ", ".join(f"v{place}" for place in range(width))
            row = f"({', '.join('?' * width)})"
            values = ", ".join([row] * rows)
            text = f"WITH j({names}) AS (SELECT * FROM (VALUES {values}) LIMIT ?) {self._body}"  # noqa: S608  # nosec B608
            self._sqlite[rows, width] = text
        return text

    def run(
        self, tx: Connection, rows: Rows | None = None, **scalars: str | int | datetime | None
    ) -> list[tuple[Any, ...]]:
        """Run it over the rows; return what it returns, as the driver has it.

        Without rows where the statement names none. An empty batch does nothing. Booleans and
        instants come back from SQLite as numbers and text: let statements return ids and counts.
        """
        if rows is not None and not rows:
            return []
        if rows is not None and any(isinstance(value, datetime) for value in rows[0]):
            raise TypeError("an instant enters a row through instant_text")
        if tx.dialect.name != "sqlite":
            return _run(tx, self.postgresql, scalars | self._in_json(rows))
        values = {
            name: instant_text(value) if isinstance(value, datetime) else value
            for name, value in scalars.items()
        }
        last = tuple([values[name] for name in self._scalars])
        if rows is None:
            return _run(tx, self._body, last)
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(rows), ROWS_MOST):
            part = rows[start : start + ROWS_MOST]
            size = 1 << (len(part) - 1).bit_length()
            width = 1 if isinstance(part[0], str) else len(part[0])
            bound = part if isinstance(part[0], str) else chain.from_iterable(part)
            filling = (None,) * ((size - len(part)) * width)
            parameters = (*bound, *filling, len(part), *last)
            found += _run(tx, self.sqlite(size, width), parameters)
        return found

    def _in_json(self, rows: Rows | None) -> dict[str, str | bytes]:
        """Give the rows as PostgreSQL takes them, and their bytes beside them in one value."""
        if rows is None:
            return {}
        if not self._cuts:
            return {"rows": msgspec.json.encode(rows).decode()}
        data = bytearray()
        placed = [[_placed(value, data) for value in row] for row in rows]
        return {"rows": msgspec.json.encode(placed).decode(), "data": bytes(data)}


def _placed(value: Value, data: bytearray) -> Value | tuple[int, int]:
    """Add bytes to the others, and return where they are and how many."""
    if not isinstance(value, bytes):
        return value
    data += value
    return len(data) - len(value), len(value)


def _run(
    tx: Connection, statement: str, parameters: dict[str, Any] | tuple[Any, ...]
) -> list[tuple[Any, ...]]:
    found = tx.exec_driver_sql(statement, parameters)
    if not found.returns_rows:
        return []
    fetched = list(found.cursor.fetchall())  # the driver's own tuples: twice as fast
    found.close()
    return fetched


def as_text(*parts: ClauseElement) -> str:
    """Write columns or a join of `esl.store.tables` as text for a statement of both databases."""
    written = (part.compile(compile_kwargs={"literal_binds": True}) for part in parts)
    return ", ".join(str(part) for part in written)


PEEK: Final = Bulk(
    """
    SELECT gateway_id, lane, count(*) FROM label
    WHERE due_at IS NOT NULL AND due_at <= :now AND gateway_id IS NOT NULL
    GROUP BY gateway_id, lane
    """
)
"""How many labels are due, by gateway and lane. SQLite answers it from the index alone."""

CLAIM: Final = Bulk(
    """
    WITH due AS (
        SELECT label_id FROM label
        WHERE gateway_id = :gateway AND due_at <= :now AND quarantine = 0
        ORDER BY lane, due_at LIMIT :most {skip}
    )
    UPDATE label SET attempts = attempts + 1, due_at = :until
    WHERE label_id IN (SELECT label_id FROM due) RETURNING label_id
    """
)
"""Take a gateway's due labels. Of an id used twice nobody can say what it shows: not those."""

RECORD_LABELS: Final = Bulk(
    """
    UPDATE label SET
        sent_rev = {greatest}(label.sent_rev, CAST(j.value->>1 AS bigint)),
        due_at = CASE
            WHEN label.wanted_rev = CAST(j.value->>1 AS bigint) AND label.gateway_id = j.value->>2
            THEN {instant[3]} ELSE label.due_at END,
        send_full = label.send_full AND label.wanted_rev <> CAST(j.value->>1 AS bigint)
    FROM {rows} WHERE label.label_id = j.value->>0
    """
)
"""Note what is about to be sent: [label, rev, gateway, due again]. A label whose truth or route
changed since it was read stays due."""

ISSUED_AS: Final = Bulk(
    """
    SELECT issued.label_id FROM {rows} CROSS JOIN issued
    WHERE issued.label_id = j.value->>0 AND issued.rev = CAST(j.value->>1 AS bigint)
        AND issued.digest = j.value->>2
    """
)
"""Of [label, rev, digest], the labels whose revision was really issued as that picture."""

FRAMES: Final = Bulk(
    """
    SELECT frame.digest, frame.panel_id, frame.zlib_pixels, frame.encoding, frame.base,
        frame.depth, frame.mark
    FROM {rows} CROSS JOIN frame WHERE frame.digest = j.value->>0
    """
)
"""The kept frames of [digest]."""
