"""Commands go down to a gateway, events come up from it; one class a message.

Every message is a MessagePack map with its name under ``type``. Integers are unsigned and fit
53 bits unless said. An instant is milliseconds since 1970-01-01 UTC. A digest is the 32 bytes
of SHA-256 over a frame's packed pixels. Unknown fields are ignored by whoever reads. The ranges
of fields (`gateway.wire.fields`) are checked when a payload is read, not when a message is made.

What they mean is said in ``docs/protocol.md``; ``docs/asyncapi.yaml`` is made from these classes.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from gateway.wire.fields import (
    MAX_ENTRIES,
    BlinkMs,
    Byte,
    Celsius,
    Code,
    Count,
    Dbm,
    Detail,
    Digest,
    Features,
    FrameBytes,
    Id,
    Instant,
    KeyId,
    Labels,
    Line,
    MaybeDigest,
    Millivolts,
    Pattern,
    Positive,
    Repeats,
    Seconds,
    Slot,
    SlotPictures,
    is_digest,
)

VERSION = 1
MAX_PAYLOAD_BYTES = 64 * 1024
"""Default limit of one MQTT payload, until a gateway announces another in `Hello.features`."""
FEATURE_PAYLOAD_BYTES = "payload_bytes"
"""Key of `Hello.features`: the largest MQTT payload this gateway takes."""

# -- encodings of a picture -------------------------------------------------------------------

RAW = "raw"  # the packed frame itself
ZLIB = "zlib"  # RFC 1950, window as the panel announces
XOR_ZLIB = "xor-zlib"  # zlib of (frame XOR the frame whose digest is ``base``)


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of all messages; defaults are left out on the wire."""

    @property
    def name(self) -> str:
        """The message's ``type`` on the wire."""
        return str(self.__struct_config__.tag)


# -- down: commands ---------------------------------------------------------------------------


class Put(Message, frozen=True, tag="put"):
    """Store a picture in a slot of a label, and paint it at once if ``show``.

    ``size`` is that of the decoded frame. A picture too large for one payload travels in
    several puts of one ``id`` and ``rev`` with ``offset`` and ``total`` counting bytes of the
    *encoded* data; it is painted only when complete and when the digest of the whole fits.
    """

    id: Positive
    label: Id
    epoch: Count
    slot: Slot
    rev: Positive
    digest: Digest
    size: FrameBytes
    encoding: Id
    data: bytes
    show: bool
    deadline: Instant
    base: Digest | None = None
    offset: FrameBytes | None = None
    total: FrameBytes | None = None

    def __post_init__(self) -> None:
        # Fields that only make sense together. A ValueError here is an invalid message when it
        # is being decoded, and a mistake of ours when it is being built.
        # An encoding we do not know may have a base; it is `unsupported`, not invalid.
        if self.encoding == XOR_ZLIB and self.base is None:
            raise ValueError("xor-zlib needs a `base`")
        if self.encoding in (RAW, ZLIB) and self.base is not None:
            raise ValueError("`base` is not for whole pictures")
        if self.offset is None and self.total is None:
            return
        if self.offset is None or self.total is None:
            raise ValueError("`offset` and `total` go together")
        if self.offset + len(self.data) > self.total:
            raise ValueError("the part reaches beyond `total`")


class ShowEntry(Struct, frozen=True, array_like=True):
    """One label of a `Show`: ``[label, rev, slot, digest]``."""

    label: Id
    rev: Positive
    slot: Slot
    digest: Digest


class Show(Message, frozen=True, tag="show"):
    """Paint stored pictures now, or at the instant ``at`` (not past, at most 48 days ahead)."""

    id: Positive
    entries: Annotated[list[ShowEntry], Meta(max_length=MAX_ENTRIES)]
    at: Instant | None = None


class CancelEntry(Struct, frozen=True, array_like=True):
    """One label of a `Cancel`: ``[label, rev]``."""

    label: Id
    rev: Positive


class Cancel(Message, frozen=True, tag="cancel"):
    """Drop pending timed shows."""

    id: Positive
    entries: Annotated[list[CancelEntry], Meta(max_length=MAX_ENTRIES)]


class Led(Message, frozen=True, tag="led"):
    """Blink labels, to be found. ``pattern`` is 5 bytes, played from the highest set bit down."""

    id: Positive
    labels: Labels
    colour: Byte
    pattern: Pattern
    on_ms: BlinkMs
    off_ms: BlinkMs
    repeats: Repeats
    at: Instant | None = None


class Report(Message, frozen=True, tag="report"):
    """Ask for `Seen` of these labels now; of all when the list is empty."""

    id: Positive
    labels: Labels = msgspec.field(default_factory=list)


class Forget(Message, frozen=True, tag="forget"):
    """The label leaves this shop; ``epoch`` is the one that ends."""

    id: Positive
    label: Id
    epoch: Count


class Firmware(Message, frozen=True, tag="firmware"):
    """A part of a firmware image for the gateway or a label model (level Full)."""

    id: Positive
    target: Id
    version: Line
    digest: Digest
    offset: Count
    total: Count
    data: bytes
    at: Instant | None = None

    def __post_init__(self) -> None:
        if self.offset + len(self.data) > self.total:
            raise ValueError("the part reaches beyond `total`")


class Time(Message, frozen=True, tag="time"):
    """The controller's clock, for the gateway to check its own."""

    id: Positive
    now: Instant


class Config(Message, frozen=True, tag="config"):
    """Settings of the gateway; a field left out keeps its value."""

    id: Positive
    beacon_s: Seconds | None = None
    heartbeat_s: Seconds | None = None
    window: Positive | None = None


Command = Put | Show | Cancel | Led | Report | Forget | Firmware | Time | Config

# -- up: events -------------------------------------------------------------------------------


class Event(Message, frozen=True):
    """Base of events. ``seq`` counts the events of one session from 1."""

    session: Id
    seq: Positive


class Hello(Event, frozen=True, tag="hello"):
    """A gateway begins a session. ``capacity`` is how many labels it takes at once."""

    protocol: Byte
    level: Id  # "basic", "staged" or "full"
    firmware: Line
    capacity: Count
    clock: Instant
    features: Features = msgspec.field(default_factory=dict)


class Heartbeat(Event, frozen=True, tag="heartbeat"):
    """A gateway lives, every 10 to 30 s; says the same as its `Hello` did, which may be lost."""

    protocol: Byte
    level: Id
    firmware: Line
    capacity: Count
    clock: Instant
    queued: Count
    features: Features = msgspec.field(default_factory=dict)


class Seen(Event, frozen=True, tag="seen"):
    """A label's beacon, passed on: what it shows by its own word, and how it is.

    ``shown_rev`` 0 with an empty digest is a label that shows nothing of ours.
    ``incarnation`` rises when the label lost its memory.
    """

    label: Id
    panel: Id
    shown_rev: Count
    shown_digest: MaybeDigest
    incarnation: Count
    slots: SlotPictures = msgspec.field(default_factory=list)  # (rev, digest) of each
    battery_mv: Millivolts | None = None
    temperature_c: Celsius | None = None
    rssi_dbm: Dbm | None = None
    firmware: Line | None = None

    def __post_init__(self) -> None:
        for digest in (self.shown_digest, *(digest for _, digest in self.slots)):
            if not is_digest(digest, or_empty=True):
                raise ValueError("a digest is 32 bytes, or none where nothing of ours is held")


class Accepted(Event, frozen=True, tag="accepted"):
    """The gateway queued a command. Never counted as success."""

    id: Positive


class Stored(Event, frozen=True, tag="stored"):
    """A label holds a picture in a slot, whole and verified."""

    id: Count
    label: Id
    rev: Positive
    slot: Slot
    digest: Digest


class Shown(Event, frozen=True, tag="shown"):
    """A label painted a picture and said so itself. ``at`` is by the gateway's clock."""

    id: Count
    label: Id
    rev: Positive
    digest: Digest
    incarnation: Count
    at: Instant
    battery_mv: Millivolts | None = None
    temperature_c: Celsius | None = None


class Failed(Event, frozen=True, tag="failed"):
    """A command, or one label's part of it, came to nothing; ``code`` is a `FailureCode`.

    ``id`` is 0 where the command could not even be read.
    """

    id: Count
    code: Code
    label: Id | None = None
    rev: Count | None = None
    detail: Detail = ""


class Pressed(Event, frozen=True, tag="pressed"):
    """Somebody pressed a label's button."""

    label: Id
    button: Byte
    at: Instant


class Tapped(Event, frozen=True, tag="tapped"):
    """A phone read a label's NFC tag."""

    label: Id
    at: Instant


AnyEvent = Hello | Heartbeat | Seen | Accepted | Stored | Shown | Failed | Pressed | Tapped

# -- state ------------------------------------------------------------------------------------


class GatewayState(Struct, frozen=True, kw_only=True):
    """The retained ``state`` topic, also the will: one MessagePack map without a ``type``.

    ``session`` is fresh for each connection; ``since`` is when it was written, by the gateway's
    clock, which for the will is when the connection was begun.
    """

    online: bool
    session: Id
    since: Instant


class Header(Struct, frozen=True, array_like=True):
    """First element of a ``down`` payload, a MessagePack array in this order.

    ``counter`` strictly increases within a session. ``expires`` is an instant by the gateway's
    own clock, which the controller knows from `Hello` and `Heartbeat`: a gateway whose clock is
    a day off still takes its commands.
    """

    version: Byte
    key_id: KeyId
    gateway: Id
    session: Id
    counter: Positive
    expires: Instant
