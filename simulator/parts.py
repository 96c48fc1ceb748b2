"""Pictures that come in parts, until they are whole.

::

    part ─▶ first of its id? ─▶ collecting ── every byte has come ──▶ one whole put
                                   │ ├── another digest, total, encoding: invalid_parameters
                                   │ └── deadline: expired, once
                                   └──── a put of a higher revision: superseded
"""

from dataclasses import dataclass, field

from msgspec.structs import replace

from gateway.wire.failures import FailureCode
from gateway.wire.messages import Firmware, Put
from simulator.picture import Refusal

PICTURES_MOST = 64
"""Pictures a gateway collects at once."""
BYTES_MOST = 512 * 1024
"""Bytes of one picture that a gateway can hold: the largest known panel needs 192 KiB."""


@dataclass(slots=True, eq=False)
class Bytes:
    """Bytes that come in pieces, in any order and twice."""

    total: int
    _data: bytearray = field(init=False)
    _pieces: dict[int, int] = field(default_factory=dict)  # offset: length

    def __post_init__(self) -> None:
        self._data = bytearray(self.total)

    def add(self, offset: int, piece: bytes) -> bool:
        """Take a piece; say whether all have come."""
        self._data[offset : offset + len(piece)] = piece
        self._pieces[offset] = max(len(piece), self._pieces.get(offset, 0))
        reached = 0
        for start, length in sorted(self._pieces.items()):
            if start > reached:
                return False
            reached = max(reached, start + length)
        return reached >= self.total

    def whole(self) -> bytes:
        """Return them all."""
        return bytes(self._data)


@dataclass(frozen=True, slots=True)
class _Collecting:
    first: Put
    data: Bytes


class PartialPictures:
    """What a gateway has of pictures that are not whole yet. A reboot forgets them."""

    def __init__(self) -> None:
        self._collecting: dict[int, _Collecting] = {}  # by command id

    def __contains__(self, command_id: int) -> bool:
        return command_id in self._collecting

    def take(self, part: Put) -> Put | Refusal | None:
        """Take a part; return the whole put, None while some are missing, or what is wrong."""
        total = part.total or 0
        known = self._collecting.get(part.id)
        if known is None:
            if total > BYTES_MOST:
                return Refusal(FailureCode.CAPACITY_LIMIT, f"more than {BYTES_MOST} bytes")
            if len(self._collecting) >= PICTURES_MOST:
                return Refusal(FailureCode.INSUFFICIENT_RESOURCES, "too many pictures in parts")
            known = self._collecting[part.id] = _Collecting(part, Bytes(total))
        elif _kind(part) != _kind(known.first):
            del self._collecting[part.id]
            return Refusal(FailureCode.INVALID_PARAMETERS, "not like the parts before it")
        if not known.data.add(part.offset or 0, part.data):
            return None
        del self._collecting[part.id]
        return replace(part, data=known.data.whole(), offset=None, total=None)

    def give_way(self, put: Put) -> list[Put]:
        """Drop what a put of a higher revision replaces; return the first part of each."""
        replaced = [
            known.first
            for known in self._collecting.values()
            if known.first.label == put.label and known.first.rev < put.rev
        ]
        for first in replaced:
            del self._collecting[first.id]
        return replaced

    def give_up(self, command_id: int) -> Put | None:
        """Drop a picture that is not whole, because its time is over."""
        known = self._collecting.pop(command_id, None)
        return known.first if known is not None else None

    def drop_label(self, label_id: str) -> list[Put]:
        """Drop all parts for a label; return the first of each."""
        gone = [k.first for k in self._collecting.values() if k.first.label == label_id]
        for first in gone:
            del self._collecting[first.id]
        return gone

    def forget(self) -> None:
        """The gateway rebooted."""
        self._collecting.clear()


def _kind(part: Put) -> tuple[object, ...]:
    return part.label, part.rev, part.digest, part.total, part.encoding, part.base, part.slot


class PartialFirmware:
    """The firmware image a gateway is collecting; another version or digest begins anew."""

    def __init__(self, bytes_most: int) -> None:
        self._bytes_most = bytes_most
        self._kind: tuple[object, ...] = ()
        self._data = Bytes(0)

    def take(self, part: Firmware) -> bytes | Refusal | None:
        """Take a part; return the whole image, None while parts are missing, or what is wrong."""
        if part.total > self._bytes_most:
            return Refusal(FailureCode.CAPACITY_LIMIT, f"more than {self._bytes_most} bytes")
        kind = part.target, part.version, part.digest, part.total
        if kind != self._kind:
            self._kind, self._data = kind, Bytes(part.total)
        if not self._data.add(part.offset, part.data):
            return None
        whole = self._data.whole()
        self._kind, self._data = (), Bytes(0)
        return whole
