"""What the kit prints, what `docs/conformance.md` says of it, and the pictures it sends."""

import json
import re
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from api.cli.app import app
from esl.domain.panel_file import load_panels
from gateway.conform.pictures import stripes
from gateway.conform.print import as_json, as_text
from gateway.conform.verdicts import WORDS, Finding, Ledger, Report, Rule, Skill, Verdict
from gateway.wire.messages import RAW, XOR_ZLIB, ZLIB, Put
from simulator.label import Painting, SimLabel
from tests.unit.gateway.conform.rule_off import KeepsBeaconsToItself
from tests.unit.gateway.conform.sim_line import judge, make_gateway

DOCUMENT = (Path(__file__).parents[4] / "docs" / "conformance.md").read_text()
PROTOCOL = (Path(__file__).parents[4] / "docs" / "protocol.md").read_text()


def a_report(**changes: object) -> Report:
    fields: dict[str, object] = {
        "gateway": "gw-1",
        "session": "s-1",
        "firmware": "",
        "claimed": "basic",
        "label": "l-1",
        "panel": "tiny",
        "findings": tuple(Finding(rule=r, verdict=Verdict.PASS, why="seen") for r in Rule),
        "skills": (Skill(level="basic", name="paints", verdict=Verdict.PASS),),
    }
    return Report(**(fields | changes))  # type: ignore[arg-type]


# -- the document -----------------------------------------------------------------------------


async def test_the_report_shown_is_what_the_kit_prints() -> None:
    (shown,) = re.findall(r"```text report\n(.*?)```", DOCUMENT, re.DOTALL)

    report = await judge(make_gateway(KeepsBeaconsToItself), with_operator=False)

    assert as_text(report) == shown


def test_every_rule_is_explained_once_and_worded_as_in_the_protocol() -> None:
    told = re.findall(r"^\| ([GL]\d) \|", DOCUMENT, re.MULTILINE)
    assert told == [rule.value for rule in Rule] == list(WORDS)
    assert [rule for rule in Rule if f"| {rule} |" not in PROTOCOL] == []


def test_every_option_told_is_one_of_the_command() -> None:
    group = get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    options = {name for p in group.commands["conform"].params for name in p.opts}
    assert set(re.findall(r"(--[a-z]+)", DOCUMENT)) <= options


# -- verdicts ---------------------------------------------------------------------------------


def test_the_worst_that_was_seen_of_a_rule_is_its_verdict() -> None:
    ledger = Ledger()
    ledger.note(Rule.G1, Verdict.PASS, "fine")
    ledger.note(Rule.G1, Verdict.FAIL, "not fine")
    ledger.note(Rule.G2, Verdict.PASS, "fine")
    ledger.note(Rule.G2, Verdict.NEEDS_OPERATOR, "a hand")

    findings = {finding.rule: finding for finding in ledger.findings()}

    assert (findings[Rule.G1].verdict, findings[Rule.G1].why) == (Verdict.FAIL, "not fine")
    assert findings[Rule.G2].verdict is Verdict.NEEDS_OPERATOR
    assert findings[Rule.L4].verdict is Verdict.NOT_OBSERVABLE
    assert list(findings) == list(Rule)


def test_a_level_is_shown_only_with_those_below_it() -> None:
    staged = Skill(level="staged", name="slots", verdict=Verdict.PASS)
    broken = Skill(level="basic", name="zlib", verdict=Verdict.FAIL, why="no")

    assert a_report(claimed="staged", skills=(staged,)).level == ""
    assert a_report(skills=(*a_report().skills, broken, staged)).level == ""
    assert a_report(skills=(*a_report().skills, staged)).level == "staged"


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, True),
        ({"claimed": "staged"}, False),
        ({"claimed": ""}, False),
        ({"findings": (Finding(rule=Rule.G1, verdict=Verdict.FAIL, why="no"),)}, False),
        ({"findings": (Finding(rule=Rule.L1, verdict=Verdict.NEEDS_OPERATOR, why=""),)}, True),
    ],
)
def test_a_gateway_passes_with_nothing_broken_and_its_level_shown(
    changes: dict[str, object], passed: object
) -> None:
    assert a_report(**changes).passed is passed


def test_the_json_says_what_the_text_says() -> None:
    told = json.loads(json.dumps(as_json(a_report(notes=("a note",)))))

    assert told["rules"]["G1"] == {"verdict": "pass", "why": "seen"}
    assert set(told["rules"]) == {rule.value for rule in Rule}
    assert (told["passed"], told["level"], told["notes"]) == (True, "basic", ["a note"])
    assert told["skills"] == [{"level": "basic", "name": "paints", "verdict": "pass", "why": ""}]


# -- pictures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("panel", load_panels().values(), ids=lambda panel: panel.panel_id)
def test_a_label_of_any_model_takes_the_test_pictures_in_every_encoding(panel) -> None:
    label = SimLabel("l-1", panel)
    before = None
    for rev, encoding in enumerate((RAW, ZLIB, XOR_ZLIB), start=1):
        picture = stripes(panel, rev)
        put = Put(
            id=rev,
            label="l-1",
            epoch=0,
            slot=0,
            rev=rev,
            digest=picture.digest,
            size=len(picture.frame),
            encoding=encoding,
            data=picture.encoded(encoding, before),
            show=True,
            deadline=0,
            base=before.digest if before is not None and encoding == XOR_ZLIB else None,
        )
        painting = label.receive(put)
        assert isinstance(painting, Painting), painting
        assert label.finish_paint(painting)
        assert label.shown_pixels == picture.frame
        before = picture


def test_no_two_pictures_of_a_run_are_alike() -> None:
    panel = load_panels().named("bwry-296x128")
    assert len({stripes(panel, number).digest for number in range(1, 2000)}) == 1999
