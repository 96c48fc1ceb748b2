from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from esl.domain.doubles import APART, FORGOTTEN_AFTER, Suspect
from tests.builders import NOON


def a_suspect() -> Suspect:
    return Suspect(incarnation=5, panel="p", rev=10, last_at=NOON)


def test_three_contradictions_with_good_words_between_are_two_labels() -> None:
    suspect = a_suspect()
    suspect.hear_good()
    assert not suspect.contradict(NOON + APART)
    suspect.hear_good()
    assert suspect.contradict(NOON + 2 * APART)


def test_a_label_that_goes_on_saying_less_is_one_label() -> None:
    suspect = a_suspect()
    assert not any(suspect.contradict(NOON + n * APART) for n in range(1, 50))


def test_contradictions_of_one_moment_are_one() -> None:
    suspect = a_suspect()
    for n in range(50):
        suspect.hear_good()
        assert not suspect.contradict(NOON + n * APART / 50)


def test_contradictions_far_apart_begin_the_count_anew() -> None:
    suspect = a_suspect()
    for n in range(1, 20):
        suspect.hear_good()
        assert not suspect.contradict(NOON + n * (FORGOTTEN_AFTER + timedelta(seconds=1)))


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


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 600)), max_size=60))
def test_two_labels_are_never_seen_without_two_good_words(
    history: list[tuple[bool, int]],
) -> None:
    suspect, now, good = a_suspect(), NOON, 0
    for is_good, seconds in history:
        now += timedelta(seconds=seconds)
        if is_good:
            good += 1
            suspect.hear_good()
        elif suspect.contradict(now):
            assert good >= 2
            return


def test_a_lower_word_alone_and_again_is_the_right_one() -> None:
    suspect = a_suspect()
    assert not suspect.is_right()
    suspect.contradict(NOON + APART / 2)
    suspect.contradict(NOON + APART)
    assert not suspect.is_right(), "two of them, half a minute apart"
    suspect.contradict(NOON + 2 * APART)
    assert suspect.is_right()


def test_one_full_word_between_makes_the_lower_one_wrong() -> None:
    suspect = a_suspect()
    for n in range(1, 40):
        if n % 2 == 0:
            suspect.hear_good()
        suspect.contradict(NOON + n * APART)
        assert not suspect.is_right()
