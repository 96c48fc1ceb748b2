"""The same attack on a gateway in another language, of which only what it says is seen.

What its labels show is asked for with a signed `report` before and after: their revision, digest,
slots and incarnation. The control is one altered payload as it was signed.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any

from api.clock import MachineClock
from gateway.mqtt import BrokerAddress, MqttConnection, connect
from gateway.wire.codec import decode_events, encode_commands
from gateway.wire.messages import RAW, VERSION, Header, Put, Report, Seen
from gateway.wire.signing import SigningKey, seal
from gateway.wire.topics import ALL_UPS, down_topic
from tests.proof.rogue import AT_ONCE, HOUR_MS, PATIENCE_S, every_command
from tests.proof.rogue_forgery import Material, forge, sign_all

Shown = dict[str, tuple[Any, ...]]
"""Of each label: revision, digest, slots, incarnation."""


@dataclass(slots=True)
class _Watched:
    """The gateway as its own words describe it."""

    gateway: str
    key: SigningKey
    rogue: MqttConnection
    session: str = ""
    counter: int = 0
    labels: Shown = field(default_factory=dict)

    async def ask(self, wanted: int) -> Shown:
        """Ask what all labels show; return it when ``wanted`` labels have answered."""
        self.labels = {}
        await self.tell(encode_commands([Report(id=self.counter + 1, labels=[])]))
        async with asyncio.timeout(PATIENCE_S):
            while len(self.labels) < wanted:
                await self.hear()
        return dict(self.labels)

    async def tell(self, body: bytes) -> bytes:
        """Say something signed; return the payload."""
        self.counter += 1
        expires_ms = round(MachineClock().wall().timestamp() * 1000) + HOUR_MS
        header = Header(
            VERSION, self.key.key_id, self.gateway, self.session, self.counter, expires_ms
        )
        payload = seal(self.key, header, body)
        await self.rogue.publish(down_topic(self.gateway), payload)
        return payload

    async def hear(self) -> None:
        """Take the next message in."""
        message = await self.rogue.messages.get()
        for event in decode_events(message.payload).messages:
            self.session = event.session
            if isinstance(event, Seen):
                slots = tuple(tuple(slot) for slot in event.slots)
                self.labels[event.label] = (
                    event.shown_rev,
                    event.shown_digest.hex(),
                    slots,
                    event.incarnation,
                )


async def attack(
    address: BrokerAddress,
    gateway: str,
    key: SigningKey,
    *,
    labels: int,
    frame_bytes: int,
    payloads: int,
) -> dict[str, Any]:
    """Attack a gateway that is on the broker already; ``address`` has the controller's login.

    Returns what its labels showed before, after, and after the control.
    """
    random = Random(2)
    async with connect(address, "somebody else's machine", [ALL_UPS]) as rogue:
        async with asyncio.timeout(PATIENCE_S):
            await rogue.connected.wait()
            watched = _Watched(gateway, key, rogue)
            while not watched.session or len(watched.labels) < labels:
                await watched.hear()  # heartbeats and beacons name the session
        names = sorted(watched.labels)
        now_ms = round(MachineClock().wall().timestamp() * 1000)
        first = await watched.tell(encode_commands([_put(10, names[0], frame_bytes, now_ms)]))
        await _shown(watched, names[0], 10)
        commands = every_command(now_ms) | {"put": _put(100, names[0], frame_bytes, now_ms)}
        of: dict[str, Any] = {"gateway": gateway, "session": watched.session}
        expires: dict[str, Any] = {"expires_ms": now_ms + 10 * HOUR_MS}
        others = {"gateway": "gw-other", "session": "another-1"} | expires
        bases = sign_all(key, commands, **of, **expires)
        material = Material(
            gateway=gateway,
            session=watched.session,
            now_ms=now_ms,
            bases=bases,
            bodies={name: encode_commands([command]) for name, command in commands.items()},
            obeyed=(first,),
            earlier=tuple(
                sign_all(key, commands, **of | {"session": "over-1"}, **expires).values()
            ),
            foreign=tuple(sign_all(key, commands, **others).values()),
            expired=tuple(sign_all(key, commands, **of, expires_ms=now_ms - 1).values()),
        )
        before = await watched.ask(labels)
        source = forge(material, key, random)
        for start in range(0, payloads, AT_ONCE):
            some = list(islice(source, min(AT_ONCE, payloads - start)))
            await asyncio.gather(*(rogue.send(down_topic(gateway), one.payload) for one in some))
        after = await watched.ask(labels)
        await rogue.publish(down_topic(gateway), bases["put"])
        await _shown(watched, names[0], 100)
        control = dict(watched.labels)
    return {"before": before, "after": after, "control": control, "payloads": payloads}


async def _shown(watched: _Watched, label: str, rev: int) -> None:
    """Wait until the label says by itself, in a beacon, that it shows a revision."""
    async with asyncio.timeout(PATIENCE_S):
        while watched.labels.get(label, (0,))[0] != rev:
            await watched.hear()


def _put(rev: int, label: str, frame_bytes: int, now_ms: int) -> Put:
    frame = Random(rev).randbytes(frame_bytes)
    return Put(
        id=rev,
        label=label,
        epoch=0,
        slot=0,
        rev=rev,
        digest=hashlib.sha256(frame).digest(),
        size=frame_bytes,
        encoding=RAW,
        data=frame,
        show=True,
        deadline=now_ms + 24 * HOUR_MS,
    )
