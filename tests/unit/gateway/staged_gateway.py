"""A gateway of level staged, for tests: it fills slots, keeps timed shows, and shows them."""

from dataclasses import dataclass, field

import msgspec

from gateway.mqtt import MqttMessage
from gateway.wire.messages import Cancel, Command, Put, Seen, Show, ShowEntry, Stored
from tests.builders import GATEWAY, Controller, FakeGateway, SimulatedClock


@dataclass(slots=True)
class StagedGateway(FakeGateway):
    """``slots`` is what labels hold: (rev, digest) by label and slot; ``armed`` is by label."""

    slots: dict[tuple[str, int], tuple[int, bytes]] = field(default_factory=dict)
    armed: dict[str, tuple[int, ShowEntry]] = field(default_factory=dict)  # at (ms), what
    loses_cancels: bool = False

    def take(self, shop: Controller, command: Command) -> None:
        """Obey one command, and report as a good gateway does."""
        match command:
            case Put(show=True):
                if command.rev > self.showing.get(command.label, (0, b""))[0]:
                    shop.hear(self.paint(command))
            case Put():
                self.slots[command.label, command.slot] = (command.rev, command.digest)
                shop.hear(self.stored(command))
            case Show(at=int() as at):
                for entry in command.entries:
                    self.armed[entry.label] = (at, entry)
            case Cancel():
                for entry in command.entries:
                    held = self.armed.get(entry.label)
                    if held is not None and held[1].rev == entry.rev and not self.loses_cancels:
                        del self.armed[entry.label]

    def stored(self, put: Put) -> MqttMessage:
        event = Stored(
            session=self.session,
            seq=self.next_seq(),
            id=put.id,
            label=put.label,
            rev=put.rev,
            slot=put.slot,
            digest=put.digest,
        )
        return self.up(event)

    def show_what_is_due(self, shop: Controller) -> list[str]:
        """Show timed pictures whose moment has come; return the labels that did."""
        did: list[str] = []
        for label, (at, entry) in sorted(self.armed.items()):
            if at > self.now_ms:
                continue
            del self.armed[label]
            holds = self.slots.get((label, entry.slot), (0, b""))[1] == entry.digest
            if not holds or entry.rev <= self.showing.get(label, (0, b""))[0]:
                continue
            did.append(label)
            put = Put(
                id=1,
                label=label,
                epoch=1,
                slot=entry.slot,
                rev=entry.rev,
                digest=entry.digest,
                size=1,
                encoding="raw",
                data=b"",
                show=True,
                deadline=1,
            )
            shop.hear(self.paint(put))
        return did

    def beacon_with_slots(self, label: str) -> MqttMessage:
        seen: Seen = self.seen_event(label)
        held = [self.slots.get((label, slot), (0, b"")) for slot in range(2)]
        return self.up(msgspec.structs.replace(seen, slots=held))

    def run(self, shop: Controller, *, rounds: int = 30) -> list[Command]:
        """Send and answer until nothing more is said; return what was."""
        said: list[Command] = []
        for _ in range(rounds):
            shop.staging.begin_flips()
            outgoing = [
                *shop.signals.step(),
                *shop.dispatcher.step().outgoing,
                *shop.staging.step().outgoing,
            ]
            commands = self.commands(outgoing)
            if not commands:
                return said
            for command in commands:
                said.append(command)
                self.take(shop, command)
        raise AssertionError("it does not come to rest")


def on_the_line(shop: Controller, clock: SimulatedClock) -> StagedGateway:
    """A gateway that has said hello and painted what its labels want."""
    found = StagedGateway(GATEWAY, clock)
    shop.hear(found.hello(level="staged"))
    found.run(shop)
    return found
