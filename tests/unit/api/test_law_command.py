"""``esl law`` shows each rule with its source, and checks a profile of one's own."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli.law import app
from esl.domain.errors import SetupError, UnknownProfile
from esl.domain.law import PROFILE_NAMES
from esl.domain.law.profile_file import profile_text
from esl.domain.law.schema import schema_text


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def test_every_profile_is_listed() -> None:
    listed = run("list")
    assert listed.exit_code == 0
    rows = json.loads(run("list", "--json").stdout)
    assert [row["name"] for row in rows] == list(PROFILE_NAMES)
    assert all(row["title"] in listed.stdout for row in rows)


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_a_profile_is_shown_with_its_sources(name: str) -> None:
    shown = run("show", name)
    assert shown.exit_code == 0
    facts = json.loads(run("show", name, "--json").stdout)
    assert all(rule["because"] in shown.stdout for rule in facts["rules"])
    assert all(source["title"] in shown.stdout for source in facts["sources"])
    assert not all(rule["is_known"] for rule in facts["rules"])


def test_what_is_not_known_is_said() -> None:
    shown = run("show", "hr").stdout
    assert "progressive = never  (not known: the careful value)" in shown
    assert "seasonal sales alone" in shown


def test_a_profile_is_printed_to_begin_ones_own_with(tmp_path: Path) -> None:
    printed = run("show", "de", "--toml").stdout
    assert printed == profile_text("de")
    file = tmp_path / "at.toml"
    file.write_text(printed, encoding="utf-8")
    checked = run("check", str(file))
    assert (checked.exit_code, checked.stdout[:3]) == (0, "at:")
    assert "Germany (at), version 1" in run("show", str(file)).stdout


def test_mistakes_are_told_with_fixes(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(profile_text("de").replace("days = 30", "days = 400"), encoding="utf-8")
    checked = run("check", str(file))
    assert checked.exit_code == 1
    assert f"{file}: error: not a value of this rule at /prior_price/days" in checked.stdout
    assert "Write a whole number from 0 to 366." in checked.stdout
    assert "1 mistake(s)" in checked.stderr


def test_an_unknown_profile_is_refused_in_words(tmp_path: Path) -> None:
    assert isinstance(run("show", "xx").exception, UnknownProfile)
    assert isinstance(run("check", str(tmp_path / "no.toml")).exception, SetupError)


def test_the_schema_is_printed() -> None:
    assert run("schema").stdout == schema_text()
