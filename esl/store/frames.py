"""Frames that were sent, kept as they first travelled: whole, or as the difference to another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import Digest, PanelId
from esl.store.bulk import FRAMES, Bulk


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFrame:
    """A frame's bytes as they travel: ``data`` in an encoding of the wire.

    ``base`` is the digest of the frame that a delta is to, ``depth`` how many deltas lie between
    it and a whole picture; 0 is whole. ``mark`` is its product layer's (`renderer.marks`), empty
    where nobody marked it.
    """

    panel_id: PanelId
    data: bytes
    encoding: str = "zlib"
    base: Digest | None = None
    depth: int = 0
    mark: bytes = b""


_KEEP: Final = Bulk(
    """
    INSERT INTO frame (digest, panel_id, zlib_pixels, encoding, base, depth, mark, kept_on)
    SELECT j.value->>0, j.value->>1, {cut[2]}, j.value->>4, j.value->>5,
        CAST(j.value->>6 AS smallint), j.value->>7, {day[8]}
    FROM {rows} WHERE true
    ON CONFLICT (digest) DO UPDATE SET panel_id = excluded.panel_id,
        zlib_pixels = excluded.zlib_pixels, encoding = excluded.encoding, base = excluded.base,
        depth = excluded.depth, mark = excluded.mark, kept_on = excluded.kept_on
    WHERE excluded.depth < frame.depth
    """
)
"""All bytes travel as one value and are cut by the rows: bytes have no place in JSON."""


_SENT_AGAIN: Final = Bulk(
    """
    UPDATE frame SET kept_on = {day[8]} FROM {rows}
    WHERE frame.digest = j.value->>0 AND frame.kept_on < {day[8]}
    """
)


def keep_frames(tx: Connection, sent: Mapping[Digest, StoredFrame], now: datetime) -> None:
    """Keep frames by their digest; one that is kept already gives way only to a shallower one.

    So the depth of a kept frame falls along its chain and never rises in time: no chain is longer
    than its first depth says, and none ends in itself. The day of ``now`` (in UTC) is noted: what
    was sent lately is not forgotten, whoever refers to it.
    """
    today = now.astimezone(UTC).date().isoformat()
    rows: list[tuple[str | int | None, ...]] = []
    data: list[bytes] = []
    reached = 0
    for digest in sorted(sent):  # two writers of the same frames wait for each other in one order
        frame = sent[digest]
        size = len(frame.data)
        how = frame.encoding, frame.base, frame.depth, frame.mark.hex(), today
        rows.append((digest, frame.panel_id, reached, size, *how))
        data.append(frame.data)
        reached += size
    _KEEP.run(tx, rows, data=b"".join(data))
    _SENT_AGAIN.run(tx, rows)


def frames_by_digest(tx: Connection, digests: Iterable[Digest]) -> dict[Digest, StoredFrame]:
    """Load kept frames; those that are not kept are left out."""
    return {
        Digest(digest): StoredFrame(
            panel_id=PanelId(panel_id),
            data=bytes(data),
            encoding=encoding,
            base=Digest(base) if base is not None else None,
            depth=depth,
            mark=bytes.fromhex(mark),
        )
        for digest, panel_id, data, encoding, base, depth, mark in FRAMES.run(
            tx, [[digest] for digest in sorted(set(digests))]
        )
    }
