"""What a label showed at a moment, from what it reported and what it was told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from esl.domain.ids import Digest, GatewayId, LabelId, Sku
from esl.store.bulk import Bulk
from esl.store.columns import instant_from

_LINES: Final = Bulk(
    """
    SELECT d.entry_id, d.rev, d.digest, d.gateway_id, d.painted_at, d.recorded_at, d.incarnation
    FROM display_log AS d WHERE d.label_id = :label AND d.recorded_at <= :at
    ORDER BY d.incarnation DESC, d.rev DESC, d.entry_id LIMIT 1
    """
)
_NEXT: Final = Bulk(
    """
    SELECT d.entry_id, d.rev, d.digest, d.gateway_id, d.painted_at, d.recorded_at, d.incarnation
    FROM display_log AS d WHERE d.label_id = :label AND d.recorded_at > :at
        AND (d.rev > :rev OR d.incarnation > :incarnation)
    ORDER BY d.incarnation, d.rev, d.entry_id LIMIT 1
    """
)
_FIRST_OF: Final = Bulk(
    """
    SELECT d.entry_id, d.rev, d.digest, d.gateway_id, d.painted_at, d.recorded_at, d.incarnation
    FROM display_log AS d WHERE d.label_id = :label AND d.rev = :rev
        AND d.incarnation = :incarnation AND d.recorded_at <= :at
    ORDER BY d.entry_id LIMIT 1
    """
)
_ISSUED: Final = Bulk(
    """
    SELECT i.rev, i.digest, i.gateway_id, i.template, i.issued_at FROM issued AS i
    WHERE i.label_id = :label AND i.rev >= :rev AND i.issued_at <= :at ORDER BY i.rev
    """
)
_ISSUED_AS: Final = Bulk(
    """
    SELECT i.rev, i.digest, i.gateway_id, i.template, i.issued_at FROM issued AS i
    WHERE i.label_id = :label AND i.rev = :rev
    """
)
_PRICES: Final = Bulk(
    """
    SELECT g.sku, g.paired_at, e.event_id, e.price_minor, e.was_minor, e.currency, e.badge,
        e.member_minor, e.rev, e.decision, e.received_at,
        CASE WHEN (e.event_id IS NULL OR e.received_at < h.before)
            AND EXISTS (SELECT 1 FROM price_event AS f
                WHERE f.store_id = g.store_id AND f.sku = g.sku AND f.rev > :rev AND f.layer <> 1
                    AND f.received_at < h.before) THEN 1 ELSE 0 END
    FROM pairing AS g
        LEFT JOIN forgotten_history AS h ON h.kind = 2
        LEFT JOIN price_event AS e ON e.event_id = (SELECT max(f.event_id) FROM price_event AS f
            WHERE f.store_id = g.store_id AND f.sku = g.sku AND f.rev <= :rev AND f.layer <> 1)
    WHERE g.label_id = :label ORDER BY g.position
    """
)
"""The last word says whether that of the revision may be forgotten: of what was said before history
ends the newest of each source is left, and one that is newer than the revision proves nothing."""


class Reported(NamedTuple):
    """A label said that it shows this."""

    entry_id: int
    rev: int
    digest: Digest
    gateway_id: GatewayId
    painted_at: datetime | None
    reported_at: datetime
    incarnation: int


class Told(NamedTuple):
    """A label was told to show this."""

    rev: int
    digest: Digest
    gateway_id: GatewayId
    template: str
    sent_at: datetime


class PriceThen(NamedTuple):
    """A product that a label speaks for, and what it cost by a revision; None: no price."""

    sku: Sku
    paired_at: datetime
    event_id: int | None
    price_minor: int | None
    was_minor: int | None
    currency: str | None
    badge: str | None
    member_minor: int | None
    rev: int | None
    decision: str | None
    received_at: datetime | None
    is_forgotten: bool  # what it was by then may have been said before history ends


def reported_by(tx: Connection, label_id: LabelId, at: datetime) -> Reported | None:
    """Return the newest thing that a label had said by a moment, as it first said it."""
    found = _reported(_LINES.run(tx, label=label_id, at=at))
    if found is None:
        return None
    return _reported(
        _FIRST_OF.run(tx, label=label_id, at=at, rev=found.rev, incarnation=found.incarnation)
    )


def reported_next(
    tx: Connection, label_id: LabelId, at: datetime, *, after: Reported | None
) -> Reported | None:
    """Return what a label said it shows instead, after a moment."""
    rev = after.rev if after is not None else -1
    incarnation = after.incarnation if after is not None else -1
    return _reported(_NEXT.run(tx, label=label_id, at=at, rev=rev, incarnation=incarnation))


def told_as(tx: Connection, label_id: LabelId, rev: int) -> Told | None:
    """Return how a label was told a revision; None if that was pruned, or another told it."""
    return next(iter(_told(_ISSUED_AS.run(tx, label=label_id, rev=rev))), None)


def told_since(tx: Connection, label_id: LabelId, rev: int, at: datetime) -> list[Told]:
    """List what a label had been told by a moment, from a revision on."""
    return _told(_ISSUED.run(tx, label=label_id, rev=rev, at=at))


def prices_then(tx: Connection, label_id: LabelId, rev: int) -> list[PriceThen]:
    """Load the products that a label speaks for now, and what each cost by a revision."""
    return [
        PriceThen(
            sku=Sku(row[0]),
            paired_at=_instant(row[1]),
            event_id=row[2] if not row[11] else None,
            price_minor=row[3],
            was_minor=row[4],
            currency=row[5],
            badge=row[6],
            member_minor=row[7],
            rev=row[8],
            decision=row[9],
            received_at=instant_from(row[10]),
            is_forgotten=bool(row[11]),
        )
        for row in _PRICES.run(tx, label=label_id, rev=rev)
    ]


def _reported(rows: Sequence[tuple[object, ...]]) -> Reported | None:
    for entry_id, rev, digest, gateway_id, painted_at, recorded_at, incarnation in rows:
        return Reported(
            int(str(entry_id)),
            int(str(rev)),
            Digest(str(digest)),
            GatewayId(str(gateway_id)),
            instant_from(painted_at),  # type: ignore[arg-type]
            _instant(recorded_at),
            int(str(incarnation)),
        )
    return None


def _told(rows: Sequence[tuple[object, ...]]) -> list[Told]:
    return [
        Told(
            int(str(rev)),
            Digest(str(digest)),
            GatewayId(str(gateway_id)),
            str(template),
            _instant(issued_at),
        )
        for rev, digest, gateway_id, template, issued_at in rows
    ]


def _instant(value: object) -> datetime:
    found = instant_from(value)  # type: ignore[arg-type]
    if found is None:
        raise ValueError("an instant is missing")
    return found
