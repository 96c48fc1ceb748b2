"""Frames that were sent, kept as they first travelled: whole, or as the difference to another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from esl.domain.ids import Digest, PanelId
from esl.store.bulk import FRAMES
from esl.store.tables import frames
from esl.store.upsert import insert_if_new


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFrame:
    """A frame's bytes as they travel: ``data`` in an encoding of the wire.

    ``base`` is the digest of the frame that a delta is to, ``depth`` how many deltas lie between
    it and a whole picture; 0 is whole.
    """

    panel_id: PanelId
    data: bytes
    encoding: str = "zlib"
    base: Digest | None = None
    depth: int = 0


def keep_frames(tx: Connection, sent: Mapping[Digest, StoredFrame]) -> None:
    """Keep frames by their digest; one that is kept already stays as it is."""
    insert_if_new(
        tx,
        frames,
        [
            {
                "digest": digest,
                "panel_id": frame.panel_id,
                "zlib_pixels": frame.data,
                "encoding": frame.encoding,
                "base": frame.base,
                "depth": frame.depth,
            }
            for digest, frame in sent.items()
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
        )
        for digest, panel_id, data, encoding, base, depth in FRAMES.run(
            tx, [[digest] for digest in sorted(set(digests))]
        )
    }
