"""Pages of the documentation, run as a reader would: their blocks, in order, in a terminal.

    ```console       commands that stay: started, and ended with the terminal
    ```sh            run; every command must succeed
    ```sh until      run again until its answer is the JSON below it
    ```sh fails 422  answered with that status
    ```json          what the block above it must have printed
    ```text, toml …  shown, and not run: what stands elsewhere, or takes another machine
    ```yaml NAME     a file of that name; so with csv and others
    ```python        run; with a name, a file of that name

JSON on a page may leave members out, and "…" stands for any text. Numbers that are given out in
turn (revisions, batches) may be others. The last ``rev`` that was printed is in ``$REV``.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.served import environment

ROOT = Path(__file__).parents[1]
LONGEST_S = 120
_FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SHOWN = {"text", "toml", "conf", "acl"}
_GIVEN_OUT = {"rev", "batch", "id", "change", "price_id"}


@dataclass(frozen=True)
class Block:
    """One fenced block: its kind, what stands behind the kind, its text."""

    kind: str
    about: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    """List a page's fenced blocks, those in lists too."""
    found = []
    for _, info, text in _FENCE.findall(page.read_text("utf-8")):
        kind, _, about = info.partition(" ")
        found.append(Block(kind, about, textwrap.dedent(text)))
    return found


class Terminal:
    """A folder with ``esl`` and a ``curl`` that fails on errors, and what stays running there.

    ``alter`` changes a text before it is run: addresses that exist on no machine of ours.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.alter: Callable[[str], str] = lambda text: text
        self._staying: list[subprocess.Popen[str]] = []
        tools = folder / "bin"
        tools.mkdir(parents=True)
        python = shlex.quote(sys.executable)
        for name, line in (
            ("esl", f'exec {python} -m api.cli "$@"'),
            ("python3", f'exec {python} "$@"'),
            ("curl", f'PATH={shlex.quote(os.environ["PATH"])} exec curl -sS --fail-with-body "$@"'),
        ):
            (tools / name).write_text(f"#!/bin/sh\n{line}\n")
            (tools / name).chmod(0o755)
        self.environment = {
            **environment(),
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "ESL_PORT": str(port),
        }

    def read(self, page: Path) -> int:
        """Run a page; return how many answers were compared."""
        compared = 0
        blocks = blocks_of(page)
        for at, block in enumerate(blocks):
            answer = blocks[at + 1] if at + 1 < len(blocks) else None
            is_answer = answer is not None and (answer.kind, answer.about) == ("json", "")
            wanted = json.loads(answer.text) if answer and is_answer else None
            match block.kind:
                case "console":
                    for command in block.text.splitlines():
                        self._stay(command)
                case "sh":
                    self._expect(block, wanted)
                    compared += wanted is not None
                case "python" if not block.about:
                    self._write("example.py", block.text)
                    self._run(f"{shlex.quote(sys.executable)} example.py")
                case kind if kind in _SHOWN:
                    continue
                case "json" if not block.about:
                    assert blocks[at - 1].kind == "sh", "an answer without a question"
                case _:
                    assert block.about, f"a block that nothing is done with: {block}"
                    self._write(block.about, block.text)
        return compared

    def close(self) -> None:
        """End what stays."""
        for process in reversed(self._staying):
            process.terminate()
            process.wait(LONGEST_S)
            if process.stdout is not None:
                process.stdout.close()

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def _expect(self, block: Block, wanted: Any) -> None:
        deadline = time.monotonic() + LONGEST_S
        while True:
            printed = self._run(block.text, may_fail=bool(block.about))
            if block.about.startswith("fails"):
                status = int(block.about.removeprefix("fails "))
                assert json.loads(printed)["status"] == status, printed
            found = _last_json(printed) if wanted is not None else None
            wrong = differs(found, wanted) if wanted is not None else ""
            if not wrong:
                return
            assert block.about == "until", f"{wrong}\n{block.text}\n{printed}"
            assert time.monotonic() < deadline, f"{wrong}\n{block.text}\n{printed}"
            time.sleep(0.2)

    def _run(self, text: str, *, may_fail: bool = False) -> str:
        keep = "\nexport -p | grep -v '^export REV=' > .exported\n"  # that is ours to say
        load = ". ./.exported\n" if (self.folder / ".exported").exists() else ""
        done = subprocess.run(
            ["sh", "-eu", "-c", load + self._here(text) + keep],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
        if not may_fail:
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        for rev in re.findall(r'"rev": ?([0-9]+)', done.stdout):
            self.environment["REV"] = rev
        return done.stdout

    def _stay(self, command: str) -> None:
        with (self.folder / f"stderr-{len(self._staying)}.txt").open("w") as errors:
            process = subprocess.Popen(
                shlex.split(command),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._staying.append(process)
        assert process.stdout is not None
        assert process.stdout.readline(), command

    def _here(self, text: str) -> str:
        return self.alter(text.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}"))


def differs(found: Any, wanted: Any, path: str = "") -> str:  # noqa: PLR0911  one return a reason
    """Say where an answer is not what the page shows; "" if it is."""
    match wanted:
        case dict():
            if not isinstance(found, dict):
                return f"{path}: {found!r} is no object"
            for name, value in wanted.items():
                if name not in found:
                    return f"{path}/{name} is missing in {found!r}"
                if name in _GIVEN_OUT and isinstance(value, int) and type(found[name]) is int:
                    continue
                if wrong := differs(found[name], value, f"{path}/{name}"):
                    return wrong
        case list():
            if not isinstance(found, list) or len(found) != len(wanted):
                return f"{path}: {found!r} in place of {wanted!r}"
            pairs = enumerate(zip(found, wanted, strict=True))
            return next(filter(None, (differs(f, w, f"{path}/{at}") for at, (f, w) in pairs)), "")
        case str() if "…" in wanted:
            pattern = ".*".join(re.escape(part) for part in wanted.split("…"))
            if not isinstance(found, str) or not re.fullmatch(pattern, found, re.DOTALL):
                return f"{path}: {found!r} in place of {wanted!r}"
        case _:
            if found != wanted or type(found) is not type(wanted):
                return f"{path}: {found!r} in place of {wanted!r}"
    return ""


def _last_json(printed: str) -> Any:
    """Read the last line of JSON that was printed; None where there is none."""
    lines = [line for line in printed.splitlines() if line.startswith(("{", "["))]
    return json.loads(lines[-1]) if lines else None
