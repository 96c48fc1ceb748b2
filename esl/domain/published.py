r"""What is signed of a payload that told labels to show pictures, so that it can be proven later.

A payload is signed as a whole, and with it the bytes of its pictures; nobody keeps those for the
sake of a signature. So what matters of it is signed once more, with the same key::

    leaf      SHA256(0x00 ‖ ["label",rev,"digest"])       each picture to show, in its order
    root      of a tree over the leaves, as in the audit chain
    signed    "esl published 1\n" gateway "\n" session "\n" counter "\n" SHA-256 of the payload
              "\n" root "\n" how many leaves "\n" when it was sent "\n"

Whoever has the payload (a broker's log, a gateway) finds its own signature in it; the SHA-256
binds both to each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from esl.domain.chain import HASH_BYTES, leaf_hash, tree_path
from esl.domain.ids import Digest, GatewayId, LabelId

PUBLISHED_TITLE: Final = "esl published 1"
"""First line of what is signed: no payload for a gateway begins so, nor anything else we sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPayload:
    """A payload that the broker took, and what was signed of it; hashes and such in hex digits."""

    gateway_id: GatewayId
    session: str
    counter: int
    key_id: str
    sha256: str  # of the payload as it was published
    root: str
    commands: int  # pictures that it told labels to show
    signature: str
    sent_at: datetime
    leaves: bytes  # 32 of each


def shown_leaf(label_id: LabelId, rev: int, digest: Digest) -> bytes:
    """Hash that a label is told to show a picture as a revision."""
    return leaf_hash(f'["{label_id}",{rev},"{digest}"]'.encode())


def published_bytes(  # noqa: PLR0917  one place for each line
    gateway_id: GatewayId,
    session: str,
    counter: int,
    sha256: str,
    root: str,
    commands: int,
    sent_at: str,
) -> bytes:
    """Write what is signed of a payload: eight lines. ``sent_at`` is UTC, as records have it."""
    lines = (PUBLISHED_TITLE, gateway_id, session, counter, sha256, root, commands, sent_at)
    return "".join(f"{line}\n" for line in lines).encode()


def way_to_root(leaves: bytes, leaf: bytes) -> list[tuple[str, str]] | None:
    """Return what a leaf is hashed with up to the root; None: it is not among the leaves."""
    several = split_leaves(leaves)
    return tree_path(several, several.index(leaf)) if leaf in several else None


def split_leaves(leaves: bytes) -> Sequence[bytes]:
    """Take leaves that are kept in a row apart."""
    return [leaves[n : n + HASH_BYTES] for n in range(0, len(leaves), HASH_BYTES)]
