"""Faults strike by seed, are counted, and stop when told."""

from collections import Counter
from random import Random

from simulator.faults import FaultCounts, Faults

PAYLOADS = [bytes([n % 256]) * 8 for n in range(2_000)]


def struck(seed: int, name: str = "gw-1/up", **shares: float) -> list[tuple[bytes, ...]]:
    stream = Faults(Random(seed), **shares).stream(name)
    return [stream.strike(payload) for payload in PAYLOADS]


def test_the_same_seed_strikes_the_same_payloads() -> None:
    shares = {"lose": 0.1, "duplicate": 0.1, "corrupt": 0.1}

    assert struck(7, **shares) == struck(7, **shares)
    assert struck(7, **shares) != struck(8, **shares)


def test_streams_are_struck_independently_of_each_other() -> None:
    faults = Faults(Random(7))
    up, down = faults.stream("gw-1/up"), faults.stream("gw-1/down")
    interleaved = [(up.strike(payload), down.strike(payload)) for payload in PAYLOADS]

    assert [one for one, _ in interleaved] == struck(7, "gw-1/up")
    assert [two for _, two in interleaved] == struck(7, "gw-1/down")


def test_what_really_happened_is_counted() -> None:
    faults = Faults(Random(3), lose=0.1, duplicate=0.2, corrupt=0.05)
    stream = faults.stream("x")
    arrived = Counter(
        "altered" if len(out) == 1 and out[0] != payload else len(out)
        for payload in PAYLOADS
        for out in [stream.strike(payload)]
    )

    counts = faults.counts
    assert counts == FaultCounts(
        passed=arrived[1], lost=arrived[0], duplicated=arrived[2], corrupted=arrived["altered"]
    )
    assert 150 < counts.lost < 250
    assert 330 < counts.duplicated < 470
    assert 60 < counts.corrupted < 140


def test_stopped_faults_let_everything_pass() -> None:
    faults = Faults(Random(3), lose=1.0)
    stream = faults.stream("x")
    assert stream.strike(b"1") == ()

    faults.stop()
    assert stream.strike(b"2") == (b"2",)

    faults.start()
    assert stream.strike(b"3") == ()
    assert (faults.counts.lost, faults.counts.passed) == (2, 1)
