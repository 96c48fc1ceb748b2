"""Statements for whole batches: text SQL, all rows in one JSON parameter, on both databases.

SQLAlchemy runs ``executemany`` on SQLite as one step of the database per row, each of which
lets the other threads in: 25 µs a label, where one statement over a JSON array needs 3 (measured).
So the hot statements are text, written once, with what the databases say differently filled in:

================ =================================== ==========================================
in the text      SQLite                              PostgreSQL
================ =================================== ==========================================
``{rows}``       ``json_each(:rows) AS j``           ``jsonb_array_elements(:rows) AS j(value)``
``j.value->>2``  third value of a row, typed         the same, as text: cast what is no text
``{instant[2]}`` the same as an instant              the same as an instant
``{day[2]}``     the same, a date                    the same, a date
``{cut[2]}``     bytes of ``:data``: values 2 and 3  the same
                 of a row are where and how many
``{greatest}``   ``max``                             ``greatest``
``{no_index}``   ``+``: choose no index by this      nothing
``{skip}``       nothing                             ``FOR UPDATE SKIP LOCKED``
``{lock[label]}`` nothing                            ``FOR UPDATE OF label``
================ =================================== ==========================================

Three traps, each found by running into it. SQLite's planner may put the table outside and the
JSON inside (255 µs a row in place of 7.6): write ``{rows} CROSS JOIN table``, hide other columns'
indexes behind ``{no_index}``, and let a test look at the plan. ``due_at`` and its like have
NUMERIC affinity and are compared as text: an instant enters a row through `instant_text` and no
other way. PostgreSQL locks rows in the order it meets them: sort rows by label.

Statements stand beside the functions that run them; those here are shared.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ClauseElement, Connection

from esl.store.columns import instant_text

Rows = Sequence[Sequence[str | int | float | bool | None]]
"""One array a row; the statement knows its places."""

_SCALAR = re.compile(r"(?<!:):([a-z_]+)")


class _Place:
    """Makes ``{instant[2]}`` of a statement's text what ``spelt`` says of place 2."""

    def __init__(self, spelt: Callable[[Any], str]) -> None:
        self._spelt = spelt

    def __getitem__(self, place: Any) -> str:
        return self._spelt(place)


_SQLITE: Final = {
    "rows": "json_each(:rows) AS j",
    "instant": _Place(lambda n: f"(j.value->>{n})"),
    "day": _Place(lambda n: f"(j.value->>{n})"),
    "cut": _Place(lambda n: f"substr(:data, (j.value->>{n}) + 1, j.value->>{n + 1})"),
    "lock": _Place(lambda _: ""),
    "greatest": "max",
    "no_index": "+",
    "skip": "",
}
_POSTGRESQL: Final = {
    "rows": "jsonb_array_elements(CAST(:rows AS jsonb)) AS j(value)",
    "instant": _Place(lambda n: f"CAST((j.value->>{n}) || '+00' AS timestamptz)"),
    "day": _Place(lambda n: f"CAST(j.value->>{n} AS date)"),
    "cut": _Place(
        lambda n: (
            f"substring(:data FROM CAST(j.value->>{n} AS int) + 1"
            f" FOR CAST(j.value->>{n + 1} AS int))"
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
        self.sqlite = text.format_map(_SQLITE)
        plain = text.format_map(_POSTGRESQL).replace("%", "%%")
        self.postgresql = _SCALAR.sub(r"%(\1)s", plain)

    def run(
        self, tx: Connection, rows: Rows | None = None, **scalars: str | int | bytes | datetime
    ) -> list[tuple[Any, ...]]:
        """Run it over the rows; return what it returns, as the driver has it.

        Without rows where the statement names none. An empty batch does nothing. Booleans and
        instants come back from SQLite as numbers and text: let statements return ids and counts.
        """
        if rows is not None and not rows:
            return []
        on_sqlite = tx.dialect.name == "sqlite"
        parameters: dict[str, Any] = {
            name: instant_text(value) if on_sqlite and isinstance(value, datetime) else value
            for name, value in scalars.items()
        }
        if rows is not None:
            if any(isinstance(value, datetime) for value in rows[0]):
                raise TypeError("an instant enters a row through instant_text")
            parameters["rows"] = msgspec.json.encode(rows).decode()
        found = tx.exec_driver_sql(self.sqlite if on_sqlite else self.postgresql, parameters)
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
