"""The table of docs/security-asvs.md is that of the marks on the tests."""

import re

from tests.asvs import DOCUMENT, REQUIREMENTS, tagged


def test_the_page_names_what_is_marked_and_nothing_else() -> None:
    page = DOCUMENT.read_text("utf-8")
    rows = re.findall(r"^\| (\d[\d.]+) \| ([^|]+) \| (.+) \|$", page, re.MULTILINE)
    named = {name: set(re.findall(r"`([^`]+)`", files)) for name, _, files in rows}
    assert named == tagged(), "run: python -m tests.asvs"
    assert {name: words for name, words, _ in rows} == {n: REQUIREMENTS[n] for n in named}


def test_every_mark_is_of_a_requirement_that_is_described() -> None:
    found = tagged()
    assert set(found) <= set(REQUIREMENTS)
    assert len(found) >= 30
