"""Examples of the documentation that are not run as pages: they are at least what they claim."""

import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import yaml
from typer.core import TyperCommand
from typer.main import get_command

from api.cli.app import app
from esl.domain.ids import StoreId
from esl.intake import proposal_json, template_json
from esl.intake.mapping.document import parse_mapping
from esl.intake.promotion_json import parse_promotion
from esl.intake.strict_json import parse_strict_json
from esl.intake.subscription_json import parse_subscription
from esl.intake.till_json import parse_till_setting
from tests.pages import ROOT, Block, blocks_of

DOCS = ROOT / "docs"
PAGES = [
    *(DOCS / f"{name}.md" for name in ("import", "mapping", "mapping-suggest", "intake")),
    *(DOCS / f"{name}.md" for name in ("webhooks", "connectors", "compat", "connect-my-pos")),
    *(DOCS / f"{name}.md" for name in ("promotions", "till", "journal", "stock")),
    *(DOCS / f"{name}.md" for name in ("dynamic-pricing", "events")),
    DOCS / "zones.md",
    *sorted((DOCS / "pos").glob("*.md")),
]
ANSWERS = {("till", 2), ("till", 3), ("dynamic-pricing", 3)} | {
    ("events", number)
    for number in range(2, 15)  # tests of events compare them
}
"""Blocks of JSON that we send: what they show is a shape, and not read by anything of ours."""

READ_BY: dict[tuple[str, int], Callable[[Any], Any]] = {
    ("promotions", 1): parse_promotion,
    ("till", 1): partial(parse_till_setting, store_id=StoreId("main")),
    ("stock", 1): template_json.parse_rules,
    ("events", 1): partial(parse_subscription, subscription_id="erp"),
    ("dynamic-pricing", 1): partial(proposal_json.parse_rules, currency="EUR"),
    ("dynamic-pricing", 2): partial(proposal_json.parse_proposals, currency="EUR"),
}
"""Which block of JSON of these pages, counted from 1, is read by what."""
EVERYWHERE = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.stem} {number}: {block.kind}")
    for page in PAGES
    for number, block in enumerate(blocks_of(page), start=1)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_is_what_it_claims_to_be(block: Block) -> None:
    match block.kind:
        case "json":
            assert json.loads(block.text)
        case "yaml" if "fields:" in block.text and "null     # unsure" not in block.text:
            assert parse_mapping(block.text).fields
        case "yaml":
            assert yaml.safe_load(block.text)
        case "toml":
            assert tomllib.loads(block.text)
        case "python":
            compile(block.text, "example", "exec")
        case "sh":
            subprocess.run(["sh", "-n", "-c", block.text], check=True)
        case other:
            assert other in {"", "console", "text", "csv", "nginx", "xml"}


def bodies_of(name: str) -> list[Any]:
    """List what the blocks of JSON on a page say, and those that begin with the call's address."""
    found = []
    for block in blocks_of(DOCS / f"{name}.md"):
        call, _, body = block.text.partition("\n")
        if block.kind == "json":
            found.append(json.loads(block.text))
        elif re.fullmatch("(POST|PUT|PATCH) /api/[^ ]+", call):
            found.append(json.loads(body))
    return found


@pytest.mark.parametrize(
    "page", ["promotions", "till", "journal", "stock", "dynamic-pricing", "events"]
)
def test_a_body_on_a_page_is_one_that_its_door_takes(page: str) -> None:
    bodies = bodies_of(page)
    named = {number for name, number in READ_BY.keys() | ANSWERS if name == page}
    assert named == set(range(1, len(bodies) + 1)), "a block that nobody reads"
    for number, body in enumerate(bodies, start=1):
        if (page, number) not in ANSWERS:
            READ_BY[page, number](parse_strict_json(json.dumps(body).encode()))


def commands() -> list[tuple[str, str]]:
    """List the commands of ``esl`` on all pages: in blocks and in running text."""
    found = []
    for page in EVERYWHERE:
        lines = [
            line
            for block in blocks_of(page)
            if block.kind in {"sh", "console"}
            for line in block.text.replace("\\\n", " ").splitlines()
        ]
        lines += re.findall(r"`(esl [a-z][^`]*)`", page.read_text("utf-8"))
        for line in lines:
            plain = line.removeprefix("$ ").strip()
            if plain.startswith("esl ") and not set("…|[") & set(plain):
                found.append((page.name, plain.split(" > ")[0]))
    return sorted(set(found))


def test_every_command_on_every_page_exists_with_its_options() -> None:
    root = get_command(app)
    wrong = [f"{page}: {line}: {why}" for page, line in commands() if (why := misread(root, line))]
    assert wrong == []
    assert len(commands()) > 40


def misread(root: Any, line: str) -> str:
    """Say what of a command line its command would not take."""
    words = shlex.split(line, comments=True)[1:]
    command = root
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    if hasattr(command, "commands"):
        return f"no command {words[0]}" if words and not words[0].startswith("-") else ""
    assert isinstance(command, TyperCommand)
    known = {
        name: option for option in command.params for name in (*option.opts, *option.secondary_opts)
    }
    arguments = [option for option in command.params if option.param_type_name == "argument"]
    while words:
        word = words.pop(0)
        name, _, value = word.partition("=")
        if not word.startswith("--"):
            if not arguments and not word.startswith("-"):
                return f"an argument too many: {word}"
            if arguments and arguments[0].nargs != -1:
                arguments.pop(0)
        elif name == "--help":
            continue
        elif name not in known:
            return f"no option {name}"
        elif not known[name].is_flag and not value:  # type: ignore[attr-defined]
            if not words:
                return ""  # the option alone is spoken of
            words.pop(0)
    return ""
