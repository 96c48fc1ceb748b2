"""A rotation of the signing key goes through its steps in order, and survives being cut off."""

from pathlib import Path

import pytest

from api.keys import (
    Stage,
    begin_rotation,
    end_rotation,
    ended_at,
    key_ring,
    switch_keys,
    undo_step,
)
from api.private_files import make_data_folder, signing_key, write_private
from esl.domain.errors import SetupError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    make_data_folder(folder)
    signing_key(folder)
    return folder


def test_a_rotation_goes_through_its_steps(data: Path) -> None:
    first = key_ring(data)
    assert (first.stage, len(first.believed())) == (Stage.NONE, 1)
    begun = begin_rotation(data)
    assert begun.signing.key_id == first.signing.key_id
    assert begun.other is not None
    assert set(begun.believed()) == {first.signing.key_id, begun.other.key_id}
    switched = switch_keys(data)
    assert switched.stage is Stage.SWITCHED
    assert switched.signing.key_id == begun.other.key_id == signing_key(data).key_id
    assert set(switched.believed()) == set(begun.believed())
    ended = end_rotation(data)
    assert (ended.stage, set(ended.believed())) == (Stage.NONE, {begun.other.key_id})
    assert begin_rotation(data).stage is Stage.BEGUN, "and again"


@pytest.mark.asvs("2.3.1")
def test_steps_out_of_order_are_refused(data: Path) -> None:
    for step in (switch_keys, end_rotation):
        with pytest.raises(SetupError):
            step(data)
    begin_rotation(data)
    for step in (begin_rotation, end_rotation):
        with pytest.raises(SetupError):
            step(data)
    switch_keys(data)
    for step in (begin_rotation, switch_keys):
        with pytest.raises(SetupError):
            step(data)


@pytest.mark.parametrize("done", [1, 2])
def test_a_switch_that_was_cut_off_can_be_repeated_or_is_done(data: Path, done: int) -> None:
    begun = begin_rotation(data)
    assert begun.other is not None
    write_private(data / "keys" / "previous.pem", begun.signing.to_pem().decode())
    if done > 1:
        write_private(data / "keys" / "signing.pem", begun.other.to_pem().decode())
    ring = key_ring(data)
    assert set(ring.believed()) == set(begun.believed()), "no gateway is ever shut out"
    if ring.stage is Stage.BEGUN:
        ring = switch_keys(data)
    assert (ring.stage, ring.signing.key_id) == (Stage.SWITCHED, begun.other.key_id)


def test_a_key_that_others_may_read_is_refused(data: Path) -> None:
    begin_rotation(data)
    (data / "keys" / "next.pem").chmod(0o644)
    with pytest.raises(SetupError, match="chmod 600"):
        key_ring(data)


def test_each_step_can_be_taken_back_until_the_old_key_is_forgotten(data: Path) -> None:
    first = key_ring(data).signing.key_id
    with pytest.raises(SetupError, match="nothing to take back"):
        undo_step(data)
    begin_rotation(data)
    assert undo_step(data).stage is Stage.NONE
    second = begin_rotation(data).other
    assert second is not None
    switch_keys(data)
    undone = undo_step(data)
    assert (undone.stage, undone.signing.key_id) == (Stage.BEGUN, first)
    assert set(undone.believed()) == {first, second.key_id}
    assert switch_keys(data).signing.key_id == second.key_id, "and done again"
    assert ended_at(data) is None
    end_rotation(data)
    assert ended_at(data) is not None
    with pytest.raises(SetupError, match="nothing to take back"):
        undo_step(data)
