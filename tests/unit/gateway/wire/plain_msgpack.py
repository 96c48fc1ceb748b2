"""A second, deliberately plain MessagePack, so that a mistake of the codec cannot hide.

The vectors are written by the product's codec; if only it read them back, both ends could be
wrong in the same way. This reader was written from the MessagePack specification alone. The
writer spells the same values as wide as the format allows, which receivers must accept.
"""

import struct
from typing import Any

_SIZED = {  # first byte: (kind, bytes of length)
    0xC4: ("bin", 1),
    0xC5: ("bin", 2),
    0xC6: ("bin", 4),
    0xD9: ("str", 1),
    0xDA: ("str", 2),
    0xDB: ("str", 4),
    0xDC: ("array", 2),
    0xDD: ("array", 4),
    0xDE: ("map", 2),
    0xDF: ("map", 4),
}
_SHORT = ((0x80, "map", 0x0F), (0x90, "array", 0x0F), (0xA0, "str", 0x1F))
_NUMBERS = {
    0xCC: ">B",
    0xCD: ">H",
    0xCE: ">I",
    0xCF: ">Q",
    0xD0: ">b",
    0xD1: ">h",
    0xD2: ">i",
    0xD3: ">q",
}
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def unpack(data: bytes) -> Any:
    """Read one value that fills ``data``."""
    value, end = read(data, 0)
    assert end == len(data), f"{len(data) - end} bytes too many"
    return value


def read(data: bytes, at: int) -> tuple[Any, int]:
    """Read the value at an offset: it and the offset behind it."""
    first = data[at]
    at += 1
    if first in _SIZED:
        kind, width = _SIZED[first]
        length = int.from_bytes(data[at : at + width], "big")
        return _read_sized(data, at + width, kind, length)
    for low, kind, mask in _SHORT:
        if first & ~mask & 0xFF == low:
            return _read_sized(data, at, kind, first & mask)
    if first in _NUMBERS:
        (number,) = struct.unpack_from(_NUMBERS[first], data, at)
        return number, at + struct.calcsize(_NUMBERS[first])
    if first in _CONSTANTS:
        return _CONSTANTS[first], at
    return first if first < 0x80 else first - 0x100, at


def _read_sized(data: bytes, at: int, kind: str, length: int) -> tuple[Any, int]:
    if kind == "array":
        return _read_array(data, at, length)
    if kind == "map":
        return _read_map(data, at, length)
    content = data[at : at + length]
    assert len(content) == length, "truncated"
    return (content if kind == "bin" else content.decode()), at + length


def _read_array(data: bytes, at: int, length: int) -> tuple[list[Any], int]:
    items = []
    for _ in range(length):
        item, at = read(data, at)
        items.append(item)
    return items, at


def _read_map(data: bytes, at: int, length: int) -> tuple[dict[Any, Any], int]:
    items = {}
    for _ in range(length):
        key, at = read(data, at)
        items[key], at = read(data, at)
    return items, at


def pack_wide(value: Any) -> bytes:
    """Write a value with the widest heads and integers that MessagePack has."""
    if value is None or isinstance(value, bool):
        return b"\xc0" if value is None else b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        head, layout = (b"\xcf", ">Q") if value >= 0 else (b"\xd3", ">q")
        return head + struct.pack(layout, value)
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, str):
        return b"\xdb" + struct.pack(">I", len(value.encode())) + value.encode()
    if isinstance(value, list):
        return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(pack_wide, value))
    if isinstance(value, dict):
        pairs = b"".join(pack_wide(key) + pack_wide(item) for key, item in value.items())
        return b"\xdf" + struct.pack(">I", len(value)) + pairs
    raise TypeError(type(value))
