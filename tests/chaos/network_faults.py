"""What goes wrong between controllers and gateways."""

from gateway.wire.codec import encode_events
from gateway.wire.messages import Failed, Seen, Shown
from gateway.wire.topics import up_topic
from tests.chaos.scene import Scene


class NetworkFaults:
    """Faults of the broker and of connections to it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.world = scene.world

    def restart_broker(self) -> None:
        """The broker goes down and comes back."""
        if not self.scene.broker.up:
            return
        keeps = self.world.random.random() < 0.5
        self.scene.broker.restart(self.world.between(1, 60), keeps_memory=keeps)
        self.world.count("broker restarts" if keeps else "broker restarts without memory")

    def cut_controller(self) -> None:
        """A controller's network is cut."""
        process = self.scene.some(self.scene.processes)
        if process.client.connected and process.client.reachable:
            half_open = self.world.random.random() < 0.4
            self.scene.broker.cut(process.client, half_open=half_open)
            self.world.count("controller half open" if half_open else "controller cut off")
            self.world.after(self.world.between(1, 120), self.scene.broker.heal, process.client)

    def cut_gateway(self) -> None:
        """A gateway's network is cut."""
        ceiling = self.scene.some(self.scene.ceilings)
        if ceiling.client.connected and ceiling.client.reachable:
            half_open = self.world.random.random() < 0.4
            longest_s = self.world.random.choice((2, 20, 200, 900))
            self.scene.broker.cut(ceiling.client, half_open=half_open)
            self.world.count("gateway half open" if half_open else "gateway cut off", ceiling.name)
            self.world.after(
                longest_s * self.world.random.random(), self.scene.broker.heal, ceiling.client
            )

    def forge_report(self) -> None:
        """Somebody without the gateway's rights says something of its labels."""
        random, ceiling = self.world.random, self.scene.some(self.scene.ceilings)
        label = self.scene.some_label()
        session = random.choice((ceiling.gateway.session, "forged-1")) or "forged-1"
        digest = random.choice((label.shown_digest, bytes(32)))
        rev = max(1, label.shown_rev + random.randint(-2, 3))
        said: Seen | Shown | Failed
        match random.randrange(2):
            case 0:
                said = Shown(
                    session="forged-1",
                    seq=1,
                    id=1,
                    label=label.label_id,
                    rev=rev,
                    digest=digest or bytes(32),
                    incarnation=label.incarnation,
                    at=1,
                )
            case _:
                said = Failed(
                    session=session, seq=1, id=7, label=label.label_id, rev=rev, code="retry"
                )
        if isinstance(said, Shown) and (said.rev, said.digest) == (
            label.shown_rev,
            label.shown_digest,
        ):
            return  # that would be no lie
        self.world.count("report forged", f"{ceiling.name} {said.name} {label.label_id} {rev}")
        self.scene.broker.inject(up_topic(ceiling.name), encode_events([said]))

    def calm(self) -> None:
        """End what lasts."""
        self.scene.broker.up = True
        for client in self.scene.broker.clients():
            self.scene.broker.heal(client)
