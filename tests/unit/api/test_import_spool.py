"""Files of dry runs: kept for who applies them, a day long, and of the last few."""

import os
import time
from pathlib import Path

import pytest

from api.imports.spool import TRIED_KEPT_S, TRIED_MOST, Spool
from esl.domain.errors import Conflict


def put(spool: Spool, job_id: str, data: bytes = b"sku,price\n", mapping: str = "") -> None:
    file = spool.receive(job_id)
    file.write(data)
    file.finish()
    if mapping:
        spool.keep_mapping(job_id, mapping)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "imports").iterdir())


def test_a_file_that_was_tried_is_taken_by_another_job(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    put(spool, "one", b"what was sent", "name: till")
    spool.keep_tried("one")
    assert not spool.has("one"), "nobody runs it again"
    assert spool.has_tried("one")
    assert spool.job_ids() == set(), "what tidies up leaves it"
    spool.take_tried("one", "two")
    spool.discard("one")
    assert names(tmp_path) == ["two.file", "two.mapping"]
    assert spool.mapping_of("two") == "name: till"
    with spool.open("two", lambda _: None) as file:
        assert file.read() == b"what was sent"
    with pytest.raises(Conflict, match="no longer"):
        spool.take_tried("one", "three")
    assert not spool.has("three")


def test_files_of_dry_runs_are_kept_a_day_and_the_last_few(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.forget_tried()
    now = time.time()
    for number in range(TRIED_MOST + 2):
        put(spool, f"j{number:02}", mapping="name: till")
        spool.keep_tried(f"j{number:02}")
        at_s = now - TRIED_MOST + number
        os.utime(tmp_path / "imports" / f"j{number:02}.tried", (at_s, at_s))
    put(spool, "waits")
    spool.forget_tried()
    assert not spool.has_tried("j00")
    assert not spool.has_tried("j01")
    assert [n for n in range(TRIED_MOST + 2) if spool.has_tried(f"j{n:02}")] == list(
        range(2, TRIED_MOST + 2)
    )
    old_s = now - TRIED_KEPT_S - 60
    os.utime(tmp_path / "imports" / "j05.tried", (old_s, old_s))
    spool.forget_tried()
    assert not spool.has_tried("j05")
    assert "j05.mapping" not in names(tmp_path)
    assert spool.has("waits"), "it was never tried"
