"""The rules of the house that ruff, mypy and import-linter can't say.

Each rule is a function from a file to findings of the form ``path:line: what is wrong``. Every
rule runs over the whole tree and over small bad examples, which show that it can fail.
(Docstrings are ruff's business, layers import-linter's.)
"""

import ast
import io
import os
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
BELOW_API = ("esl", "renderer", "gateway", "simulator")
PRODUCT = (*BELOW_API, "api")
PYTHON = frozenset({".py"})
SOURCE = frozenset({".py", ".js", ".css", ".html"})
NOT_OURS = {"build", "dist", "node_modules", "__pycache__", "demo-data", "esl-data"}
NOT_WRITTEN_HERE = {"vendor", "fonts"}

MAX_LINES = 400
EMPTY_NAMES = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}

CLOCKS_AND_CHANCE = {
    "time": "ask the Clock that was passed in",
    "datetime.datetime.now": "ask the Clock that was passed in",
    "datetime.datetime.utcnow": "ask the Clock that was passed in",
    "datetime.datetime.today": "ask the Clock that was passed in",
    "datetime.date.today": "ask the Clock that was passed in",
    "sqlalchemy.func.now": "pass the time in; the database server has another clock",
    "sqlalchemy.func.current_timestamp": "pass the time in; the database server has another clock",
    "asyncio.sleep": "wait for an event under asyncio.timeout, or step on the Clock",
    "random": "take a Random that was passed in (`from random import Random` names the type)",
    "numpy.random": "take a Random that was passed in",
}
"""What nothing below ``api`` may touch, and what to do instead. The machine's own clock is read in
``api/clock.py`` and handed down, so that the simulated one of the tests can take its place."""

EXCEPTIONS: dict[tuple[str, str], str] = {}
"""(file, forbidden name) → the reason why this file may. Keep it short: each is a place that no
simulated clock reaches."""

Rule = Callable[[str, str], Iterable[str]]


def files(*folders: str, suffixes: frozenset[str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield the path and text of every text file that belongs to the project."""
    for folder in folders:
        for directory, inner, names in os.walk(PROJECT / folder):
            inner[:] = sorted(name for name in inner if name not in NOT_OURS and _is_shown(name))
            for path in (Path(directory, name) for name in sorted(names)):
                if suffixes is None or path.suffix in suffixes:
                    try:
                        text = path.read_text(encoding="utf-8")
                    except UnicodeDecodeError:
                        continue  # pictures, fonts, golden bytes
                    yield path.relative_to(PROJECT).as_posix(), text


def _is_shown(folder: str) -> bool:
    return not folder.startswith(".") or folder == ".ci"


def findings(rule: Rule, *folders: str, suffixes: frozenset[str] | None = None) -> str:
    """Run a rule over folders; return one finding a line, nothing if all is well."""
    found = [f for path, text in files(*folders, suffixes=suffixes) for f in rule(path, text)]
    return "\n".join(["", *found]) if found else ""


# ── Time and chance are passed in ──────────────────────────────────────────────────────────


def reads_no_clock_and_throws_no_dice(path: str, text: str) -> Iterator[str]:
    """Find imports and uses of the machine's clocks and of unseeded chance."""
    for line, name in _clock_and_chance(ast.parse(text, path)):
        if (path, name) not in EXCEPTIONS:
            yield f"{path}:{line}: {name}: {CLOCKS_AND_CHANCE[name]}"


def _clock_and_chance(tree: ast.Module) -> Iterator[tuple[int, str]]:
    names = _imported_names(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                wanted = [alias.name for alias in node.names]
            case ast.ImportFrom(module=str(module)):
                wanted = [f"{module}.{alias.name}" for alias in node.names]
            case ast.Attribute():
                wanted = [_dotted(node, names)]
            case ast.Call(func=function, args=[], keywords=[]) if (
                _dotted(function, names) == "random.Random"
            ):
                yield node.lineno, "random"  # without a seed it takes the machine's
                continue
            case _:
                continue
        for dotted in wanted:
            for forbidden in CLOCKS_AND_CHANCE:
                if f"{dotted}.".startswith(f"{forbidden}.") and dotted != "random.Random":
                    yield node.lineno, forbidden


def _imported_names(tree: ast.Module) -> dict[str, str]:
    """Map each name that an import binds to what it stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    bound = alias.asname or alias.name.partition(".")[0]
                    names[bound] = alias.name if alias.asname else bound
            case ast.ImportFrom(module=str(module)):
                for alias in node.names:
                    names[alias.asname or alias.name] = f"{module}.{alias.name}"
            case _:
                pass
    return names


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    match node:
        case ast.Name():
            return names.get(node.id, "")
        case ast.Attribute():
            return f"{owner}.{node.attr}" if (owner := _dotted(node.value, names)) else ""
        case _:
            return ""


def test_nothing_below_api_reads_a_clock_or_throws_dice() -> None:
    assert not findings(reads_no_clock_and_throws_no_dice, *BELOW_API, suffixes=PYTHON)


def test_every_exception_is_still_needed() -> None:
    used = {
        (path, name)
        for path, text in files(*BELOW_API, suffixes=PYTHON)
        for _, name in _clock_and_chance(ast.parse(text, path))
    }
    assert EXCEPTIONS.keys() <= used


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import time as t",
        "from time import monotonic",
        "import random",
        "from random import choice",
        "from random import Random\nr = Random()",
        "from datetime import datetime\ndatetime.now()",
        "from datetime import UTC, datetime as Moment\nMoment.now(UTC)",
        "import datetime as dt\ndt.datetime.utcnow()",
        "from datetime import date\ndate.today()",
        "import asyncio\nasync def f():\n    await asyncio.sleep(1)",
        "from asyncio import sleep",
        "import asyncio as a\nwait = a.sleep",
        "import numpy as np\nnp.random.default_rng()",
        "from sqlalchemy import func\nfunc.now()",
    ],
)
def test_reading_a_clock_or_throwing_dice_is_found(source: str) -> None:
    assert list(reads_no_clock_and_throws_no_dice("esl/example.py", source))


def test_clocks_and_seeded_chance_that_are_passed_in_are_fine() -> None:
    source = "from datetime import UTC, datetime, time\nfrom random import Random\n"
    source += "def f(clock, random: Random):\n    return clock.now(), random.random(), Random(7)\n"
    assert not list(reads_no_clock_and_throws_no_dice("esl/example.py", source))


# ── Files and names ─────────────────────────────────────────────────────────────────────────


def is_short(path: str, text: str) -> Iterator[str]:
    """Find files that have grown past what one noun needs."""
    lines = text.count("\n")
    if lines > MAX_LINES and not NOT_WRITTEN_HERE & set(Path(path).parts):
        yield f"{path}:{MAX_LINES + 1}: {lines} lines; split it before it passes {MAX_LINES}"


def is_named_for_what_it_holds(path: str, _text: str) -> Iterator[str]:
    """Find modules and packages whose name would let in anything."""
    for part in Path(path).with_suffix("").parts:
        if empty := EMPTY_NAMES & set(part.lower().split("_")):
            yield f"{path}:1: {empty.pop()!r} says nothing; name the file for what it holds"


def test_no_file_of_the_product_is_long() -> None:
    assert not findings(is_short, *PRODUCT, suffixes=SOURCE)
    assert list(is_short("esl/example.py", "\n" * (MAX_LINES + 1)))
    assert not list(is_short("esl/example.py", "\n" * MAX_LINES))


def test_every_module_is_named_for_what_it_holds() -> None:
    assert not findings(is_named_for_what_it_holds, *PRODUCT, "tests", suffixes=PYTHON)
    assert list(is_named_for_what_it_holds("esl/utils/money.py", ""))
    assert list(is_named_for_what_it_holds("gateway/connection_manager.py", ""))
    assert not list(is_named_for_what_it_holds("esl/commonwealth.py", ""))


# ── Loops stop at bugs ──────────────────────────────────────────────────────────────────────

Loop = ast.While | ast.AsyncFor


def stops_at_bugs(path: str, text: str) -> Iterator[str]:
    """Find endless loops that swallow every exception: a bug in one must end it.

    Catching everything to clean up is fine where the handler ends by raising it again.
    """
    for loop in ast.walk(ast.parse(text, path)):
        if isinstance(loop, Loop):
            for node in _run_by(loop):
                if isinstance(node, ast.ExceptHandler) and _swallows_everything(node):
                    yield f"{path}:{node.lineno}: catches everything in a loop; name what to expect"


def _run_by(loop: Loop) -> Iterator[ast.AST]:
    """Yield what a loop itself runs: functions that are only defined in it are left out."""
    waiting: list[ast.AST] = [*loop.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def _swallows_everything(handler: ast.ExceptHandler) -> bool:
    match handler.type:
        case None:
            caught = {"BaseException"}
        case ast.Tuple(elts=kinds):
            caught = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
        case ast.Name(id=kind):
            caught = {kind}
        case _:
            caught = set()
    last = handler.body[-1]
    raised_again = isinstance(last, ast.Raise) and last.exc is None
    return bool(caught & {"Exception", "BaseException"}) and not raised_again


def test_no_loop_swallows_every_exception() -> None:
    assert not findings(stops_at_bugs, *PRODUCT, suffixes=PYTHON)


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except Exception: pass", True),
        ("except: pass", True),
        ("except (ValueError, BaseException) as exc: print(exc)", True),
        ("except ValueError: pass", False),
        ("except Exception: close(); raise", False),
    ],
)
def test_a_loop_that_swallows_is_found(handler: str, *, found: bool) -> None:
    body = f"    try: step()\n    {handler}\n"
    assert bool(list(stops_at_bugs("api/example.py", f"while True:\n{body}"))) is found
    deep = f"async def f():\n  async for m in link:\n   if m:\n{body}"
    assert bool(list(stops_at_bugs("api/example.py", deep))) is found
    defined = f"while True:\n  def f():\n{body}  f()\n"
    assert not list(stops_at_bugs("api/example.py", defined))
    assert not list(stops_at_bugs("api/example.py", f"if True:\n{body}"))


# ── Nothing is left for later ───────────────────────────────────────────────────────────────

_LATER = re.compile(r"\b(TODO|FIXME|XXX)\b")


def is_finished(path: str, text: str) -> Iterator[str]:
    """Find notes to do something later, and functions that only promise."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and (note := _LATER.search(token.string)):
            yield f"{path}:{token.start[0]}: {note[0]}: do it now, or file an issue"
    for node in ast.walk(ast.parse(text, path)):
        match node:
            case ast.Name(id="NotImplementedError"):
                yield f"{path}:{node.lineno}: NotImplementedError: leave out what does not work yet"
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                if note := _LATER.search(ast.get_docstring(node) or ""):
                    line = node.body[0].lineno
                    yield f"{path}:{line}: {note[0]}: do it now, or file an issue"
            case _:
                pass


def test_the_product_is_finished() -> None:
    assert not findings(is_finished, *PRODUCT, suffixes=PYTHON)


@pytest.mark.parametrize(
    "source",
    ["x = 1  # TODO: more", '"""Idea.\n\nFIXME"""', "def f():\n    raise NotImplementedError"],
)
def test_what_is_left_for_later_is_found(source: str) -> None:
    assert list(is_finished("esl/example.py", source))


def test_a_currency_code_is_no_note() -> None:
    assert not list(is_finished("esl/example.py", 'NO_CURRENCY = "XXX"\n'))


# ── Nothing of the machine that it was written on ───────────────────────────────────────────

_OF_ONE_MACHINE = re.compile(
    r"(?<![\w.])/(?:work|root)/"  # a folder
    r"|\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|crates\.io|deb\.debian\.org)\b"
    r"|--(?:extra-)?index-url\b|--find-lin[k]s\b|\b(?:PIP|UV)_\w*(?:INDEX|FIND_LINKS)"
)


def is_at_home_everywhere(path: str, text: str) -> Iterator[str]:
    """Find paths of one machine and addresses of package registries."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _OF_ONE_MACHINE.search(line):
            yield f"{path}:{number}: {found[0]!r} belongs to one machine or registry"


def test_no_file_names_a_machine_or_a_registry() -> None:
    assert not findings(is_at_home_everywhere, ".")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("cd @work@main", True),
        ("see 'file:@@@root@notes'", True),
        ("--index|url x", True),
        ("wheels from pypi|org", True),
        ("--no-emit-index-url", False),
        ("GET @api@v1@network@x", False),
        ("..@work@x", False),
    ],
)
def test_a_machine_or_registry_is_found(line: str, *, found: bool) -> None:
    line = line.replace("@", "/").replace("--index|", "--index-").replace("pypi|", "pypi.")
    assert bool(list(is_at_home_everywhere("docs/example.md", line))) is found


# ── What is installed is pinned ─────────────────────────────────────────────────────────────

_PINNED = re.compile(r"[a-z0-9-]+==[^ ;]+( ; .+)?( --hash=sha256:[0-9a-f]{64})+")


def is_pinned(path: str, text: str) -> Iterator[str]:
    """Find requirements without an exact version or hash, and lines that are no requirement."""
    number = 0
    for entry in re.sub(r"\\\n", "\0", text).split("\n"):
        words = " ".join(entry.replace("\0", " ").split())
        if words and not words.startswith("#") and not _PINNED.fullmatch(words):
            yield f"{path}:{number + 1}: not a version with hashes: {words[:60]}"
        number += entry.count("\0") + 1


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-postgres.txt", "requirements-dev.txt"]
)
def test_every_requirement_is_pinned(name: str) -> None:
    text = (PROJECT / name).read_text(encoding="utf-8")
    assert text.count("==") > len(PRODUCT)
    assert not list(is_pinned(name, text))


@pytest.mark.parametrize(
    "line", ["rich==15.0.0", "rich>=15 --hash=sha256:" + "0" * 64, "--pre", "-e .", "-r other.txt"]
)
def test_an_unpinned_requirement_is_found(line: str) -> None:
    pinned = "typer==1 \\\n    --hash=sha256:" + "0" * 64
    assert not list(is_pinned("r.txt", f"# head\n{pinned}\n    # via x\n"))
    assert [f.split(":")[1] for f in is_pinned("r.txt", f"# head\n{pinned}\n{line}\n")] == ["4"]
