"""What somebody can send who has the controller's MQTT login, and reads everything, but no key.

Bases are payloads that the controller did sign, one for each command of the protocol, and that
never arrived as they are. Everything sent is made of them, or of what the gateway obeyed before:

=============== ==========================================================================
replayed        what it obeyed, once more
earlier session signed for a session of this gateway that is over
cross-gateway   signed for another gateway
expired         signed, and too old
truncated       a base, cut anywhere
flipped         a base, with one to three bits changed
forged          the base's header and body, signed by another key under the right key's id
stranger        header, body and id of another key
re-headed       the base's body and signature below a header with another counter or time
spliced         the header of one base, the body of another
unsigned        the signature zero, random, or the base's with the group's order added
random          bytes
=============== ==========================================================================
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from random import Random

import msgspec
from msgspec import Raw

from gateway.wire.codec import encode_commands
from gateway.wire.messages import VERSION, Command, Header
from gateway.wire.signing import SigningKey, seal

FIRST_COUNTER = 1_000_000
"""Of the bases: far above that of anything obeyed, so that no counter refuses them."""

_ORDER = 2**252 + 27742317777372353535851937790883648493  # of Ed25519's group (RFC 8032, 5.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All that the rogue has."""

    gateway: str
    session: str
    now_ms: int
    bases: Mapping[str, bytes]  # by command
    bodies: Mapping[str, bytes]
    obeyed: tuple[bytes, ...]
    earlier: tuple[bytes, ...]
    foreign: tuple[bytes, ...]
    expired: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Forgery:
    """One payload to try."""

    kind: str
    command: str
    payload: bytes


def sign_all(
    key: SigningKey,
    commands: Mapping[str, Command],
    *,
    gateway: str,
    session: str,
    expires_ms: int,
    first_counter: int = FIRST_COUNTER,
) -> dict[str, bytes]:
    """Sign each command as the controller does, by its name."""
    return {
        name: seal(
            key,
            Header(VERSION, key.key_id, gateway, session, first_counter + number, expires_ms),
            encode_commands([command]),
        )
        for number, (name, command) in enumerate(commands.items())
    }


def forge(material: Material, key: SigningKey, random: Random) -> Iterator[Forgery]:
    """Yield payloads without end, each kind of each command in turn.

    ``key`` is the right one's public half only: its id is all that is used of it.
    """
    stranger = SigningKey.generate()
    makers: dict[str, Callable[[str], bytes]] = {
        "replayed": lambda _: random.choice(material.obeyed),
        "earlier session": lambda _: random.choice(material.earlier),
        "cross-gateway": lambda _: random.choice(material.foreign),
        "expired": lambda _: random.choice(material.expired),
        "truncated": lambda name: _cut(material.bases[name], random),
        "flipped": lambda name: _flip(material.bases[name], random),
        "forged": lambda name: _sign_as(stranger, key.key_id, material, name, random),
        "stranger": lambda name: _sign_as(stranger, stranger.key_id, material, name, random),
        "re-headed": lambda name: _re_head(material, name, random),
        "spliced": lambda name: _splice(material, name, random),
        "unsigned": lambda name: _unsigned(material.bases[name], random),
        "random": lambda _: os.urandom(random.randrange(400)),
    }
    for kind in cycle(makers):
        for name in material.bases:
            yield Forgery(kind, name, makers[kind](name))


def _cut(base: bytes, random: Random) -> bytes:
    return base[: random.randrange(len(base))]


def _flip(base: bytes, random: Random) -> bytes:
    flipped = bytearray(base)
    for place in random.sample(range(len(base) * 8), random.randint(1, 3)):
        flipped[place // 8] ^= 1 << place % 8
    return bytes(flipped)


def _header(material: Material, key_id: str, random: Random) -> bytes:
    counter = FIRST_COUNTER + random.randrange(10**9)
    expires_ms = material.now_ms + random.randrange(3_600_000, 7_200_000)
    return msgspec.msgpack.encode(
        Header(VERSION, key_id, material.gateway, material.session, counter, expires_ms)
    )


def _joined(head: bytes, body: bytes, signature: bytes) -> bytes:
    return msgspec.msgpack.encode((Raw(head), body, signature))


def _parts(payload: bytes) -> tuple[bytes, bytes, bytes]:
    head, body, signature = msgspec.msgpack.decode(payload, type=tuple[Raw, bytes, bytes])
    return bytes(head), body, signature


def _sign_as(key: SigningKey, key_id: str, material: Material, name: str, random: Random) -> bytes:
    head, body = _header(material, key_id, random), material.bodies[name]
    return _joined(head, body, key.sign(head + body))


def _re_head(material: Material, name: str, random: Random) -> bytes:
    head, body, signature = _parts(material.bases[name])
    key_id = msgspec.msgpack.decode(head, type=Header).key_id
    return _joined(_header(material, key_id, random), body, signature)


def _splice(material: Material, name: str, random: Random) -> bytes:
    other = random.choice([one for one in material.bases if one != name])
    head, _, signature = _parts(material.bases[name])
    _, body, other_signature = _parts(material.bases[other])
    return _joined(head, body, random.choice((signature, other_signature)))


def _unsigned(base: bytes, random: Random) -> bytes:
    head, body, signature = _parts(base)
    scalar = int.from_bytes(signature[32:], "little") + _ORDER
    return _joined(
        head,
        body,
        random.choice(
            (
                bytes(64),
                os.urandom(64),
                signature[:63],
                b"",
                signature[:32] + scalar.to_bytes(32, "little"),
            )
        ),
    )
