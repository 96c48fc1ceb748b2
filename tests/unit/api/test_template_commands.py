"""``esl render`` and ``esl templates``: what they write and refuse, and with which status."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from api.cli.app import app
from api.cli.templates import FAMILIES
from esl.domain.errors import EslError, InvalidInput, SetupError, UnknownPanel, UnknownTemplate
from renderer.template.gallery import load_gallery
from renderer.template.schema import schema_text
from tests.panels import PANELS

PANEL = "bwry-296x128"
FACE = {"name": "Jogurt natur", "price": "1.29", "currency": "EUR", "gtin": "3850139171587"}
OWN = """\
name: mine
title: Mine
sample: {name: Kruh, price: "1.29", currency: EUR}
worst_case: {name: Kruh od raži, price: "1299.99", currency: EUR}
variants:
  - elements:
      - {type: text, value: "{name}", box: [0, 0, "100%", "40%"], size: 30, min_size: 20}
      - {type: price, box: [0, "40%", "100%", "60%"]}
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(OWN)
    Path("face.json").write_text(json.dumps(FACE))


def run(*arguments: str, sent: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=sent, env={"COLUMNS": "200"})


def render(*arguments: str, sent: str | None = None) -> Result:
    return run("render", "--template", "mine.yaml", "--panel", PANEL, *arguments, sent=sent)


def refusal(result: Result) -> EslError:
    assert isinstance(result.exception, EslError)
    return result.exception


def test_a_label_is_written_as_picture_and_as_bytes() -> None:
    result = render("--data", "face.json", "--png", "out.png", "--bin", "out.bin", "--scale", "2")
    assert result.exit_code == 0
    with Image.open("out.png") as picture:
        assert picture.size == (592, 256)
    assert len(Path("out.bin").read_bytes()) == PANELS.named(PANEL).frame_bytes
    assert result.stdout.startswith(f"mine on {PANEL}: 9472 bytes, sha256 ")
    before = Path("out.bin").read_bytes()
    render("--data", "face.json", "--bin", "out.bin", "--boxes", "--grid", "--png", "marked.png")
    assert Path("out.bin").read_bytes() == before


def test_data_and_template_may_come_from_standard_input() -> None:
    by_file = render("--data", "face.json").stdout
    assert render("--data", "-", sent=json.dumps(FACE)).stdout == by_file
    by_pipe = run("render", "--template", "-", "--panel", PANEL, "--data", "face.json", sent=OWN)
    assert by_pipe.stdout == by_file
    both = run("render", "--template", "-", "--panel", PANEL, "--data", "-", sent=OWN)
    assert both.exit_code == 2


def test_without_data_the_sample_or_the_worst_case_is_drawn() -> None:
    printed = {render().stdout, render("--worst-case").stdout}
    assert len(printed) == 2
    assert render("--worst-case", "--data", "face.json").exit_code == 2


def test_the_gallery_is_drawn_by_name() -> None:
    name = next(iter(load_gallery()))
    result = run("render", "--template", name, "--panel", PANEL)
    assert result.stdout.startswith(f"{name} on {PANEL}")


def test_what_the_checks_find_is_printed_with_its_line_and_errors_give_status_1() -> None:
    fine = render("--lint")
    assert (fine.exit_code, fine.stderr) == (0, "")
    yellow = OWN.replace("{type: price,", "{type: price, ink: yellow,")
    Path("mine.yaml").write_text(yellow)
    found = render("--lint", "--png", "out.png")
    assert found.exit_code == 1
    assert "mine.yaml:8: error:" in found.stdout
    assert "at /variants/0/elements/1" in found.stdout
    assert found.stderr == "esl: 1 error(s); see above\n"
    assert Path("out.png").exists()


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (("--panel", "bwry-1x1"), UnknownPanel, "bwry-1x1"),
        (("--template", "standart"), UnknownTemplate, "'standard'"),
        (("--template", "none.yaml"), SetupError, "cannot read none.yaml"),
        (("--data", "none.json"), SetupError, "cannot read none.json"),
        (("--png", "no/such/folder.png"), SetupError, "cannot write"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    arguments: tuple[str, ...], error: type[EslError], told: str
) -> None:
    raised = refusal(render(*arguments))
    assert isinstance(raised, error)
    assert told in str(raised)
    assert "\n" not in str(raised)


def test_a_wrong_face_and_a_wrong_template_are_refused() -> None:
    wrong = json.dumps(FACE | {"price": "1,29"})
    assert "/price" in str(refusal(render("--data", "-", sent=wrong)))
    Path("mine.yaml").write_text(OWN.replace("{name}", "{nam}"))
    raised = refusal(render())
    assert isinstance(raised, InvalidInput)
    assert "line 7" in str(raised)
    Path("mine.yaml").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in str(refusal(render()))
    Path("mine.yaml").write_text("#" * 70_000)
    assert "more than 65536 bytes" in str(refusal(render()))


def test_a_price_that_does_not_fit_is_refused() -> None:
    Path("mine.yaml").write_text(OWN.replace('"100%", "60%"', '"10%", "60%"'))
    assert "px" in str(refusal(render("--png", "out.png")))
    assert not Path("out.png").exists()


def test_pictures_come_from_a_folder() -> None:
    Path("mine.yaml").write_text(OWN + "      - {type: image, name: logo, box: [9, 9, 9, 9]}\n")
    assert "there is no picture 'logo'" in str(refusal(render()))
    Path("logos").mkdir()
    Image.new("RGB", (20, 20)).save("logos/logo.png")
    assert render("--pictures", "logos").exit_code == 0
    Path("logos/broken.png").write_bytes(b"no picture")
    assert "broken.png" in str(refusal(render("--pictures", "logos")))


def test_the_gallery_is_listed_and_shown() -> None:
    gallery = load_gallery()
    listed = run("templates", "list").stdout
    assert [t["name"] for t in json.loads(run("templates", "list", "--json").stdout)] == [*gallery]
    for name, template in gallery.items():
        assert name in listed
        assert run("templates", "show", name).stdout == template.text


def test_the_schema_is_printed() -> None:
    assert run("templates", "schema").stdout == schema_text()


def test_a_good_template_passes_the_check_on_every_family() -> None:
    checked = run("templates", "check", "mine.yaml", "--panel", PANEL, "--panel", "bw-250x122")
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert checked.stdout.endswith("on 2 panel(s)\n")
    assert set(FAMILIES) <= set(PANELS)


def test_a_bad_template_fails_the_check_with_every_problem() -> None:
    Path("mine.yaml").write_text(OWN.replace("{name}", "{nam}").replace("type: price", "type: x"))
    failed = run("templates", "check", "mine.yaml")
    assert failed.exit_code == 1
    assert "mine.yaml: error: line 8: an unknown type of element" in failed.stdout
    assert failed.stderr == "esl: 1 error(s)\n"
    Path("mine.yaml").write_text(OWN.replace('box: [0, "40%"', 'box: [0, "10%"'))
    overlapping = run("templates", "check", "mine.yaml", "--panel", PANEL)
    assert overlapping.exit_code == 1
    assert "error(s)" in overlapping.stderr


def test_pictures_of_templates_are_written_by_name_and_panel() -> None:
    arguments = ("--template", "mine.yaml", "--panel", PANEL, "--panel", "bwr-400x300")
    assert run("templates", "pictures", "out", *arguments).exit_code == 0
    assert sorted(p.name for p in Path("out").iterdir()) == [
        "mine-bwr-400x300.png",
        f"mine-{PANEL}.png",
    ]
    Path("mine.yaml").write_text(OWN.replace('"100%", "60%"', '"10%", "60%"'))
    refused = run("templates", "pictures", "out", *arguments)
    assert refused.exit_code == 1
    assert "mine on bwry-296x128: " in refused.stderr
