"""``esl panels`` lists what the controller knows, and the documentation says the same."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli.panels import app, markdown_table
from esl.domain.errors import SetupError, UnknownPanel
from esl.domain.panel_file import EXAMPLE
from tests.panels import PANELS

DOCUMENT = Path(__file__).parents[3] / "docs" / "panels.md"


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def test_every_model_is_listed() -> None:
    listed = run()
    assert listed.exit_code == 0
    for panel_id in PANELS:
        assert panel_id in listed.stdout


@pytest.mark.parametrize("inks", ["bw", "bwr", "bwy", "bwry"])
def test_models_are_chosen_by_their_inks(inks: str) -> None:
    chosen = json.loads(run("--inks", inks, "--json").stdout)
    assert [p["id"] for p in chosen] == [i for i, p in PANELS.items() if p.ink_set == inks]


def test_one_model_is_shown_with_what_is_nominal() -> None:
    shown = run("show", "bwry-296x128-swapped").stdout
    assert "black 0, white 1, yellow 3, red 2" in shown
    [line] = [line for line in shown.splitlines() if "refresh_s" in line]
    assert "nominal" in line
    [line] = [line for line in shown.splitlines() if "ink_rgb" in line]
    assert "nominal" in line
    facts = json.loads(run("show", "bwry-800x480-397", "--json").stdout)
    assert facts["measured"] is True
    assert "ink_rgb" not in facts["nominal"]
    assert {"width_mm", "height_mm", "dpi"} <= set(facts["nominal"])
    assert facts["ink_rgb"]["red"] == [85, 24, 14]
    assert facts["frame_bytes"] == 96_000


def test_an_unknown_model_is_refused_by_name() -> None:
    assert isinstance(run("show", "bwry-1x1").exception, UnknownPanel)


def test_models_of_a_file_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(run("example").stdout)
    assert "bwry-296x128-mine" in run("--panels-file", str(file)).stdout
    assert "bwry-296x128-mine" not in run().stdout
    monkeypatch.setenv("ESL_PANELS_FILE", str(file))
    assert "bwry-296x128-mine" in run().stdout
    file.write_text(EXAMPLE.replace("dpi = 112", "dpi = 0"))
    assert isinstance(run().exception, SetupError)


def test_the_document_holds_the_table_that_the_command_makes() -> None:
    table = DOCUMENT.read_text().partition("--markdown -->\n")[2].partition("\n<!-- end")[0]
    assert table == markdown_table(PANELS.values())
    assert run("--markdown").stdout == table + "\n"


def test_the_document_holds_the_example() -> None:
    assert f"```toml\n{EXAMPLE}```" in DOCUMENT.read_text()
