"""Frames that were sent, kept as they first travelled: whole, or as the difference to another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
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
    SELECT j.value->>0, j.value->>1, {cut[2]}, j.value->>3, j.value->>4,
        CAST(j.value->>5 AS smallint), j.value->>6, {day[7]}
    FROM {rows} WHERE true
    ON CONFLICT (digest) DO UPDATE SET
        panel_id = CASE WHEN excluded.depth < frame.depth
            THEN excluded.panel_id ELSE frame.panel_id END,
        zlib_pixels = CASE WHEN excluded.depth < frame.depth
            THEN excluded.zlib_pixels ELSE frame.zlib_pixels END,
        encoding = CASE WHEN excluded.depth < frame.depth
            THEN excluded.encoding ELSE frame.encoding END,
        base = CASE WHEN excluded.depth < frame.depth THEN excluded.base ELSE frame.base END,
        mark = CASE WHEN excluded.depth < frame.depth THEN excluded.mark ELSE frame.mark END,
        depth = CASE WHEN excluded.depth < frame.depth THEN excluded.depth ELSE frame.depth END,
        kept_on = CASE WHEN excluded.kept_on > frame.kept_on
            THEN excluded.kept_on ELSE frame.kept_on END
    WHERE excluded.depth < frame.depth OR excluded.kept_on > frame.kept_on
    """
)


_digest_of = itemgetter(0)


def keep_frames(tx: Connection, sent: Mapping[Digest, StoredFrame], now: datetime) -> None:
    """Keep frames by their digest; one that is kept already gives way only to a shallower one.

    So the depth of a kept frame falls along its chain and never rises in time: no chain is longer
    than its first depth says, and none ends in itself. The day of ``now`` (in UTC) is noted: what
    was sent lately is not forgotten, whoever refers to it.
    """
    today = now.astimezone(UTC).date().isoformat()
    _KEEP.run(
        tx,
        [
            (digest, f.panel_id, f.data, f.encoding, f.base, f.depth, f.mark.hex(), today)
            for digest, f in sorted(sent.items(), key=_digest_of)  # as all writers lock them
        ],
    )


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
