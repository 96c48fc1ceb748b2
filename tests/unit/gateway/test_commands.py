from hypothesis import given
from hypothesis import strategies as st

from gateway.commands import LABELS_MOST, CommandsOut
from tests.builders import label_id


def test_a_command_is_known_by_its_id_however_often_one_asks() -> None:
    out = CommandsOut()
    out.note_sent({7: [(label_id(1), 5), (label_id(2), 6)]})
    assert list(out.told(7)) == list(out.told(7)) == [(label_id(1), 5), (label_id(2), 6)]
    assert list(out.told(8)) == []
    out.clear()
    assert list(out.told(7)) == []


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 3000)), max_size=30))
def test_it_remembers_the_latest_and_no_more_labels_than_one_command_may_name(
    history: list[tuple[int, int]],
) -> None:
    out = CommandsOut()
    for command_id, labels in history:
        told = [(label_id(n), n) for n in range(labels)]
        out.note_sent({command_id: told})
        assert list(out.told(command_id)) == told, "the latest is always known"
        held = sum(len(out.told(n)) for n in range(51))
        assert held <= max(LABELS_MOST, labels)


def test_a_command_whose_only_label_shows_it_takes_no_more_room() -> None:
    out = CommandsOut()
    out.note_sent({7: [(label_id(1), 5)], 8: [(label_id(2), 6), (label_id(3), 6)]})
    for command_id in (7, 7, 8, 9):
        out.note_shown(command_id)
    assert list(out.told(7)) == []
    assert len(out.told(8)) == 2, "the others of a group may still fail without naming a label"
    assert len(out) == 1
