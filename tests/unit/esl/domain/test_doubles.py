from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from esl.domain.doubles import APART, CONTRADICTIONS, FORGOTTEN_AFTER, LONELY, Suspect
from tests.builders import NOON

BY = ("gw-1", "boot-1")


def a_suspect() -> Suspect:
    return Suspect(incarnation=5, panel="p", rev=10, last_at=NOON)


def test_contradictions_in_turn_with_good_words_are_two_labels() -> None:
    suspect = a_suspect()
    found = []
    for n in range(CONTRADICTIONS):
        found.append(suspect.contradict(BY, n, NOON + n * APART))
        suspect.hear_good()
        assert not suspect.is_right()
    assert found == [False] * (CONTRADICTIONS - 1) + [True]


def test_a_label_that_goes_on_saying_less_is_one_label_and_right() -> None:
    suspect = a_suspect()
    right = []
    for n in range(50):
        assert not suspect.contradict(BY, n, NOON + n * APART)
        right.append(suspect.is_right())
    assert right == [n + 1 >= LONELY for n in range(50)]


def test_contradictions_of_one_moment_are_one() -> None:
    suspect = a_suspect()
    for n in range(50):
        assert not suspect.contradict(BY, n, NOON + n * APART / 50)
        suspect.hear_good()


def test_contradictions_far_apart_begin_the_count_anew() -> None:
    suspect = a_suspect()
    for n in range(20):
        late = NOON + n * (FORGOTTEN_AFTER + timedelta(seconds=1))
        assert not suspect.contradict(BY, n, late)
        suspect.hear_good()


def test_messages_that_come_late_in_any_order_are_no_second_label() -> None:
    suspect = a_suspect()
    for n in range(60):
        by = ("gw-1", f"boot-{n % 7}")
        assert not suspect.contradict(by, 100 - n, NOON + n * APART)
        suspect.hear_good()


def test_a_good_word_is_of_the_same_model_and_says_no_less() -> None:
    suspect = a_suspect()
    assert suspect.is_good(5, "p", 10)
    assert suspect.is_good(5, "p", 12)
    assert suspect.is_good(6, "p", 0), "its memory may be lost at any time"
    assert not suspect.is_good(5, "p", 9)
    assert not suspect.is_good(4, "p", 99)
    assert not suspect.is_good(5, "q", 10)


def test_it_is_cleared_by_good_words_and_half_an_hour() -> None:
    suspect = a_suspect()
    late = NOON + FORGOTTEN_AFTER + timedelta(seconds=1)
    assert not suspect.is_cleared(late), "nobody has said anything good"
    suspect.hear_good()
    assert not suspect.is_cleared(NOON + FORGOTTEN_AFTER)
    assert suspect.is_cleared(late)
    suspect.contradict(BY, 1, late)
    suspect.hear_good()
    assert not suspect.is_cleared(late + APART)


def test_one_full_word_between_makes_the_lower_one_wrong() -> None:
    suspect = a_suspect()
    for n in range(40):
        suspect.contradict(BY, n, NOON + n * APART)
        assert not suspect.is_right()
        if n % 2:
            suspect.hear_good()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 600), st.integers(0, 3)), max_size=60))
def test_two_labels_are_never_seen_without_good_words_between(
    history: list[tuple[bool, int, int]],
) -> None:
    suspect, now, good = a_suspect(), NOON, 0
    for n, (is_good, seconds, session) in enumerate(history):
        now += timedelta(seconds=seconds)
        if is_good:
            good += 1
            suspect.hear_good()
        elif suspect.contradict(("gw-1", f"boot-{session}"), n, now):
            assert good >= CONTRADICTIONS - 1
            return
        assert len(suspect._streams) <= 4
