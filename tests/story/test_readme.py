"""What the README tells people to do works as it stands there, in its order."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.services import free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
LONGEST_S = 60


def commands_of(heading: str) -> list[str]:
    """The commands of a section's console block, continued lines joined."""
    section = README.split(f"## {heading}")[1].split("\n## ")[0]
    block = section.split("```console\n")[1].split("```")[0].replace("\\\n", " ")
    return [line.strip() for line in block.splitlines() if line.strip()]


class Terminal:
    """A folder to run the README's commands in; those that stay are ended at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.staying: list[subprocess.Popen[str]] = []
        tools = folder / "bin"
        tools.mkdir()
        esl = tools / "esl"
        esl.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m api.cli "$@"\n')
        esl.chmod(0o755)
        self.environment = os.environ | {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "ESL_PORT": str(self.port),
        }

    def run(self, command: str) -> str:
        """Run a command as it stands, but for the port; return what it prints."""
        done = subprocess.run(  # noqa: PLW1510  its words are worth more than an exception
            ["sh", "-c", command.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stay(self, command: str) -> None:
        """Start a command that stays, and wait for its first line."""
        process = subprocess.Popen(
            shlex.split(command),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.staying.append(process)
        assert process.stdout is not None
        assert process.stdout.readline()

    def close(self) -> None:
        """End what stays."""
        for process in reversed(self.staying):
            process.terminate()
            process.wait(LONGEST_S)
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture
def terminal(tmp_path):
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


def test_a_till_connects_and_a_label_shows_its_price_by_the_readmes_own_commands(terminal):
    changed: list[str] = []
    commands = [*commands_of("Connect a till"), *commands_of("Hang labels")]
    for command in commands[:-1]:
        if command.startswith(("esl serve", "esl simulate")):
            terminal.stay(command)
        else:
            answer = terminal.run(command)
            if "price-changes" in command:
                changed.append(answer)
    [result] = json.loads(changed[0])["results"]
    [example] = json.loads(re.search(r"```json\n(\{\"results\".*)\n```", README)[1])["results"]
    assert set(result) == set(example)
    assert result["decision"] == "accepted"
    deadline = time.monotonic() + LONGEST_S
    while (label := json.loads(terminal.run(commands[-1])))["phase"] != "settled":
        assert time.monotonic() < deadline, label
        time.sleep(0.2)
    assert label["face"]["price"] == "2.79"
    assert label["shown_rev"] > 0


def test_the_readmes_first_curl_sends_what_the_api_accepts():
    body = json.loads(re.search(r"-d '(\{.*\})'", README)[1])
    assert set(body) == {"sku", "price", "was", "badge"}


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"(?:^|`)make ([a-z]+)\b", README, re.MULTILINE)))
)
def test_every_make_target_the_readme_names_exists(target):
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


def test_every_file_the_readme_links_to_exists():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
