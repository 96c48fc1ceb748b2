"""Messages to bytes and back; a bad message never spoils its neighbours.

A payload is one MessagePack array of messages. Reading it takes one pass when all is well
(under a millisecond for 500 reports); only when that fails is each element read by itself::

    payload ──▶ whole list in one pass ──▶ messages
                     │ something is wrong
                     ▼
                split into raw elements ──▶ each one: message, or `Rejected` with its reason
                     │ cannot even be split
                     ▼
                BadPayload

Bytes written here are canonical: shortest integers, fields in declared order, defaults left
out. Bytes read may be any valid MessagePack of the same content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from gateway.wire.errors import BadPayload
from gateway.wire.failures import FailureCode
from gateway.wire.fields import DIGEST_BYTES, Count
from gateway.wire.messages import (
    MAX_PAYLOAD_BYTES,
    AnyEvent,
    Command,
    GatewayState,
)

M = TypeVar("M")

# What msgspec raises on hostile bytes (found by fuzzing, `tests/unit/gateway/wire`): its own
# errors, UnicodeDecodeError on broken UTF-8, RecursionError on deep nesting.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_REASON_MAX_CHARACTERS = 200

MESSAGES_MOST = 4096
"""Elements beyond which a payload that holds a bad one is not read: each costs microseconds. Not
a third as many messages have room in the largest payload that everyone takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An element of a payload that could not be taken.

    ``type`` and ``id`` are what could still be read of them; ``known`` says that the type is
    one of this protocol, hence that its fields are wrong. ``reason`` is for logs.
    """

    position: int
    type: str | None
    id: int | None
    known: bool
    reason: str

    @property
    def code(self) -> FailureCode:
        """What a gateway answers: no message at all, one it does not know, or a bad one."""
        if self.type is None:
            return FailureCode.INVALID_OPCODE
        return FailureCode.INVALID_PARAMETERS if self.known else FailureCode.UNSUPPORTED


@dataclass(frozen=True, slots=True)
class Decoded(Generic[M]):
    """What a payload held: messages in their order, and what had to be rejected."""

    messages: list[M]
    rejected: list[Rejected]


class _Typed(Struct):
    type: str


class _Numbered(Struct):
    id: Count


class _Reader(Generic[M]):
    """Reads payloads of one direction."""

    def __init__(
        self,
        whole: "msgspec.msgpack.Decoder[list[M]]",
        single: "msgspec.msgpack.Decoder[M]",
        names: frozenset[str],
    ) -> None:
        self._whole = whole
        self._single = single
        self._names = names

    def read(self, payload: bytes, *, max_bytes: int) -> Decoded[M]:
        if len(payload) > max_bytes:
            raise BadPayload(f"{len(payload)} bytes, more than the {max_bytes} agreed")
        try:
            return Decoded(self._whole.decode(payload), [])
        except _UNREADABLE:
            return self._read_each(payload)

    def _read_each(self, payload: bytes) -> Decoded[M]:
        try:
            elements = _ELEMENTS.decode(payload)
        except _UNREADABLE as exc:
            raise BadPayload(f"no array of messages: {_reason(exc)}") from exc
        if len(elements) > MESSAGES_MOST:
            raise BadPayload(f"{len(elements)} elements, more than {MESSAGES_MOST}")
        decoded: Decoded[M] = Decoded([], [])
        for position, element in enumerate(elements):
            try:
                decoded.messages.append(self._single.decode(element))
            except _UNREADABLE as exc:
                decoded.rejected.append(self._reject(element, position, exc))
        return decoded

    def _reject(self, element: Raw, position: int, exc: Exception) -> Rejected:
        try:
            name = _TYPED.decode(element).type
        except _UNREADABLE:
            name = None
        try:
            number = _NUMBERED.decode(element).id
        except _UNREADABLE:
            number = None
        return Rejected(
            position=position,
            type=None if name is None else name[:64],
            id=number,
            known=name in self._names,
            reason=_reason(exc),
        )


def _reason(exc: Exception) -> str:
    # UnicodeDecodeError's own text would repeat bytes of the payload, which never enters a log.
    text = "broken UTF-8" if isinstance(exc, UnicodeDecodeError) else str(exc)
    return text[:_REASON_MAX_CHARACTERS]


def names_of(union: object) -> frozenset[str]:
    """The ``type`` names of a union of messages, such as `Command` or `AnyEvent`."""
    members: tuple[type[Struct], ...] = getattr(union, "__args__", ())
    return frozenset(str(member.__struct_config__.tag) for member in members)


COMMAND_NAMES: Final = names_of(Command)
EVENT_NAMES: Final = names_of(AnyEvent)

_ENCODER = msgspec.msgpack.Encoder()
_ELEMENTS = msgspec.msgpack.Decoder(list[Raw])
_TYPED = msgspec.msgpack.Decoder(_Typed)
_NUMBERED = msgspec.msgpack.Decoder(_Numbered)
_STATE = msgspec.msgpack.Decoder(GatewayState)
_EVENTS: _Reader[AnyEvent] = _Reader(
    msgspec.msgpack.Decoder(list[AnyEvent]), msgspec.msgpack.Decoder(AnyEvent), EVENT_NAMES
)
_COMMANDS: _Reader[Command] = _Reader(
    msgspec.msgpack.Decoder(list[Command]), msgspec.msgpack.Decoder(Command), COMMAND_NAMES
)


def encode_events(events: Sequence[AnyEvent]) -> bytes:
    """Write an ``up`` payload. Fields are not checked again; the reader will."""
    return _ENCODER.encode(events)


def decode_events(payload: bytes, *, max_bytes: int = MAX_PAYLOAD_BYTES) -> Decoded[AnyEvent]:
    """Read an ``up`` payload.

    Raises:
        BadPayload: It is larger than ``max_bytes``, no MessagePack array, or holds a bad element
            among more than `MESSAGES_MOST`.
    """
    return _EVENTS.read(payload, max_bytes=max_bytes)


def encode_commands(commands: Sequence[Command]) -> bytes:
    """Write the body of a ``down`` payload, to be sealed by `gateway.wire.signing.seal`."""
    return _ENCODER.encode(commands)


def decode_commands(body: bytes, *, max_bytes: int = MAX_PAYLOAD_BYTES) -> Decoded[Command]:
    """Read the body of a ``down`` payload, once its signature was verified.

    Raises:
        BadPayload: It is larger than ``max_bytes``, no MessagePack array, or holds a bad element
            among more than `MESSAGES_MOST`.
    """
    return _COMMANDS.read(body, max_bytes=max_bytes)


def encode_state(state: GatewayState) -> bytes:
    """Write the payload of a ``state`` topic or of a will."""
    return _ENCODER.encode(state)


def decode_state(payload: bytes) -> GatewayState:
    """Read the payload of a ``state`` topic.

    Raises:
        BadPayload: It is no state. An empty payload, which is how a retained message is
            removed, is none either.
    """
    try:
        return _STATE.decode(payload)
    except _UNREADABLE as exc:
        raise BadPayload(f"no gateway state: {_reason(exc)}") from exc


def digest_bytes(digest: str) -> bytes:
    """Turn a digest of 64 hex digits into the 32 bytes the wire carries; "" into none.

    Raises:
        ValueError: It is something else.
    """
    raw = bytes.fromhex(digest)
    if raw and len(raw) != DIGEST_BYTES:
        raise ValueError("a digest is 64 hex digits")
    return raw


def digest_hex(digest: bytes) -> str:
    """Turn the wire's digest into 64 lower-case hex digits, or "" where there is none."""
    return digest.hex()
