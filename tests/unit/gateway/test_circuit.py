import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.ids import LabelId
from gateway.circuit import PROBE_FIRST_S, PROBE_LONGEST_S, STRIKES, Circuit
from tests.builders import label_id


def ids(*numbers: int) -> list[LabelId]:
    return [label_id(n) for n in numbers]


@pytest.fixture
def circuit() -> Circuit:
    return Circuit(Random(1))


def fail(circuit: Circuit, *numbers: int, now_s: float = 0) -> None:
    """Send a payload that nobody answers."""
    circuit.note_sent(ids(*numbers), now_s)
    circuit.note_timed_out(ids(*numbers), now_s)


def test_three_payloads_without_an_answer_open_it(circuit: Circuit) -> None:
    fail(circuit, 1, 2)
    fail(circuit, 3)
    assert circuit.allows(0) is None
    fail(circuit, 4)
    assert circuit.is_open
    assert circuit.allows(0) == 1, "a probe, at once"


def test_a_payload_is_unanswered_only_when_the_last_of_its_labels_is(circuit: Circuit) -> None:
    for n in range(0, 30, 3):
        circuit.note_sent(ids(n, n + 1, n + 2), 0)
        circuit.note_timed_out(ids(n, n + 1), 0)
    assert not circuit.is_open


def test_payloads_that_cannot_be_published_open_it(circuit: Circuit) -> None:
    for n in range(STRIKES):
        circuit.note_sent(ids(n), 0)
        circuit.note_unsent(ids(n), 0)
    assert circuit.is_open


def test_any_answer_closes_it_and_forgets_what_failed_before(circuit: Circuit) -> None:
    fail(circuit, 1)
    fail(circuit, 2)
    circuit.note_answer()
    fail(circuit, 3)
    fail(circuit, 4)
    assert not circuit.is_open
    fail(circuit, 5)
    assert circuit.is_open
    circuit.note_answer()
    assert circuit.allows(0) is None


def test_a_gateway_that_answers_for_others_is_reached(circuit: Circuit) -> None:
    for n in range(10):
        circuit.note_sent(ids(n), 0)
        circuit.note_answer()  # for another label
        circuit.note_timed_out(ids(n), 60)
    assert not circuit.is_open


def test_labels_that_timed_out_before_say_nothing_about_their_gateway(circuit: Circuit) -> None:
    fail(circuit, 1)
    for _ in range(20):
        fail(circuit, 1)
    assert not circuit.is_open
    circuit.note_label_answered(label_id(1))
    fail(circuit, 1)
    fail(circuit, 2)
    assert circuit.is_open


def test_probes_come_with_growing_pauses_and_go_on_for_ever(circuit: Circuit) -> None:
    for n in range(STRIKES):
        fail(circuit, n)
    sent_at: list[float] = []
    now_s = 0.0
    while len(sent_at) < 12:
        if circuit.allows(now_s) == 1:
            fail(circuit, 100 + len(sent_at), now_s=now_s)
            sent_at.append(now_s)
            assert circuit.allows(now_s) == 0
        now_s += 0.25
    pauses = [b - a for a, b in itertools.pairwise(sent_at)]
    assert PROBE_FIRST_S / 2 <= pauses[0] <= PROBE_FIRST_S + 0.25
    assert all(PROBE_LONGEST_S / 2 <= p <= PROBE_LONGEST_S + 0.25 for p in pauses[4:])


def test_a_session_that_stands_alone_closes_it(circuit: Circuit) -> None:
    for n in range(STRIKES):
        fail(circuit, n)
    assert not circuit.begin_session(100)
    assert circuit.allows(100) is None


def test_sessions_like_blows_open_it_and_the_last_of_them_gets_a_probe(circuit: Circuit) -> None:
    flapped = [circuit.begin_session(5.0 * n) for n in range(20)]
    assert flapped == [False, False, *[True] * 18]
    assert circuit.allows(100) == 1
    circuit.note_sent(ids(1), 100)
    assert circuit.allows(100) == 0
    circuit.note_answer()
    assert circuit.allows(100) is None
    assert not circuit.begin_session(1000)


def test_flapping_does_not_make_probes_come_sooner(circuit: Circuit) -> None:
    sent = 0
    for n in range(720):  # every 5 s for an hour
        circuit.begin_session(5.0 * n)
        if circuit.allows(5.0 * n) == 1:
            circuit.note_sent(ids(sent), 5.0 * n)
            sent += 1
    assert sent < 3600 / (PROBE_LONGEST_S / 2) + 10


def test_what_was_sent_in_an_earlier_session_is_no_strike(circuit: Circuit) -> None:
    circuit.begin_session(0)
    for n in range(10):
        circuit.note_sent(ids(n), 1)
    circuit.begin_session(100)
    circuit.note_timed_out(ids(*range(10)), 120)
    assert not circuit.is_open


steps = st.lists(
    st.tuples(
        st.sampled_from(["send", "answer", "label", "timeout", "unsent", "session", "wait"]),
        st.integers(0, 12),
    ),
    max_size=150,
)


@given(steps)
def test_whatever_happened_a_probe_is_never_far_and_an_answer_closes_it(
    history: list[tuple[str, int]],
) -> None:
    circuit = Circuit(Random(2))
    now_s = 0.0
    for kind, n in history:
        match kind:
            case "send" if circuit.allows(now_s) != 0:
                circuit.note_sent(ids(n, n + 1), now_s)
            case "answer":
                circuit.note_answer()
            case "label":
                circuit.note_label_answered(label_id(n))
            case "timeout":
                circuit.note_timed_out(ids(n), now_s)
            case "unsent":
                circuit.note_unsent(ids(n), now_s)
            case "session":
                circuit.begin_session(now_s)
            case _:
                now_s += n
        assert circuit.allows(now_s) in (None, 0, 1)
        assert circuit.allows(now_s + PROBE_LONGEST_S) != 0
        assert len(circuit._payloads) <= len(circuit._payload_of), "none is kept without a label"
    circuit.note_answer()
    assert circuit.allows(now_s) is None
