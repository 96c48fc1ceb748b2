import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.ids import LabelId
from gateway.windows import LEAST_BY_TIME_OUTS, Window
from tests.builders import label_id


def ids(*numbers: int) -> list[LabelId]:
    return [label_id(n) for n in numbers]


def fill(window: Window, first: int = 0, until_s: float = 60) -> list[LabelId]:
    sent = ids(*range(first, first + window.room()))
    window.note_sent(sent, until_s)
    return sent


def answer(window: Window, label_ids: list[LabelId]) -> None:
    for one in label_ids:
        window.note_answered(one)


def test_it_begins_as_wide_as_the_gateway_allows() -> None:
    window = Window(50)
    assert (window.size, window.room()) == (50, 50)
    fill(window)
    assert window.room() == 0


def test_a_refusal_halves_it_once_for_all_that_was_under_way() -> None:
    window = Window(64)
    sent = fill(window)
    for one in sent:  # the gateway refuses every one of them
        window.note_queue_full(one)
        window.note_answered(one)
    assert window.size == 32
    again = fill(window, 100)
    window.note_queue_full(again[0])
    assert window.size == 16


def test_refusals_narrow_it_down_to_one_and_no_further() -> None:
    window = Window(9)
    for n in range(20):
        window.note_queue_full(None)
        assert window.size >= 1
        assert window.size == max(1, 9 >> (n + 1))


def test_each_window_of_answers_widens_it_by_one() -> None:
    window = Window(64)
    window.note_queue_full(None)
    for n in range(8):
        assert window.size == 32 + n
        answer(window, fill(window, 100 * n))
    for n in range(100):
        answer(window, fill(window, 100 * n))
    assert window.size == 64, "never beyond what is allowed"


def test_many_labels_that_time_out_halve_it_but_not_below_eight() -> None:
    window = Window(64)
    sizes = []
    for n in range(6):
        sent = fill(window, 100 * n, until_s=60.0 * (n + 1))
        assert window.expire(60.0 * (n + 1)) == sent
        sizes.append(window.size)
    assert sizes == [32, 16, 8, 8, 8, 8]
    assert sizes[-1] == LEAST_BY_TIME_OUTS


def test_one_dead_label_on_a_quiet_gateway_narrows_nothing() -> None:
    window = Window(16)
    for n in range(500):
        window.note_sent(ids(7), 60.0 * (n + 1))
        assert window.expire(60.0 * (n + 1)) == ids(7)
    assert window.size == 16


def test_a_few_dead_labels_among_many_narrow_nothing() -> None:
    window = Window(20)
    for n in range(50):
        sent = fill(window, 100 * n, until_s=60.0 * (n + 1))
        answer(window, sent[4:])
        window.expire(60.0 * (n + 1))
    assert window.size == 20


def test_labels_whose_payload_never_left_count_neither_way() -> None:
    window = Window(4)
    sent = fill(window)
    window.forget(sent)
    assert (window.room(), window.size) == (4, 4)


@pytest.mark.parametrize(("before", "allowed", "size"), [(32, 64, 64), (32, 8, 8), (32, 0, 1)])
def test_what_the_gateway_announces_counts_at_once(before: int, allowed: int, size: int) -> None:
    window = Window(before)
    window.allow(allowed)
    assert window.size == size


def test_a_narrowed_window_is_not_widened_by_a_new_announcement() -> None:
    window = Window(32)
    window.note_queue_full(None)
    window.allow(64)
    assert window.size == 16


steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, 30)),
        st.tuples(st.just("answer"), st.integers(0, 30)),
        st.tuples(st.just("full"), st.integers(0, 30)),
        st.tuples(st.just("expire"), st.integers(0, 120)),
        st.tuples(st.just("allow"), st.integers(0, 40)),
        st.tuples(st.just("forget"), st.integers(0, 30)),
    ),
    max_size=120,
)


@given(steps, st.integers(1, 40))
def test_whatever_happens_it_is_never_closed_and_never_too_wide(
    history: list[tuple[str, int]], most: int
) -> None:
    window = Window(most)
    now_s = 0.0
    for kind, n in history:
        match kind:
            case "send" if window.room() > 0:
                window.note_sent(ids(n), now_s + 60)
            case "answer":
                window.note_answered(label_id(n))
            case "full":
                window.note_queue_full(label_id(n))
                window.note_answered(label_id(n))
            case "expire":
                now_s += n
                for expired in window.expire(now_s):
                    assert not window.note_answered(expired)
            case "allow":
                most = max(1, n)
                window.allow(n)
            case "forget":
                window.forget(ids(n))
        assert 1 <= window.size <= most
        assert window.room() == window.size - window.under_way
    window.expire(now_s + 61)
    assert window.room() == window.size >= 1, "time alone frees it"
