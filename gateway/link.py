"""What leaves for a gateway: signed, counted payloads of commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from esl.domain.ids import Digest, GatewayId, LabelId
from gateway.wire.codec import encode_commands
from gateway.wire.messages import VERSION, Command, Header
from gateway.wire.signing import SigningKey, seal

EXPIRES_AFTER_S = 120
"""A payload is worthless after this: the same truth is sent again, in a newer one."""

COMMANDS_MOST = 1024
"""Commands one payload holds at most; with the counter they make command ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Which pictures a payload tells labels to show, and the rest of what is signed of it."""

    session: str
    counter: int
    sent_at: datetime
    shows: tuple[tuple[LabelId, int, Digest], ...] = ()  # with its revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One payload, ready to publish, the labels it speaks to, and revisions of pictures in it."""

    gateway_id: GatewayId
    payload: bytes
    label_ids: tuple[LabelId, ...]
    revs: tuple[int, ...] = ()  # of each label; none where it shows no picture at once
    manifest: Manifest | None = None  # None where it tells no label to show anything


def command_id(counter: int, position: int) -> int:
    """Name a command: unique for ever within its gateway, and rising."""
    return counter * COMMANDS_MOST + position


def seal_commands(
    key: SigningKey,
    gateway_id: GatewayId,
    commands: Sequence[Command],
    *,
    session: str,
    clock_ahead_ms: int,
    counter: int,
    now: datetime,
) -> bytes:
    """Encode and sign commands for a gateway's session.

    ``clock_ahead_ms`` is how far the gateway's clock is ahead of ours: the payload expires by
    the gateway's clock.
    """
    header = Header(
        version=VERSION,
        key_id=key.key_id,
        gateway=gateway_id,
        session=session,
        counter=counter,
        expires=milliseconds(now) + clock_ahead_ms + EXPIRES_AFTER_S * 1000,
    )
    return seal(key, header, encode_commands(commands))


def milliseconds(instant: datetime) -> int:
    """Write an instant as the wire does: milliseconds since 1970-01-01 UTC."""
    return int(instant.timestamp() * 1000)
