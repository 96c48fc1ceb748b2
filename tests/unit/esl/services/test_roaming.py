"""What is remembered of beacons: bounded, each once, and written seldom."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event

from esl.domain.ids import Digest, GatewayId, LabelId
from esl.domain.report import SeenReport, Sender
from esl.services import roaming
from esl.services.roaming import Hearing, heard_by
from tests.builders import GATEWAY, NOON, PANEL, STORE, build_shelf, label_id
from tests.unit.esl.domain.label_states import a_label

OTHER = GatewayId("gw-2")
SENDER = Sender(gateway_id=GATEWAY, session="boot-1", store_id=STORE, seq=1)
ONLINE = frozenset({GATEWAY, OTHER})


def seen(label: str = label_id(0), **changes: Any) -> SeenReport:
    fields: dict[str, Any] = {
        "label_id": LabelId(label),
        "panel_id": PANEL,
        "shown_rev": 4,
        "shown_digest": Digest("four"),
        "incarnation": 1,
        "rssi_dbm": -60,
    }
    return SeenReport(**(fields | changes))


def by(gateway_id: GatewayId, seq: int) -> Sender:
    return replace(SENDER, gateway_id=gateway_id, seq=seq)


def test_a_beacon_is_heard_once() -> None:
    hearing = Hearing()
    assert hearing.hear(by(GATEWAY, 5), seen(), NOON)
    assert not hearing.hear(by(GATEWAY, 5), seen(), NOON)
    assert not hearing.hear(by(GATEWAY, 4), seen(), NOON)
    assert hearing.hear(by(OTHER, 1), seen(), NOON)


def test_it_remembers_no_more_labels_gateways_and_suspects_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(roaming, "LABELS_MOST", 10)
    monkeypatch.setattr(roaming, "SUSPECTS_MOST", 10)
    hearing = Hearing()
    for n in range(50):
        for g in range(20):
            hearing.hear(by(GatewayId(f"gw-{g}"), n + 1), seen(label_id(n)), NOON)
        label = a_label(label_id=label_id(n), seen_at=NOON)
        hearing.contradicts(label, SENDER, seen(label_id(n), incarnation=0), NOON)
    assert len(hearing._tracks) == 10
    assert len(hearing._suspects) == 10
    assert all(len(track.ears) == roaming.EARS_MOST for track in hearing._tracks.values())


def test_a_label_without_a_gateway_or_with_one_that_is_away_is_taken_at_once() -> None:
    hearing = Hearing()
    hearing.hear(by(OTHER, 1), seen(), NOON)
    for label, online in (
        (a_label(gateway_id=None), ONLINE),
        (a_label(), frozenset({OTHER})),
    ):
        assert hearing.moves(label, by(OTHER, 1), seen(), NOON, online=online)


@pytest.mark.parametrize(
    ("label", "report", "sender"),
    [
        ({}, {}, by(GATEWAY, 1)),  # its own gateway
        ({"quarantine": 1}, {}, by(OTHER, 1)),
        ({"incarnation": 2}, {}, by(OTHER, 1)),
        ({"store_id": "split-1"}, {}, by(OTHER, 1)),
    ],
)
def test_others_never_move(label: dict[str, Any], report: dict[str, Any], sender: Sender) -> None:
    hearing = Hearing()
    hearing.hear(sender, seen(**report), NOON)
    away: frozenset[GatewayId] = frozenset()
    assert not hearing.moves(a_label(**label), sender, seen(**report), NOON, online=away)


def test_how_labels_are_heard_is_written_where_two_gateways_hear_them_and_seldom(
    tx: Connection,
) -> None:
    build_shelf(tx, gateways=(GATEWAY, OTHER))
    written: list[str] = []
    event.listen(tx, "before_cursor_execute", lambda *a: written.append(a[2]))
    hearing = Hearing()
    for minute in range(60):
        now = NOON + timedelta(minutes=minute)
        hearing.hear(by(GATEWAY, minute + 1), seen(), now)
        if minute >= 30:
            hearing.hear(by(OTHER, minute + 1), seen(rssi_dbm=-70), now)
        hearing.hear(by(OTHER, minute + 1), seen("stranger"), now)
        hearing.write(tx)
    assert 4 <= len(written) <= 8, "nothing while one gateway hears it, then each ten minutes"
    assert {g: row.rssi_dbm for g, row in heard_by(tx, label_id(0)).items()} == {
        GATEWAY: -60,
        OTHER: -70,
    }
    assert not heard_by(tx, LabelId("stranger"))
