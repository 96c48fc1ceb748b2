"""``python -m tests.proof.rogue --payloads 10000 --json``: the controller's login is not its key.

Two simulated gateways with labels hang on a real mosquitto with the access rules of this project.
A rogue that has the controller's MQTT login sends payloads of every kind in `rogue_forgery` to one
of them. Nothing a person or a label could notice may change: pictures, revisions, slots, pending
times, lights, bindings, firmware, settings. Then, as the control, the very payloads that were
altered arrive as they were signed, and each of these does change.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from api.broker_access.rights import Role
from api.clock import MachineClock
from esl.domain.ids import PanelId
from esl.domain.panel import Panel
from gateway.mqtt import BrokerAddress, MqttConnection, connect
from gateway.wire.codec import encode_commands
from gateway.wire.messages import (
    RAW,
    Cancel,
    CancelEntry,
    Command,
    Config,
    Firmware,
    Forget,
    Led,
    Put,
    Report,
    Show,
    ShowEntry,
    Time,
)
from gateway.wire.signing import PublicKeys, SigningKey
from gateway.wire.topics import down_topic
from simulator.gateway import GatewayOptions, SimGateway
from simulator.label import SimLabel
from simulator.uplink import Uplink
from tests.proof.rogue_forgery import FIRST_COUNTER, Forgery, Material, forge, sign_all
from tests.secured_broker import SecuredBroker, known_as, password_of
from tests.services import HOST

CONTROLLER, GATEWAY, OTHER = "esl", "gw-1", "gw-2"
AT_ONCE = 200
PATIENCE_S = 60.0
REFUSES_WITHIN_S = 30.0
OBEYS_WITHIN_S = 60.0
HOUR_MS = 3_600_000
PANEL = Panel(
    panel_id=PanelId("tiny"), name="tiny", width_px=16, height_px=8, dpi=100, refresh_s=20
)
LABELS = ("label-1", "label-2", "label-3")

State = dict[str, Any]
"""What may not change, by what it is."""


def picture(number: int) -> bytes:
    """A frame unlike those of other numbers."""
    return Random(number).randbytes(PANEL.frame_bytes)


def put(rev: int, label: str, now_ms: int, *, slot: int = 0, show: bool = True) -> Put:
    """A put of a picture of its own."""
    frame = picture(rev)
    return Put(
        id=rev,
        label=label,
        epoch=1,
        slot=slot,
        rev=rev,
        digest=hashlib.sha256(frame).digest(),
        size=len(frame),
        encoding=RAW,
        data=frame,
        show=show,
        deadline=now_ms + 24 * HOUR_MS,
    )


def _entry(rev: int, label: str, *, of: int) -> ShowEntry:
    return ShowEntry(label, rev, 1, hashlib.sha256(picture(of)).digest())


def set_up_commands(now_ms: int) -> dict[str, Command]:
    """What gives the labels something to lose; obeyed, and so replayed later."""
    return {
        "put": put(10, "label-1", now_ms),
        "put 2": put(11, "label-2", now_ms),
        "put 3": put(12, "label-3", now_ms),
        "stage": put(13, "label-1", now_ms, slot=1, show=False),
        "show at": Show(id=14, entries=[_entry(14, "label-1", of=13)], at=now_ms + 20 * HOUR_MS),
    }


def every_command(now_ms: int) -> dict[str, Command]:
    """One of each command, and of each shape that does something else; all would be obeyed."""
    image = b"a firmware image"
    return {
        "put": put(100, "label-2", now_ms),
        "stage": put(101, "label-2", now_ms, slot=1, show=False),
        "show at": Show(id=103, entries=[_entry(103, "label-1", of=13)], at=now_ms + 30 * HOUR_MS),
        "cancel": Cancel(id=104, entries=[CancelEntry("label-1", 14)]),
        "show": Show(id=105, entries=[_entry(105, "label-1", of=13)]),
        "led": Led(
            id=106,
            labels=["label-2"],
            colour=3,
            pattern=b"\xff\xff\xff\xff\xff",
            on_ms=500,
            off_ms=500,
            repeats=100,
        ),
        "report": Report(id=107, labels=[]),
        "forget": Forget(id=108, label="label-3", epoch=1),
        "firmware": Firmware(
            id=109,
            target="tiny",
            version="evil-1",
            digest=hashlib.sha256(image).digest(),
            offset=0,
            total=len(image),
            data=image,
        ),
        "time": Time(id=110, now=now_ms),
        "config": Config(id=111, beacon_s=7777, heartbeat_s=25),
    }


def state_of(gateway: SimGateway) -> State:
    """Everything of a gateway and its labels that somebody could notice."""
    labels = gateway.labels.values()
    timed = gateway._orders.timed._pending
    return {
        "pictures": {one.label_id: hashlib.sha256(one.shown_pixels).hexdigest() for one in labels},
        "revisions": {one.label_id: (one.shown_rev, one.shown_digest.hex()) for one in labels},
        "slots": {
            one.label_id: [(slot.rev, slot.digest.hex()) for slot in one.slots] for one in labels
        },
        "pending": sorted(
            (name, one.entry.rev, one.at_ms) for name, shows in timed.items() for one in shows
        ),
        "lights": {one.label_id: one.light for one in labels},
        "bindings": {one.label_id: one.epoch for one in labels},
        "firmware": [gateway.firmware, *(one.firmware for one in labels)],
        "settings": [gateway._heartbeat_s, gateway._beacons.interval_s],
    }


@dataclass(frozen=True, slots=True)
class Stage:
    """The shop of this proof, while it runs."""

    gateway: SimGateway
    other: SimGateway
    rogue: MqttConnection
    uplink: Uplink


async def prove(*, payloads: int, seed: int = 1) -> dict[str, Any]:
    """Attack, then let the control through; return what came of both."""
    began_s = time.perf_counter()
    key = SigningKey.generate()
    random = Random(seed)
    async with _shop(key, random) as stage:
        gateway = stage.gateway
        now_ms = round(MachineClock().wall().timestamp() * 1000)
        earlier_session = gateway.session
        stage.uplink.restart()
        await _until(lambda: gateway.session != earlier_session and stage.uplink.connected.is_set())
        material = await _prepare(stage, key, earlier_session, now_ms)
        before = state_of(gateway)
        refused_before = sum(gateway.dropped.values())
        sent: Counter[str] = Counter()
        commands: Counter[str] = Counter()
        source = forge(material, key, random)
        while sum(sent.values()) < payloads:
            some = list(islice(source, min(AT_ONCE, payloads - sum(sent.values()))))
            await _send(stage, some)
            sent.update(one.kind for one in some)
            commands.update(one.command for one in some)
        after = state_of(gateway)
        refusals = dict(sorted(gateway.dropped.items()))
        refused = sum(gateway.dropped.values()) - refused_before
        for payload in material.bases.values():
            await stage.rogue.publish(down_topic(GATEWAY), payload)
        with contextlib.suppress(TimeoutError):
            await _until(lambda: not unchanged(after, state_of(gateway)), patience_s=OBEYS_WITHIN_S)
        control = state_of(gateway)
    return {
        "payloads": sum(sent.values()),
        "by_kind": dict(sent),
        "by_command": dict(commands),
        "refused": refused,
        "not_refused": sum(sent.values()) - refused,
        "refusals": refusals,
        "changed": [name for name in before if before[name] != after[name]],
        "control_changed": [name for name in after if after[name] != control[name]],
        "control_unchanged": unchanged(after, control),
        "seed": seed,
        "took_s": round(time.perf_counter() - began_s, 1),
    }


def unchanged(before: State, after: State) -> list[str]:
    """Name what is as it was."""
    return [name for name in before if before[name] == after[name]]


async def _prepare(stage: Stage, key: SigningKey, earlier_session: str, now_ms: int) -> Material:
    """Set the labels up, and gather all that the rogue will work with."""
    gateway = stage.gateway
    of = {"gateway": GATEWAY, "session": gateway.session, "expires_ms": now_ms + 10 * HOUR_MS}
    first = sign_all(key, set_up_commands(now_ms), **of, first_counter=1)
    for payload in first.values():
        await stage.rogue.publish(down_topic(GATEWAY), payload)
    await _until(lambda: gateway.pending == 1 and gateway.labels["label-3"].shown_rev == 12)
    commands = every_command(now_ms)
    return Material(
        gateway=GATEWAY,
        session=gateway.session,
        now_ms=now_ms,
        bases=sign_all(key, commands, **of),
        bodies={name: encode_commands([command]) for name, command in commands.items()},
        obeyed=tuple(first.values()),
        earlier=_values(key, commands, of | {"session": earlier_session}),
        foreign=_values(key, commands, of | {"gateway": OTHER, "session": stage.other.session}),
        expired=_values(key, commands, of | {"expires_ms": now_ms - 1}),
    )


def _values(
    key: SigningKey, commands: Mapping[str, Command], of: Mapping[str, Any]
) -> tuple[bytes, ...]:
    return tuple(sign_all(key, commands, **of, first_counter=FIRST_COUNTER + 500).values())


async def _send(stage: Stage, forgeries: list[Forgery]) -> None:
    """Send payloads, and wait until the gateway has refused each, or will not."""
    gateway = stage.gateway
    wanted = sum(gateway.dropped.values()) + len(forgeries)
    acked = [stage.rogue.send(down_topic(GATEWAY), one.payload) for one in forgeries]
    assert all(await asyncio.gather(*acked)), "the rogue has the login, and somebody listens"
    with contextlib.suppress(TimeoutError):
        await _until(lambda: sum(gateway.dropped.values()) >= wanted, patience_s=REFUSES_WITHIN_S)


async def _until(true: Callable[[], bool], *, patience_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(patience_s):
        while not true():  # noqa: ASYNC110  of another's state, who knows of no event
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def _shop(key: SigningKey, random: Random) -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="esl-rogue-") as folder:
        logins = {CONTROLLER: Role.CONTROLLER, GATEWAY: Role.GATEWAY, OTHER: Role.GATEWAY}
        broker = SecuredBroker(Path(folder), known_as(logins))
        broker.start()
        address = BrokerAddress(host=HOST, port=broker.port)
        gateways = [_gateway(name, key, random) for name in (GATEWAY, OTHER)]
        uplinks = [_uplink(one, address, random) for one in gateways]
        running = [asyncio.create_task(one.run(), name="gateway") for one in uplinks]
        login = replace(address, username=CONTROLLER, password=password_of(CONTROLLER))
        try:
            async with connect(login, "somebody else's machine") as rogue:
                async with asyncio.timeout(PATIENCE_S):
                    await rogue.connected.wait()
                    for uplink in uplinks:
                        await uplink.connected.wait()
                yield Stage(gateways[0], gateways[1], rogue, uplinks[0])
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            broker.stop()


def _gateway(name: str, key: SigningKey, random: Random) -> SimGateway:
    labels = [SimLabel(label_id=label, panel=PANEL, epoch=1) for label in LABELS]
    return SimGateway(
        name, labels, PublicKeys.of(key), random=random, options=GatewayOptions(beacon_s=600)
    )


def _uplink(gateway: SimGateway, address: BrokerAddress, random: Random) -> Uplink:
    name = gateway.gateway_id
    login = replace(address, username=name, password=password_of(name))
    return Uplink(gateway, login, clock=MachineClock(), sleep=asyncio.sleep, random=random)


def main() -> int:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.rogue", description=__doc__)
    parser.add_argument("--payloads", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    found = asyncio.run(prove(payloads=arguments.payloads, seed=arguments.seed))
    sys.stdout.write(json.dumps(found, indent=None if arguments.json else 2) + "\n")
    return 1 if found["changed"] or found["not_refused"] or found["control_unchanged"] else 0


if __name__ == "__main__":
    sys.exit(main())
