"""Examples of the documentation that are not run as pages: they are at least what they claim."""

import json
import re
import shlex
import subprocess
from typing import Any

import pytest
import yaml
from typer.core import TyperCommand
from typer.main import get_command

from api.cli.app import app
from esl.intake.mapping.document import parse_mapping
from tests.pages import ROOT, Block, blocks_of

DOCS = ROOT / "docs"
PAGES = [
    *(DOCS / f"{name}.md" for name in ("import", "mapping", "mapping-suggest", "intake")),
    *(DOCS / f"{name}.md" for name in ("webhooks", "connectors", "compat", "connect-my-pos")),
    *sorted((DOCS / "pos").glob("*.md")),
]
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
        case "python":
            compile(block.text, "example", "exec")
        case "sh":
            subprocess.run(["sh", "-n", "-c", block.text], check=True)
        case other:
            assert other in {"", "console", "text", "csv", "nginx", "xml"}


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
