"""``docs/templates.md`` tells the truth: its tables, templates, faces, commands and messages."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.app import app
from esl.intake.face_json import parse_face
from esl.intake.render_json import parse_render_request
from renderer.lint.finding import Severity
from renderer.lint.lint import lint_template
from renderer.pictures.icons import Icons
from renderer.render import Renderer
from renderer.template.conditions import compile_condition
from renderer.template.reference import reference_tables
from renderer.template.template import parse_template
from tests.panels import PANELS

PAGE = Path(__file__).resolve().parents[4] / "docs/templates.md"
TEXT = PAGE.read_text("utf-8")
PANEL = PANELS.named("bwry-296x128")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def with_tables(text: str) -> str:
    """Fill the page's tables in anew."""
    for name, table in reference_tables().items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = place.subn(
            lambda match, table=table: f"{match[1]}\n{table}\n\n{match[2]}", text
        )
        assert count == 1, name
    icons = ", ".join(f"`{name}`" for name in Icons.names())
    return re.sub(r"^Icons: .*$", f"Icons: {icons}", text, flags=re.MULTILINE)


def test_the_tables_are_those_of_the_code() -> None:
    wanted = with_tables(TEXT)
    assert wanted == TEXT, "run: python -m tests.unit.renderer.template.test_templates_page"


@pytest.mark.parametrize("text", blocks("yaml"))
def test_every_template_of_the_page_has_no_errors(text: str) -> None:
    template = parse_template(text)
    findings = lint_template(Renderer(), template, [PANEL, PANELS.named("bwry-400x300")])
    assert [f for f in findings if f.severity is Severity.ERROR] == []


def test_the_first_template_has_ten_lines() -> None:
    assert blocks("yaml")[0].count("\n") <= 10


@pytest.mark.parametrize("text", blocks("json"))
def test_every_face_of_the_page_is_read(text: str) -> None:
    sent = json.loads(text)
    face = parse_render_request(sent).face if "panel" in sent else parse_face(sent)
    assert face is not None
    assert face.price_minor


def test_every_command_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("first.yaml").write_text(blocks("yaml")[0], "utf-8")
    Path("FACE.json").write_text(blocks("json")[0], "utf-8")
    commands = [line for block in blocks("console") for line in block.splitlines()]
    assert len(commands) == 3
    for command in commands:
        dollar, esl, *arguments = shlex.split(command)
        assert (dollar, esl) == ("$", "esl")
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
    assert Path("first.png").exists()
    assert Path("out.png").exists()


def test_the_message_of_the_page_is_the_one_that_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("first.yaml").write_text(blocks("yaml")[0].replace("{name}", "{nam}"), "utf-8")
    assert CliRunner().invoke(app, ["templates", "check", "first.yaml"]).stdout == blocks("text")[0]


def test_every_condition_of_the_page_can_be_asked() -> None:
    table = TEXT.partition("| condition | holds where |")[2].partition("\n\n")[0]
    conditions = re.findall(r"^\| (?:`` (.*?) ``|`(.*?)`) \|", table, re.MULTILINE)
    assert len(conditions) == 8
    for in_two, in_one in conditions:
        compile_condition(in_two or in_one)


if __name__ == "__main__":
    PAGE.write_text(with_tables(TEXT), "utf-8")
