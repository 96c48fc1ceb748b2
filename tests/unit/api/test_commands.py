import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from api.cli.app import app
from api.cli.commands import COMMANDS

ASKED = """
import contextlib, io, sys
sys.argv = ["esl", {command!r}, "--help"]
from api.cli import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
print(*sys.modules)
"""


def modules_of(command: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", ASKED.format(command=command)],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(ran.stdout.split())


def test_every_command_is_one_of_esl() -> None:
    assert set(getattr(get_command(app), "commands", {})) == set(COMMANDS)


def test_help_texts_are_broken_by_the_terminal_alone() -> None:
    def commands(group: Any) -> Iterator[Any]:
        for command in group.commands.values():
            yield from commands(command) if hasattr(command, "commands") else [command]

    found = list(commands(get_command(app)))
    assert len(found) > len(COMMANDS)
    for command in found:
        for paragraph in (command.help or "").split("\n\n"):
            assert "\n" not in paragraph, command.name


def test_a_controller_starts_without_what_other_commands_need() -> None:
    modules = modules_of("serve")
    assert "api.server" in modules
    idle = {"sqlalchemy.orm", "alembic", "api.bench", "api.demo", "gateway.conform"}
    assert not modules & idle
    assert not any(name.split(".")[0] == "simulator" for name in modules)
