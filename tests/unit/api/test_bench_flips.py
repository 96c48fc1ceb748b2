"""The figures of ``esl bench flip``: what labels noted, and what the radio alone would take."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.bench.flips import FlipSize, _edge_figures, _first
from api.bench.radio_alone import Journal, WatchedLabel, paint_alone
from gateway.wire.messages import Put
from simulator.label import Painting
from simulator.options import INSTANT, RadioOptions
from simulator.picture import Picture
from tests.panels import PANELS

PANEL = PANELS.named("bwry-296x128")
AT = datetime(2026, 3, 1, 7, tzinfo=UTC)
AT_MS = round(AT.timestamp() * 1000)


def a_put(label: str, number: int) -> Put:
    pixels = bytes([number]) * PANEL.frame_bytes
    return Put(
        id=number,
        label=label,
        epoch=1,
        slot=0,
        rev=number,
        digest=Picture.whole(pixels).digest,
        size=PANEL.frame_bytes,
        encoding="raw",
        data=pixels,
        show=True,
        deadline=1,
    )


@pytest.fixture
def journal() -> Journal:
    WatchedLabel.journal.forget()
    return WatchedLabel.journal


def test_a_label_notes_when_it_paints(journal: Journal) -> None:
    label = WatchedLabel("gw-0-0001", PANEL)
    painting = label.receive(a_put("gw-0-0001", 1))
    assert isinstance(painting, Painting)
    assert [name for name, _ in journal.began] == ["gw-0-0001"]
    assert journal.ended == []
    assert label.finish_paint(painting)
    assert [name for name, _ in journal.ended] == ["gw-0-0001"]
    assert journal.sent == [("gw-0-0001", PANEL.frame_bytes)]


def test_the_radio_alone_takes_its_airtime_and_one_painting(journal: Journal) -> None:
    for number in range(1, 4):
        name = f"gw-0-{number:04}"
        WatchedLabel(name, PANEL).receive(a_put(name, number))
    options = replace(INSTANT, paint_s=20.0, jitter=0.0, radio=RadioOptions(connect_s=5.0))
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    assert paint_alone(journal, options, now_ms)["ended_s"] == {"gw-0": pytest.approx(35.0)}


def test_labels_that_begin_late_or_never_lower_the_share() -> None:
    names = {f"gw-0-{number:04}" for number in range(1, 5)}
    began = [("gw-0-0001", AT_MS - 900), ("gw-0-0002", AT_MS + 1900), ("gw-0-0003", AT_MS + 2500)]
    ended = [(name, ms + 22_000) for name, ms in began] + [("other", AT_MS)]
    found = _edge_figures(_first(began, names, AT), _first(ended, names, AT), alive=4)
    assert found["begins_within_2_s_share"] == 0.5
    assert found["begins_until_s"] == 2.5
    assert found["ended_within_45_s_share"] == 0.75
    assert found["ended_p999_s"] is None, "one of four has not ended"


def test_a_flip_is_scheduled_as_long_ahead_as_air_check_ins_and_rest_need() -> None:
    assert FlipSize(labels=10_000, gateways=100).ahead_s == pytest.approx(340.0)
    small = FlipSize(labels=10, gateways=1, check_in_s=1)
    assert small.ahead_s > 180, "a panel rests between two refreshes"
