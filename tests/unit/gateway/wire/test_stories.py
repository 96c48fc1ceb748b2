"""The published story of a label is what the simulated gateway does, answer by answer."""

import json
from random import Random
from typing import Any

import msgspec
import pytest

from esl.domain.ids import PanelId
from esl.domain.panel import Panel
from gateway.wire.codec import decode_commands
from gateway.wire.messages import AnyEvent, Failed, Header, Seen, Shown
from gateway.wire.signing import PublicKeys, seal
from simulator.gateway import GatewayOptions, SimGateway
from simulator.label import SimLabel
from simulator.moment import Moment
from tests.unit.gateway.wire import golden_files
from tests.unit.gateway.wire.wire_vectors import KEY

STORY = json.loads(golden_files.path_of("story-basic").read_text())
PANEL = Panel(
    panel_id=PanelId("tiny"), name="tiny", width_px=8, height_px=4, dpi=100, refresh_s=10, slots=2
)


def told(event: AnyEvent) -> dict[str, Any] | None:
    """An event as a story writes it; None where stories are silent about it."""
    match event:
        case Shown():
            fields = ("id", "label", "rev", "digest")
        case Failed(label=None):
            fields = ("id", "code")
        case Failed():
            fields = ("id", "code", "label", "rev")
        case _:
            return None
    return {"type": event.name} | {
        name: golden_files.readable(getattr(event, name)) for name in fields
    }


class Stage:
    """A simulated gateway with the story's one label; time passes in `until`."""

    def __init__(self) -> None:
        self.gateway = SimGateway(
            "gw-1",
            [SimLabel(STORY["label"], PANEL)],
            PublicKeys.of(KEY),
            random=Random(1),
            options=GatewayOptions(
                paint_s=STORY["paint_ms"] / 1000, jitter=0, beacon_s=3600, heartbeat_s=3600
            ),
        )
        self.now = Moment(STORY["noon"] - 1, 0.0)
        self.counter = 0
        self.gateway.begin_session()
        self.gateway.connected(self.now)

    def until(self, at_ms: int) -> list[AnyEvent]:
        events = []
        end_s = (at_ms - STORY["noon"] + 1) / 1000
        while (wake_s := self.gateway.next_wake_s()) < end_s:
            wake_s = max(wake_s, self.now.monotonic_s)
            self.now = Moment(STORY["noon"] - 1 + round(wake_s * 1000), wake_s)
            events += self.gateway.tick(self.now)
        self.now = Moment(at_ms, end_s)
        return events

    def deliver(self, body: bytes) -> list[AnyEvent]:
        self.counter += 1
        header = Header(1, KEY.key_id, "gw-1", self.gateway.session, self.counter, 2**53 - 1)
        return self.gateway.receive_down(seal(KEY, header, body), self.now)


def test_the_simulated_gateway_lives_the_published_story() -> None:
    stage = Stage()
    steps = [step for step in STORY["steps"] if "only" not in step]  # it can do more than basic

    for step, following in zip(steps, [*steps[1:], None], strict=True):
        stage.until(step["at"])
        answers = stage.deliver(bytes.fromhex(step["body_hex"]))
        answers += stage.until(following["at"] - 1 if following else step["at"] + 20_000)
        said = [words for event in answers if (words := told(event)) is not None]
        assert said == step["answers"], step["about"]

    seen = [e for e in stage.deliver(bytes.fromhex(STORY["report_hex"])) if isinstance(e, Seen)]
    assert {name: golden_files.readable(getattr(seen[0], name)) for name in STORY["seen"]} == (
        STORY["seen"]
    )


@pytest.mark.parametrize("step", STORY["steps"], ids=lambda step: step["about"][:40])
def test_every_command_of_the_story_is_read_or_refused_as_told(step: dict[str, Any]) -> None:
    decoded = decode_commands(bytes.fromhex(step["body_hex"]))
    refused = [
        {"type": "failed", "id": rejected.id or 0, "code": rejected.code.value}
        for rejected in decoded.rejected
    ]
    assert [answer for answer in refused if answer not in step["answers"]] == []
    assert all(msgspec.msgpack.encode(message) for message in decoded.messages)
