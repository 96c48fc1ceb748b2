"""Defects of the inbox: what it believes, and what it does not hear."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

from esl.domain import report as report_rules
from gateway.mqtt import MqttMessage
from gateway.wire.codec import decode_events, encode_events
from gateway.wire.errors import WireError
from gateway.wire.messages import Accepted, AnyEvent, Heartbeat, Hello, Put, Seen, Shown
from gateway.wire.topics import Kind, parse_topic
from tests.chaos.controller import Controller
from tests.chaos.defects.defect import Patch, a_defect
from tests.chaos.defects.sending import conclude_shown
from tests.chaos.oracles import Oracles
from tests.chaos.process import Process

Filter = Callable[[Process, str, list[AnyEvent]], list[AnyEvent]]


def _events(message: MqttMessage) -> tuple[str, list[AnyEvent]]:
    gateway, kind = parse_topic(message.topic)
    if kind is not Kind.UP:
        return gateway, []
    try:
        return gateway, decode_events(message.payload).messages
    except WireError:
        return gateway, []


def _hear_only(patch: Patch, keep: Filter, *, states: bool = True) -> None:
    """Let controllers hear of each payload only what ``keep`` returns."""
    hear = Process._hear

    def filtered(process: Process, message: MqttMessage) -> None:
        gateway, kind = parse_topic(message.topic)
        if kind is Kind.STATE:
            if states:
                hear(process, message)
            return
        _, events = _events(message)
        kept = keep(process, gateway, events)
        if kept:
            hear(process, MqttMessage(message.topic, encode_events(kept), retained=False))

    patch.setattr(Process, "_hear", filtered)


def _after_each_batch(patch: Patch, then: Callable[[Controller, list[AnyEvent]], None]) -> None:
    take_in = Process._take_in

    def and_then(process: Process, controller: Controller) -> None:
        heard = [event for message in process._inbox[:200] for event in _events(message)[1]]
        take_in(process, controller)
        then(controller, heard)

    patch.setattr(Process, "_take_in", and_then)


def plant_any_report_confirms(patch: Patch) -> None:
    """A report of whatever revision settles what the label wants now."""

    def settle(controller: Controller, events: list[AnyEvent]) -> None:
        conclude_shown(controller, [e.label for e in events if isinstance(e, Shown)])

    _after_each_batch(patch, settle)


def plant_accepted_is_shown(patch: Patch) -> None:
    """That a gateway has queued a command counts as its success."""
    labels: dict[int, str] = {}
    watch = Oracles._watch_picture

    def note(oracles: Oracles, put: Put, *rest: Any) -> None:
        labels[put.id] = put.label
        watch(oracles, put, *rest)

    def settle(controller: Controller, events: list[AnyEvent]) -> None:
        queued = [labels[e.id] for e in events if isinstance(e, Accepted) and e.id in labels]
        conclude_shown(controller, queued)

    patch.setattr(Oracles, "_watch_picture", note)
    _after_each_batch(patch, settle)


def plant_unissued_believed(patch: Patch) -> None:
    """A report counts whether or not the picture was ever issued."""
    patch.setattr(report_rules, "_refuse_issue", lambda *_: None)


def plant_beacons_ignored(patch: Patch) -> None:
    """What labels say of themselves is not listened to, only answers to commands are."""
    _hear_only(patch, lambda _p, _g, events: [e for e in events if not isinstance(e, Seen)])


def plant_hello_once(patch: Patch) -> None:
    """A session begins with its hello and nothing else; a hello that is lost is lost."""
    known: dict[tuple[int, str], str] = {}

    def keep(process: Process, gateway: str, events: list[AnyEvent]) -> list[AnyEvent]:
        kept: list[AnyEvent] = []
        for event in events:
            key = (process._run, gateway)
            if isinstance(event, Hello):
                known[key] = event.session
            if known.get(key) == event.session and not isinstance(event, Heartbeat):
                kept.append(event)
        return kept

    _hear_only(patch, keep, states=False)


def plant_incarnation_without_reset(patch: Patch) -> None:
    """A label that lost its memory is held to show what it showed before."""
    take_in = Process._take_in

    def and_restore(process: Process, controller: Controller) -> None:
        before = _rows(controller)
        take_in(process, controller)
        after = _rows(controller)
        lost = [
            {"label": label, "rev": before[label][1], "digest": before[label][2]}
            for label in after
            if after[label][0] > before[label][0] and before[label][1] > after[label][1]
        ]
        if lost:
            query = text(
                "UPDATE label SET shown_rev = :rev, shown_digest = :digest, due_at = NULL,"
                " settled_rev = wanted_rev WHERE label_id = :label"
            )
            controller.writer.write(lambda tx: tx.execute(query, lost))

    patch.setattr(Process, "_take_in", and_restore)


def _rows(controller: Controller) -> dict[str, tuple[int, int, str]]:
    def read(tx: Connection) -> dict[str, tuple[int, int, str]]:
        query = text("SELECT label_id, incarnation, shown_rev, shown_digest FROM label")
        return {row[0]: (row[1], row[2], row[3]) for row in tx.execute(query)}

    return controller.writer.write(read)


DEFECTS = (
    a_defect(plant_any_report_confirms, "I3", "I4"),
    a_defect(plant_accepted_is_shown, "I3", "I4"),
    a_defect(plant_unissued_believed, "I3"),
    a_defect(plant_beacons_ignored, "I4"),
    a_defect(plant_hello_once, "I4"),
    a_defect(plant_incarnation_without_reset, "I3", "I4"),
)
