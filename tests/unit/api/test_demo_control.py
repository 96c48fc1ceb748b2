from pathlib import Path

import pytest

from api.demo.control import _refuse_foreign
from esl.domain.errors import SetupError


def test_a_control_file_never_takes_the_place_of_another(tmp_path: Path) -> None:
    enrolment = tmp_path / "aisle-1.json"
    for text in ('{"gateway": "aisle-1", "password": "x"}', "no JSON", "[]", '{"url": "a"}'):
        enrolment.write_text(text)
        with pytest.raises(SetupError, match="no control file"):
            _refuse_foreign(enrolment)
        assert enrolment.read_text() == text


def test_a_file_left_behind_is_used_again(tmp_path: Path) -> None:
    left = tmp_path / "control.json"
    _refuse_foreign(left)
    left.write_text('{"url": "http://127.0.0.1:1", "token": "t"}')
    _refuse_foreign(left)
