"""What was signed of published payloads: written in batches, found by what labels were told."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, LargeBinary, bindparam, func, select, text

from esl.domain.ids import Digest, GatewayId, LabelId
from esl.domain.published import PublishedPayload, shown_leaf, way_to_root
from esl.store.bulk import Bulk
from esl.store.columns import instant_text
from esl.store.tables import published_payloads

_ROWS_A_READ: Final = 500

_PUT: Final = Bulk(
    """
    INSERT INTO published_payload (gateway_id, session, counter, key_id, sha256, root, commands,
        signature, sent_at, leaves, written_at)
    SELECT j.value->>0, j.value->>1, CAST(j.value->>2 AS bigint), j.value->>3, j.value->>4,
        j.value->>5, CAST(j.value->>6 AS integer), j.value->>7, {instant[8]}, {cut[9]}, :now
    FROM {rows} WHERE true
    """
)
_FORGET: Final = Bulk(
    """
    DELETE FROM published_payload WHERE payload_id IN (
        SELECT payload_id FROM published_payload ORDER BY payload_id LIMIT :most
    ) AND written_at < :before RETURNING payload_id
    """
)
_HOLDS_ON_POSTGRESQL: Final = text("position(:leaf IN leaves) > 0").bindparams(
    bindparam("leaf", type_=LargeBinary)
)


class KeptPayload(NamedTuple):
    """A published payload that told a label to show a picture, and the way to its root."""

    payload_id: int
    gateway_id: GatewayId
    session: str
    counter: int
    key_id: str
    sha256: str
    root: str
    commands: int
    signature: str
    sent_at: datetime
    written_at: datetime
    path: tuple[tuple[str, str], ...]


def put_payloads(tx: Connection, payloads: Sequence[PublishedPayload], now: datetime) -> None:
    """Write down what was signed of payloads, in their order, in one statement."""
    _PUT.run(
        tx,
        [
            (
                *(one.gateway_id, one.session, one.counter, one.key_id, one.sha256, one.root),
                *(one.commands, one.signature, instant_text(one.sent_at), one.leaves),
            )
            for one in payloads
        ],
        now=now,
    )


def find_payload(
    tx: Connection,
    label_id: LabelId,
    rev: int,
    digest: Digest,
    *,
    gateways: Sequence[GatewayId],
    since: datetime,
    until: datetime,
) -> KeptPayload | None:
    """Find the first payload, by when it was sent, that told a label to show a picture.

    It went to one of the gateways between two moments: a revision may be sent more than once, and
    a large picture in parts. None: no such payload is kept.
    """
    kept = published_payloads.c
    leaf = shown_leaf(label_id, rev, digest)
    on_sqlite = tx.dialect.name == "sqlite"
    holds = (
        func.instr(kept.leaves, leaf) > 0
        if on_sqlite
        else _HOLDS_ON_POSTGRESQL.bindparams(leaf=leaf)
    )
    query = (
        select(published_payloads)
        .where(kept.gateway_id.in_(gateways), kept.sent_at.between(since, until), holds)
        .order_by(kept.sent_at, kept.payload_id)
        .limit(1)
    )
    row = tx.execute(query).one_or_none()
    path = way_to_root(bytes(row.leaves), leaf) if row is not None else None
    if row is None or path is None:
        return None
    return KeptPayload(
        payload_id=int(row.payload_id),
        gateway_id=GatewayId(row.gateway_id),
        session=row.session,
        counter=int(row.counter),
        key_id=row.key_id,
        sha256=row.sha256,
        root=row.root,
        commands=int(row.commands),
        signature=row.signature,
        sent_at=row.sent_at,
        written_at=row.written_at,
        path=tuple(path),
    )


def roots_and_leaves(tx: Connection, first: int, last: int) -> Iterator[tuple[int, str, bytes]]:
    """Go through payloads between two ids: id, root and leaves, some at a time."""
    kept = published_payloads.c
    after = first - 1
    while True:
        query = (
            select(kept.payload_id, kept.root, kept.leaves)
            .where(kept.payload_id > after, kept.payload_id <= last)
            .order_by(kept.payload_id)
            .limit(_ROWS_A_READ)
        )
        rows = tx.execute(query).all()
        yield from ((int(row.payload_id), row.root, bytes(row.leaves)) for row in rows)
        if len(rows) < _ROWS_A_READ:
            return
        after = int(rows[-1].payload_id)


def forget_payloads(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget what was written down before a moment; return how many went, at most so many."""
    return len(_FORGET.run(tx, before=before, most=most))
